CREATE TABLE pending (               -- who asked to be told, or to be told of something else, and has not confirmed it
    email        TEXT COLLATE "C" NOT NULL,
    storefronts  TEXT COLLATE "C" NOT NULL,   -- as in subscribers
    language     TEXT COLLATE "C" NOT NULL,
    until_reopen BIGINT  NOT NULL,
    asked        BIGINT  NOT NULL,   -- the last time that a mail came of it
    expires      BIGINT  NOT NULL,   -- when the link in that mail ends
    mails        BIGINT  NOT NULL,   -- sent or owed since the first time
    attempts     BIGINT  NOT NULL DEFAULT 0,
    next_try     BIGINT  NOT NULL,   -- when the mail is due; 0: none is owed
    claim        BIGINT  NOT NULL DEFAULT 0   -- which watcher has it under way; 0: none
);
CREATE UNIQUE INDEX pending_by_email ON pending (lower(email));
CREATE INDEX pending_due ON pending (next_try);

CREATE TABLE suppressed (            -- addresses that are forgotten, and that nothing may be sent to all the same
    seal TEXT COLLATE "C" PRIMARY KEY            -- a keyed hash: whoever has no key cannot tell whose
);

CREATE TABLE pending (               -- who asked to be told, or to be told of something else, and has not confirmed it
    email        TEXT    NOT NULL,
    storefronts  TEXT    NOT NULL,   -- as in subscribers
    language     TEXT    NOT NULL,
    until_reopen INTEGER NOT NULL,
    asked        INTEGER NOT NULL,   -- the last time that a mail came of it
    expires      INTEGER NOT NULL,   -- when the link in that mail ends
    mails        INTEGER NOT NULL,   -- sent or owed since the first time
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_try     INTEGER NOT NULL,   -- when the mail is due; 0: none is owed
    claim        INTEGER NOT NULL DEFAULT 0   -- which watcher has it under way; 0: none
);
CREATE UNIQUE INDEX pending_by_email ON pending (lower(email));
CREATE INDEX pending_due ON pending (next_try);

CREATE TABLE suppressed (            -- addresses that are forgotten, and that nothing may be sent to all the same
    seal TEXT PRIMARY KEY            -- a keyed hash: whoever has no key cannot tell whose
);

-- Times are Unix milliseconds, UTC; 0 stands for "not yet" or "never".

CREATE TABLE versions (              -- every content that was ever accepted
    id       INTEGER PRIMARY KEY,
    slug     TEXT    NOT NULL,
    sha256   TEXT    NOT NULL,
    content  BLOB    NOT NULL,
    accepted INTEGER NOT NULL,
    by       TEXT    NOT NULL        -- JSON
);
CREATE INDEX versions_by_slug ON versions (slug, id);
CREATE INDEX versions_by_content ON versions (sha256);

CREATE TABLE notices (
    slug     TEXT    PRIMARY KEY,
    version  INTEGER NOT NULL REFERENCES versions (id),
    first    INTEGER NOT NULL,       -- when its first version was accepted
    closed   INTEGER NOT NULL,       -- when it was carried out
    ended    INTEGER NOT NULL,       -- when it really ended
    overdue  INTEGER NOT NULL,       -- since when the owner knows that the reopening is late
    told     TEXT    NOT NULL        -- JSON: what its subscribers have been told
);

CREATE TABLE refusals (              -- what the owner has been told of a file, once per content
    slug   TEXT    PRIMARY KEY,
    sha256 TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL
);

CREATE TABLE storefronts (           -- what each should be now
    id       TEXT    PRIMARY KEY,
    state    TEXT    NOT NULL,
    checkout TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    message  TEXT    NOT NULL,
    url      TEXT    NOT NULL,
    notices  TEXT    NOT NULL,       -- JSON
    lead     TEXT    NOT NULL,
    by       TEXT    NOT NULL        -- JSON
);

CREATE TABLE endpoints (             -- what each was last told: level-triggered, one row per webhook
    storefront   TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0,  -- the last revision it took
    attempts     INTEGER NOT NULL DEFAULT 0,  -- at the present revision
    sendings     INTEGER NOT NULL DEFAULT 0,  -- times the present revision went out under a new id
    error        TEXT    NOT NULL DEFAULT '',
    next_try     INTEGER NOT NULL DEFAULT 0,
    reassert     INTEGER NOT NULL DEFAULT 0,  -- when the newest state goes out once more
    failing      INTEGER NOT NULL DEFAULT 0,  -- since when
    alerted      INTEGER NOT NULL DEFAULT 0,
    disabled     INTEGER NOT NULL DEFAULT 0,  -- since a 410
    PRIMARY KEY (storefront, url)
);

CREATE TABLE campaigns (             -- one mail to many
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    slug        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    item        INTEGER NOT NULL,    -- which update, which reminder; 0 for the other kinds
    storefronts TEXT    NOT NULL,    -- JSON; [] stands for all
    created     INTEGER NOT NULL,
    not_before  INTEGER NOT NULL,
    fired       INTEGER NOT NULL DEFAULT 0,  -- from here on nothing of it changes but the counts
    finished    INTEGER NOT NULL DEFAULT 0,
    subject     TEXT    NOT NULL DEFAULT '',
    text        TEXT    NOT NULL DEFAULT '',
    html        TEXT    NOT NULL DEFAULT '',
    last        INTEGER NOT NULL DEFAULT 0,  -- the highest subscriber it goes to
    cursor      INTEGER NOT NULL DEFAULT 0,  -- letters are written up to this subscriber
    sent        INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    passed      INTEGER NOT NULL DEFAULT 0,  -- left meanwhile, or served by a newer mail
    error       TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX campaigns_open ON campaigns (finished, slug);

CREATE TABLE letters (               -- what a campaign still owes
    campaign   INTEGER NOT NULL REFERENCES campaigns (id),
    subscriber INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_try   INTEGER NOT NULL,
    leased     INTEGER NOT NULL DEFAULT 0,   -- until when a sender has it
    PRIMARY KEY (campaign, subscriber)
);
CREATE INDEX letters_due ON letters (next_try);

CREATE TABLE subscribers (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    email        TEXT    NOT NULL,
    storefronts  TEXT    NOT NULL,   -- ' web market '; '' stands for all
    language     TEXT    NOT NULL DEFAULT '',
    until_reopen INTEGER NOT NULL DEFAULT 0,
    confirmed    INTEGER NOT NULL,
    failures     INTEGER NOT NULL DEFAULT 0, -- campaigns in a row that the address refused
    suppressed   TEXT    NOT NULL DEFAULT '' -- why nothing goes there any more
);

CREATE UNIQUE INDEX subscribers_by_email ON subscribers (lower(email));

CREATE TABLE imported (              -- an import under way: subscribers only once it is whole
    id           INTEGER PRIMARY KEY,
    email        TEXT    NOT NULL,
    storefronts  TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    until_reopen INTEGER NOT NULL,
    confirmed    INTEGER NOT NULL
);

CREATE TABLE alerts (                -- mail owed to the owner
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    address  TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL
);

CREATE TABLE audit (                 -- append-only
    idx   INTEGER PRIMARY KEY,       -- from 0, without a gap
    time  INTEGER NOT NULL,
    event TEXT    NOT NULL,
    entry TEXT    NOT NULL           -- JSON
);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE logs (                  -- runs of the audit log, each a Merkle tree of its own; the last one grows
    number   INTEGER PRIMARY KEY,   -- as in its origin
    first    INTEGER NOT NULL,      -- the idx of its first entry
    verifier TEXT    NOT NULL       -- the key that its checkpoints are verified with; its name is the origin
);

CREATE TABLE hashes (                -- of the trees, in the order of golang.org/x/mod/sumdb/tlog
    log  INTEGER NOT NULL REFERENCES logs (number),
    idx  INTEGER NOT NULL,          -- from 0, without a gap
    hash BLOB    NOT NULL,
    PRIMARY KEY (log, idx)
);

CREATE TABLE checkpoints (           -- what each transaction has signed
    log    INTEGER NOT NULL REFERENCES logs (number),
    number INTEGER NOT NULL,        -- from 0, without a gap
    size   INTEGER NOT NULL,        -- entries of the log that it covers
    note   TEXT    NOT NULL,        -- signed (c2sp.org/tlog-checkpoint)
    PRIMARY KEY (log, number)
);
CREATE TRIGGER logs_are_not_changed BEFORE UPDATE ON logs BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER logs_are_not_deleted BEFORE DELETE ON logs BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER hashes_are_not_changed BEFORE UPDATE ON hashes BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER hashes_are_not_deleted BEFORE DELETE ON hashes BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER checkpoints_are_not_changed BEFORE UPDATE ON checkpoints BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER checkpoints_are_not_deleted BEFORE DELETE ON checkpoints BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

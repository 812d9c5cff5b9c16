CREATE TABLE logs (                  -- runs of the audit log, each a Merkle tree of its own; the last one grows
    number   BIGINT  PRIMARY KEY,   -- as in its origin
    first    BIGINT  NOT NULL,      -- the idx of its first entry
    verifier TEXT COLLATE "C" NOT NULL       -- the key that its checkpoints are verified with; its name is the origin
);

CREATE TABLE hashes (                -- of the trees, in the order of golang.org/x/mod/sumdb/tlog
    log  BIGINT  NOT NULL REFERENCES logs (number),
    idx  BIGINT  NOT NULL,          -- from 0, without a gap
    hash BYTEA   NOT NULL,
    PRIMARY KEY (log, idx)
);

CREATE TABLE checkpoints (           -- what each transaction has signed
    log    BIGINT  NOT NULL REFERENCES logs (number),
    number BIGINT  NOT NULL,        -- from 0, without a gap
    size   BIGINT  NOT NULL,        -- entries of the log that it covers
    note   TEXT COLLATE "C" NOT NULL,        -- signed (c2sp.org/tlog-checkpoint)
    PRIMARY KEY (log, number)
);
CREATE TRIGGER logs_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON logs FOR EACH STATEMENT EXECUTE FUNCTION audit_stands();
CREATE TRIGGER hashes_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON hashes FOR EACH STATEMENT EXECUTE FUNCTION audit_stands();
CREATE TRIGGER checkpoints_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION audit_stands();

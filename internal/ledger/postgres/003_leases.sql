CREATE TABLE leases (                -- who may do what only one may, and which watchers are there
    name   TEXT COLLATE "C" PRIMARY KEY,      -- reconcile, or watcher and its number
    holder TEXT COLLATE "C" NOT NULL,         -- on which machine, in which folder
    seal   TEXT COLLATE "C" NOT NULL,         -- tells its site key from another
    token  BIGINT  NOT NULL,         -- of reconcile: grows with each takeover; of a watcher: what its claims carry
    until  BIGINT  NOT NULL          -- on the database's clock
);
INSERT INTO leases (name, holder, seal, token, until) VALUES ('reconcile', '', '', 0, 0);

-- Which watcher has it under way; 0: none.
ALTER TABLE letters RENAME COLUMN leased TO claim;
UPDATE letters SET claim = 0 WHERE claim <> 0;
ALTER TABLE alerts ADD COLUMN claim BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN claim BIGINT  NOT NULL DEFAULT 0;

-- In the order in which letters go out: among a million that are due at the same
-- moment the next few are found at once.
DROP INDEX letters_due;
CREATE INDEX letters_due ON letters (next_try, campaign, subscriber);

CREATE TABLE leases (                -- who may do what only one may, and which watchers are there
    name   TEXT COLLATE "C" PRIMARY KEY,      -- reconcile, or watcher and its number
    holder TEXT COLLATE "C" NOT NULL,         -- on which machine, in which folder
    token  BIGINT  NOT NULL,         -- of reconcile: grows with each takeover; of a watcher: what its claims carry
    until  BIGINT  NOT NULL          -- on the database's clock
);
INSERT INTO leases (name, holder, token, until) VALUES ('reconcile', '', 0, 0);

-- Which watcher has it under way; 0: none.
ALTER TABLE letters RENAME COLUMN leased TO claim;
UPDATE letters SET claim = 0 WHERE claim <> 0;
ALTER TABLE alerts ADD COLUMN claim BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN claim BIGINT  NOT NULL DEFAULT 0;

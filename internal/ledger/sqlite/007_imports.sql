-- The lines of an import are subscribers from the start, and count from the moment
-- on at which it is finished: however many they are, that is one row changed.
CREATE TABLE imports (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    after    INTEGER NOT NULL,       -- its subscribers have higher ids than that
    finished INTEGER NOT NULL        -- when; 0: it is under way, or was broken off
);
ALTER TABLE subscribers ADD COLUMN imported INTEGER NOT NULL DEFAULT 0; -- by which import; 0: by none
ALTER TABLE campaigns ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;   -- the last import that had been finished when it fired
ALTER TABLE campaigns ADD COLUMN recipients INTEGER NOT NULL DEFAULT 0; -- how many followed when it fired
DROP TABLE imported;

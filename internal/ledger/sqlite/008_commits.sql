-- The commit that an accepted content was from; empty: it was in none that counts.
ALTER TABLE versions ADD COLUMN git_commit TEXT NOT NULL DEFAULT '';

CREATE TABLE translations (          -- those in force
    slug     TEXT    NOT NULL,       -- the notice's
    language TEXT    NOT NULL,
    version  INTEGER NOT NULL REFERENCES versions (id),
    PRIMARY KEY (slug, language)
);

CREATE TABLE wordings (              -- a fired campaign in the languages that it is not itself in
    campaign INTEGER NOT NULL REFERENCES campaigns (id),
    language TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    html     TEXT    NOT NULL,
    PRIMARY KEY (campaign, language)
);

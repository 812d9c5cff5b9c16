CREATE TABLE translations (          -- those in force
    slug     TEXT COLLATE "C" NOT NULL,   -- the notice's
    language TEXT COLLATE "C" NOT NULL,
    version  BIGINT  NOT NULL REFERENCES versions (id),
    PRIMARY KEY (slug, language)
);

CREATE TABLE wordings (              -- a fired campaign in the languages that it is not itself in
    campaign BIGINT  NOT NULL REFERENCES campaigns (id),
    language TEXT COLLATE "C" NOT NULL,
    subject  TEXT COLLATE "C" NOT NULL,
    text     TEXT COLLATE "C" NOT NULL,
    html     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (campaign, language)
);

CREATE TABLE bounces (               -- letters that came back after the mail server had taken them
    subscriber BIGINT  NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    letter     TEXT COLLATE "C" NOT NULL,     -- a hash that tells it from others: a report that is read twice counts once
    seen       BIGINT  NOT NULL,
    PRIMARY KEY (subscriber, letter)
);

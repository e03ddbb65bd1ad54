-- What people asked rigs for: a picture now, or recorded frames of a clip. What came stays a while and goes with its row.
CREATE TABLE requests (
    request     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    site        TEXT    NOT NULL,
    rig         TEXT    NOT NULL REFERENCES rigs (rig),
    -- Null of a picture now, until it came.
    boot        BIGINT,
    clip        BIGINT,
    first_frame BIGINT,
    last_frame  BIGINT,
    -- The label that was looked at.
    label       TEXT,
    asked_by    TEXT    NOT NULL,
    asked_us    BIGINT  NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('asked', 'arriving', 'here', 'refused')),
    reason      TEXT,
    ended_us    BIGINT,
    -- Of all that was asked for: length, digest, and what is here of it.
    bytes       BIGINT,
    sha256      TEXT,
    have        BIGINT  NOT NULL DEFAULT 0,
    -- Frame, time and length of each picture, as JSON.
    pictures    TEXT
);
CREATE INDEX requests_by_rig ON requests (rig, state);
CREATE INDEX requests_by_label ON requests (label);

-- Parts of what arrives, until all is here.
CREATE TABLE request_parts (
    request BIGINT NOT NULL REFERENCES requests (request),
    begins  BIGINT NOT NULL,
    part    BLOB   NOT NULL,
    PRIMARY KEY (request, begins)
);

CREATE TABLE request_pictures (
    request BIGINT NOT NULL REFERENCES requests (request),
    frame   BIGINT NOT NULL,
    pts_us  BIGINT NOT NULL,
    jpeg    BLOB   NOT NULL,
    PRIMARY KEY (request, frame)
);

-- What people asked rigs for: a picture now, or recorded frames of a clip. What came stays a while and goes with its row.
CREATE TABLE requests (
    request BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site TEXT COLLATE "C" NOT NULL,
    rig TEXT COLLATE "C" NOT NULL REFERENCES rigs (rig),
    -- Null of a picture now, until it came.
    boot BIGINT,
    clip BIGINT,
    first_frame BIGINT,
    last_frame BIGINT,
    -- The label that was looked at.
    label TEXT COLLATE "C",
    asked_by TEXT COLLATE "C" NOT NULL,
    asked_us BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('asked', 'arriving', 'here', 'refused')),
    reason TEXT COLLATE "C",
    ended_us BIGINT,
    -- Of all that was asked for: length, digest, and what is here of it.
    bytes BIGINT,
    sha256 TEXT COLLATE "C",
    have BIGINT NOT NULL DEFAULT 0,
    -- Frame, time and length of each picture, as JSON.
    pictures TEXT COLLATE "C"
);
CREATE INDEX requests_by_rig ON requests (rig, state);
CREATE INDEX requests_by_label ON requests (label);

-- Parts of what arrives, until all is here.
CREATE TABLE request_parts (
    request BIGINT NOT NULL REFERENCES requests (request),
    begins BIGINT NOT NULL,
    part BYTEA NOT NULL,
    PRIMARY KEY (request, begins)
);

CREATE TABLE request_pictures (
    request BIGINT NOT NULL REFERENCES requests (request),
    frame BIGINT NOT NULL,
    pts_us BIGINT NOT NULL,
    jpeg BYTEA NOT NULL,
    PRIMARY KEY (request, frame)
);

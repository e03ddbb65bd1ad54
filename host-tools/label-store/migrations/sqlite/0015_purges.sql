-- What was deleted on somebody's order: a clip, or a person of it. A row stays, so that what arrives late of it is not kept either,
-- and so that what was deleted is not missed.
CREATE TABLE purges (
    purge       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us       BIGINT  NOT NULL,
    purged_by   TEXT    NOT NULL,
    rig         TEXT    NOT NULL,
    boot        BIGINT  NOT NULL,
    clip        BIGINT  NOT NULL,
    -- The person, as edited, and the frames of which no picture is kept; null of the whole clip.
    track       BIGINT,
    first_frame BIGINT,
    last_frame  BIGINT,
    -- 1: labels were deleted too.
    with_labels BIGINT  NOT NULL CHECK (with_labels IN (0, 1)),
    -- Deleted of what the rig made.
    offered     BIGINT  NOT NULL DEFAULT 0,
    abstained   BIGINT  NOT NULL DEFAULT 0,
    evidence    BIGINT  NOT NULL DEFAULT 0,
    -- The rig's own recording: 0 while the rig has not said that it is deleted there. What it said last, and when.
    rig_done    BIGINT  NOT NULL DEFAULT 0 CHECK (rig_done IN (0, 1)),
    rig_said    TEXT,
    rig_said_us BIGINT,
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX purges_by_clip ON purges (rig, boot, clip);

-- Filmstrips and key pictures that went for their age or for want of room, so that they are not missed.
CREATE TABLE outdated (
    rig      TEXT   NOT NULL,
    boot     BIGINT NOT NULL,
    clip     BIGINT NOT NULL,
    evidence BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

-- Segments of pictures that rigs recorded of their clips, as they told it. A rig may tell of one twice; what it says last holds.
CREATE TABLE recorded_segments (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    segment BIGINT NOT NULL,
    first_frame BIGINT NOT NULL,
    last_frame BIGINT NOT NULL,
    pictures BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    -- 1 where a power cut ended it.
    torn BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip, segment),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

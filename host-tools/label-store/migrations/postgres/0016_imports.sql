-- Clips whose labels a person brought from elsewhere, under the name of a source, which stands where a rig's would. `told` is what
-- the files call the clip, `of_…` the clip of a rig that shows the same, where the desk has it.
CREATE TABLE imported_clips (
    source TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    told TEXT COLLATE "C" NOT NULL,
    of_rig TEXT COLLATE "C",
    of_boot BIGINT,
    of_clip BIGINT,
    -- 1: what is true, 0: what somebody's model offers.
    truth BIGINT NOT NULL CHECK (truth IN (0, 1)),
    -- Of the labels as they were read.
    sha256 TEXT COLLATE "C" NOT NULL,
    file TEXT COLLATE "C" NOT NULL,
    taken_us BIGINT NOT NULL,
    PRIMARY KEY (source, told),
    FOREIGN KEY (source, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE UNIQUE INDEX imported_clips_by_clip ON imported_clips (source, boot, clip);

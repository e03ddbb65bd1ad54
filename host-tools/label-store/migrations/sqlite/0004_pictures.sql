-- Whole frames, made smaller: each belongs to a clip and a frame, and serves every label that holds there.
CREATE TABLE pictures (
    rig       TEXT   NOT NULL,
    boot      BIGINT NOT NULL,
    seq       BIGINT NOT NULL,
    clip      BIGINT NOT NULL,
    frame     BIGINT NOT NULL,
    pts_us    BIGINT NOT NULL,
    width     BIGINT NOT NULL,
    height    BIGINT NOT NULL,
    of_width  BIGINT NOT NULL,
    of_height BIGINT NOT NULL,
    jpeg      BLOB   NOT NULL,
    PRIMARY KEY (rig, boot, seq),
    FOREIGN KEY (rig, boot, seq) REFERENCES messages (rig, boot, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX pictures_by_clip ON pictures (rig, boot, clip, frame);

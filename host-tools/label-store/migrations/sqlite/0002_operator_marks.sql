-- Somebody at the rig pressed the button. One row a press; several may name one frame.
CREATE TABLE operator_marks (
    rig     TEXT   NOT NULL,
    boot    BIGINT NOT NULL,
    clip    BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    frame   BIGINT NOT NULL,
    pts_us  BIGINT NOT NULL,
    mono_us BIGINT NOT NULL,
    utc_us  BIGINT NOT NULL,
    clock   TEXT   NOT NULL,
    PRIMARY KEY (rig, boot, clip, seq),
    FOREIGN KEY (rig, boot, seq) REFERENCES messages (rig, boot, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

-- Where the rig began to leave out more or less, as a JSON array, as on the wire.
ALTER TABLE manifest_parts ADD COLUMN shed TEXT NOT NULL DEFAULT '[]';

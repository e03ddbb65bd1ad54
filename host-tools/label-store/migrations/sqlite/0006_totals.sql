-- Which tracks labels of a clip name, as the rig numbered them: counting them in a million labels takes a second.
CREATE TABLE clip_tracks (
    rig   TEXT   NOT NULL,
    boot  BIGINT NOT NULL,
    clip  BIGINT NOT NULL,
    track BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip, track),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
INSERT INTO clip_tracks (rig, boot, clip, track)
SELECT DISTINCT rig, boot, clip, track FROM labels WHERE track IS NOT NULL;

-- Which labels overlap some frames is asked whenever a flag comes: the index answers alone.
DROP INDEX labels_by_clip;
CREATE INDEX labels_by_clip ON labels (rig, boot, clip, kind, state, start_frame, end_frame);

-- As label_counts, whatever labels were seen under: there are many more groups there, and few ask for them.
CREATE TABLE label_totals (
    rig    TEXT   NOT NULL,
    boot   BIGINT NOT NULL,
    clip   BIGINT NOT NULL,
    kind   TEXT   NOT NULL,
    state  TEXT   NOT NULL,
    model  BIGINT NOT NULL,
    labels BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip, kind, state, model),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
INSERT INTO label_totals (rig, boot, clip, kind, state, model, labels)
SELECT rig, boot, clip, kind, state, model, sum(labels) FROM label_counts WHERE labels > 0
 GROUP BY rig, boot, clip, kind, state, model;

-- Quality, counted. Everything here follows from labels and verdicts and can be counted anew: mark every clip stale.

-- Clips that changed since they were counted; `mark` grows with each change, so that one during counting is not missed.
CREATE TABLE quality_stale (
    rig  TEXT   NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    mark BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip)
);
INSERT INTO quality_stale (rig, boot, clip, mark) SELECT rig, boot, clip, 1 FROM clips;

CREATE TABLE quality_clips (
    clip_id   INTEGER NOT NULL PRIMARY KEY,
    rig       TEXT    NOT NULL,
    boot      BIGINT  NOT NULL,
    clip      BIGINT  NOT NULL,
    -- When its first labels came.
    began_us  BIGINT  NOT NULL,
    UNIQUE (rig, boot, clip)
);

-- Candidates of a clip by what they share; `bin` is their confidence in twentieths.
CREATE TABLE quality_cells (
    clip_id         BIGINT NOT NULL REFERENCES quality_clips (clip_id),
    rig             TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    model           TEXT   NOT NULL,
    glasses         TEXT   NOT NULL,
    light           TEXT   NOT NULL,
    distance        TEXT   NOT NULL,
    bin             BIGINT NOT NULL,
    offered         BIGINT NOT NULL,
    accepted        BIGINT NOT NULL,
    corrected_right BIGINT NOT NULL,
    corrected_wrong BIGINT NOT NULL,
    rejected        BIGINT NOT NULL,
    cannot_tell     BIGINT NOT NULL,
    -- Sum over those that were judged and could be told.
    confidence      DOUBLE PRECISION NOT NULL,
    -- Frames by which starts and ends of events were moved, summed.
    boundary        BIGINT NOT NULL,
    PRIMARY KEY (kind, model, rig, clip_id, glasses, light, distance, bin)
);
CREATE INDEX quality_cells_by_clip ON quality_cells (clip_id);

-- Frames of tracks (of the scene: of the clip) with a value (no reason) and without one.
CREATE TABLE quality_coverage (
    clip_id BIGINT NOT NULL REFERENCES quality_clips (clip_id),
    rig     TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    frames  BIGINT NOT NULL,
    PRIMARY KEY (clip_id, kind, reason)
);

-- How long items were looked at, in bins of 5 %.
CREATE TABLE quality_seconds (
    rig   TEXT   NOT NULL,
    kind  TEXT   NOT NULL,
    act   TEXT   NOT NULL,
    bin   BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (kind, act, rig, bin)
);

-- How far the verdicts are counted.
CREATE TABLE quality_progress (
    what TEXT   NOT NULL PRIMARY KEY,
    upto BIGINT NOT NULL
);
INSERT INTO quality_progress (what, upto) VALUES ('verdicts', 0);

-- What each run of a rig was made of.
CREATE TABLE births (
    rig      TEXT   NOT NULL REFERENCES rigs (rig),
    boot     BIGINT NOT NULL,
    heard_us BIGINT NOT NULL,
    json     TEXT   NOT NULL,
    PRIMARY KEY (rig, boot)
);
INSERT INTO births (rig, boot, heard_us, json) SELECT rig, boot, heard_us, json FROM rig_states WHERE topic = 'birth';

-- Second looks: candidates that are answered before they are seen, samples of silence, and items shown again. Docs:
-- docs/reference/store.md. The table of labels is made anew because its states change.

CREATE TABLE labels_anew (
    rig          TEXT   NOT NULL,
    boot         BIGINT NOT NULL,
    -- Of a label that a person made: minus its number at the desk. No message carried it.
    seq          BIGINT NOT NULL,
    n            BIGINT NOT NULL,
    clip         BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    track        BIGINT,
    start_frame  BIGINT NOT NULL,
    end_frame    BIGINT NOT NULL,
    start_pts_us BIGINT NOT NULL,
    end_pts_us   BIGINT NOT NULL,
    decision     TEXT   NOT NULL CHECK (decision IN ('candidate', 'abstain', 'made')),
    reason       TEXT,
    confidence   DOUBLE PRECISION,
    raw          DOUBLE PRECISION,
    model        BIGINT REFERENCES models (model),
    value        TEXT,
    signs        TEXT,
    driver       BOOLEAN NOT NULL DEFAULT FALSE,
    -- What follows is derived, in the transaction of what it derives from. `blind`: waits to be answered from scratch, and
    -- nobody is shown it before.
    state        TEXT CHECK (state IN ('blind', 'waiting', 'accepted', 'corrected', 'rejected', 'created', 'removed')),
    standing     BIGINT,
    correction   TEXT,
    sure         DOUBLE PRECISION NOT NULL DEFAULT 2,
    gain         DOUBLE PRECISION NOT NULL DEFAULT 0,
    conditions   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (rig, boot, seq, n),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip),
    CHECK ((decision = 'abstain') = (state IS NULL)),
    CHECK ((decision = 'made') = (seq < 0))
);
INSERT INTO labels_anew (rig, boot, seq, n, clip, kind, track, start_frame, end_frame, start_pts_us, end_pts_us, decision,
    reason, confidence, raw, model, value, signs, driver, state, standing, correction, sure, gain, conditions)
SELECT rig, boot, seq, n, clip, kind, track, start_frame, end_frame, start_pts_us, end_pts_us, decision,
    reason, confidence, raw, model, value, signs, driver, state, standing, correction, sure, gain, conditions
FROM labels;
DROP TABLE labels;
ALTER TABLE labels_anew RENAME TO labels;
CREATE INDEX labels_by_clip ON labels (rig, boot, clip, kind, state, start_frame, end_frame);
CREATE INDEX labels_by_doubt ON labels (state, kind, sure, rig, boot, seq, n, clip, model, conditions);
CREATE INDEX labels_by_gain ON labels (state, kind, gain DESC, rig, boot, seq, n, clip, model, conditions, sure);
CREATE UNIQUE INDEX labels_made ON labels (seq) WHERE seq < 0;

-- Which items are drawn follows from the seed and their names (docs/review-rules.md). The last row holds for what comes
-- after it; rows are only added.
CREATE TABLE sample_rules (
    entry      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us      BIGINT  NOT NULL,
    decided_by TEXT    NOT NULL,
    version    BIGINT  NOT NULL,
    seed       BIGINT  NOT NULL,
    shares     TEXT    NOT NULL
);

-- What was drawn, and what a disagreement asks for (`second`, which no rule draws).
CREATE TABLE looks (
    look        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    sort        TEXT    NOT NULL CHECK (sort IN ('blind', 'silence', 'self', 'other', 'second')),
    -- The name that the rule was asked of.
    item        TEXT    NOT NULL,
    rule        BIGINT  REFERENCES sample_rules (entry),
    -- Its place in the order of answering, from the same digest.
    place       BIGINT  NOT NULL,
    rig         TEXT    NOT NULL,
    boot        BIGINT  NOT NULL,
    clip        BIGINT  NOT NULL,
    -- The label looked at; null where nothing was said at all.
    seq         BIGINT,
    n           BIGINT,
    kind        TEXT    NOT NULL,
    track       BIGINT,
    -- The frames that are asked about.
    start_frame BIGINT  NOT NULL,
    end_frame   BIGINT  NOT NULL,
    -- The only one who may answer: of `self`.
    asked_of    TEXT,
    -- The verdict that it is held against: of `self` and `other`.
    about       BIGINT  REFERENCES verdicts (verdict),
    due_us      BIGINT  NOT NULL,
    -- Derived: an answer stands, or none is wanted any more.
    done        BIGINT  NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
    UNIQUE (sort, item),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX looks_waiting ON looks (done, place);
CREATE INDEX looks_by_label ON looks (rig, boot, seq, n);
CREATE INDEX looks_by_clip ON looks (rig, boot, clip);

-- What people said from scratch. Rows are only added; `withdraw` is undo.
CREATE TABLE answers (
    answer   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    look     BIGINT  NOT NULL REFERENCES looks (look),
    said     TEXT    NOT NULL CHECK (said IN ('here', 'nothing', 'cannot-tell', 'withdraw')),
    -- Frames and value of `here`, as JSON.
    reading  TEXT,
    -- The number of the label that it made: of `silence`.
    made     BIGINT,
    reviewer TEXT    NOT NULL,
    at_us    BIGINT  NOT NULL,
    spent_ms BIGINT  NOT NULL,
    replaces BIGINT  REFERENCES answers (answer)
);
CREATE INDEX answers_by_look ON answers (look, answer);

-- Review of every kind: labels that a person made, what stands after the verdicts, and what the queue sorts by.
-- The tables are made anew because their checks change; the host brings tables up to date with foreign keys off, and
-- looks afterwards that none points nowhere.

-- What a verdict is expected to take: seconds to accept a right label, and to correct or reject a wrong one. The first
-- figures are assumptions; measured ones replace them (`LabelStore::set_review_seconds`).
CREATE TABLE review_seconds (
    kind     TEXT NOT NULL PRIMARY KEY,
    accept_s DOUBLE PRECISION NOT NULL CHECK (accept_s > 0),
    fix_s    DOUBLE PRECISION NOT NULL CHECK (fix_s > 0)
);
INSERT INTO review_seconds (kind, accept_s, fix_s) VALUES
    ('bbox-person', 4, 25), ('keypoint-left-eye', 4, 20), ('keypoint-right-eye', 4, 20),
    ('wearing-glasses', 2, 4), ('in-shadow', 2, 4), ('face-occluded', 2, 4), ('light-change', 2, 4),
    ('alertness', 4, 6), ('video-quality', 3, 5), ('blink', 3, 9), ('long-closure', 3, 9);

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
    -- What follows is derived, in the transaction of what it derives from.
    state        TEXT CHECK (state IN ('waiting', 'accepted', 'corrected', 'rejected', 'created', 'removed')),
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
    reason, confidence, raw, model, value, signs, driver, state, standing, sure, gain)
SELECT rig, boot, seq, n, clip, l.kind, track, start_frame, end_frame, start_pts_us, end_pts_us, decision,
    reason, confidence, raw, model, value, signs, driver, state,
    (SELECT CASE WHEN v.judgement <> 'withdraw' THEN v.verdict
                 ELSE (SELECT w.replaces FROM verdicts w WHERE w.verdict = v.replaces) END
       FROM verdicts v WHERE v.rig = l.rig AND v.boot = l.boot AND v.seq = l.seq AND v.n = l.n
       ORDER BY v.verdict DESC LIMIT 1),
    coalesce(confidence, 2),
    CASE WHEN decision = 'candidate' AND confidence IS NOT NULL
         THEN 240 * confidence * (1 - confidence) / (confidence * s.accept_s + (1 - confidence) * s.fix_s) ELSE 0 END
FROM labels l JOIN review_seconds s ON s.kind = l.kind;
UPDATE labels_anew SET correction = (SELECT v.correction FROM verdicts v WHERE v.verdict = standing)
 WHERE state = 'corrected';
DROP TABLE labels;
ALTER TABLE labels_anew RENAME TO labels;
CREATE INDEX labels_by_clip ON labels (rig, boot, clip, kind, state, start_frame);
CREATE INDEX labels_by_doubt ON labels (state, kind, sure, rig, boot, seq, n, clip, model, conditions);
CREATE INDEX labels_by_gain ON labels (state, kind, gain DESC, rig, boot, seq, n, clip, model, conditions, sure);
CREATE UNIQUE INDEX labels_made ON labels (seq) WHERE seq < 0;

-- What a label was seen under: bits of `label_store::Condition`, from the flags that overlap it on its track.
UPDATE labels SET conditions = coalesce((
    SELECT sum(bit) FROM (
        SELECT DISTINCT CASE
            WHEN c.kind = 'wearing-glasses' THEN CASE c.value WHEN '{"flag":true}' THEN 1 ELSE 2 END
            WHEN c.kind = 'in-shadow' THEN CASE c.value WHEN '{"flag":true}' THEN 4 ELSE 8 END
            WHEN c.kind = 'face-occluded' THEN CASE c.value WHEN '{"flag":true}' THEN 16 ELSE 32 END
            ELSE CASE c.value WHEN '{"flag":true}' THEN 64 ELSE 128 END END AS bit
        FROM labels c
        WHERE c.rig = labels.rig AND c.boot = labels.boot AND c.clip = labels.clip
          AND c.kind IN ('wearing-glasses', 'in-shadow', 'face-occluded', 'light-change')
          AND c.state IN ('waiting', 'accepted')
          AND (c.track IS NULL OR c.track = labels.track)
          AND c.start_frame <= labels.end_frame AND c.end_frame >= labels.start_frame)), 0)
 WHERE decision = 'candidate';

-- How many labels there are of each sort: totals of the queue, and where to look for them. `model` is 0 where there is
-- none; `state` is 'abstained' for abstentions.
CREATE TABLE label_counts (
    rig        TEXT   NOT NULL,
    boot       BIGINT NOT NULL,
    clip       BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    model      BIGINT NOT NULL,
    conditions BIGINT NOT NULL,
    labels     BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip, kind, state, model, conditions),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
INSERT INTO label_counts (rig, boot, clip, kind, state, model, conditions, labels)
SELECT rig, boot, clip, kind, coalesce(state, 'abstained'), coalesce(model, 0), conditions, count(*) FROM labels
 GROUP BY rig, boot, clip, kind, coalesce(state, 'abstained'), coalesce(model, 0), conditions;

-- `create` begins a label that a person made; `restore` is how redo is written, as `withdraw` is undo. Verdicts given
-- at once share a batch, which is the number of the first of them.
CREATE TABLE verdicts_anew (
    verdict    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    rig        TEXT    NOT NULL,
    boot       BIGINT  NOT NULL,
    seq        BIGINT  NOT NULL,
    n          BIGINT  NOT NULL,
    judgement  TEXT    NOT NULL
        CHECK (judgement IN ('create', 'accept', 'correct', 'reject', 'withdraw', 'restore')),
    cause      TEXT,
    correction TEXT,
    reviewer   TEXT    NOT NULL,
    at_us      BIGINT  NOT NULL,
    spent_ms   BIGINT  NOT NULL,
    replaces   BIGINT REFERENCES verdicts (verdict),
    batch      BIGINT,
    FOREIGN KEY (rig, boot, seq, n) REFERENCES labels (rig, boot, seq, n)
);
INSERT INTO verdicts_anew (verdict, rig, boot, seq, n, judgement, cause, correction, reviewer, at_us, spent_ms, replaces)
SELECT verdict, rig, boot, seq, n, judgement, cause, correction, reviewer, at_us, spent_ms, replaces FROM verdicts;
DROP TABLE verdicts;
ALTER TABLE verdicts_anew RENAME TO verdicts;
CREATE INDEX verdicts_by_label ON verdicts (rig, boot, seq, n, verdict);
CREATE INDEX verdicts_by_batch ON verdicts (batch) WHERE batch IS NOT NULL;

-- Requests that were answered: the same key again is answered and not recorded again. Old ones are forgotten.
CREATE TABLE request_keys (
    request_key TEXT   NOT NULL PRIMARY KEY,
    request     BLOB   NOT NULL,
    answer      BIGINT,
    at_us       BIGINT NOT NULL
);
CREATE INDEX request_keys_by_age ON request_keys (at_us);

-- What a person said of tracks. Rows are only added: `withdraw` and `restore` name in `replaces` the edit they take
-- back or bring back.
CREATE TABLE track_edits (
    edit       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    rig        TEXT    NOT NULL,
    boot       BIGINT  NOT NULL,
    clip       BIGINT  NOT NULL,
    verb       TEXT    NOT NULL CHECK (verb IN ('split', 'merge', 'withdraw', 'restore')),
    track      BIGINT,
    into_track BIGINT,
    frame      BIGINT,
    reviewer   TEXT    NOT NULL,
    at_us      BIGINT  NOT NULL,
    spent_ms   BIGINT  NOT NULL,
    replaces   BIGINT REFERENCES track_edits (edit),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX track_edits_by_clip ON track_edits (rig, boot, clip, edit);

-- Where two people disagree on a label: a second reviewer, then a lead. One row a label; the state follows from verdicts,
-- answers and decisions. docs/reference/store.md.
CREATE TABLE cases (
    rig        TEXT   NOT NULL,
    boot       BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('second', 'lead', 'settled', 'decided', 'void')),
    -- The look whose answer differs from the verdict that stands.
    dissent    BIGINT NOT NULL REFERENCES looks (look),
    opened_us  BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, seq, n),
    FOREIGN KEY (rig, boot, seq, n) REFERENCES labels (rig, boot, seq, n)
);
CREATE INDEX cases_by_state ON cases (state, opened_us);

-- What leads decided. Rows are only added; `withdraw` is undo.
CREATE TABLE decisions (
    decision INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    rig      TEXT    NOT NULL,
    boot     BIGINT  NOT NULL,
    seq      BIGINT  NOT NULL,
    n        BIGINT  NOT NULL,
    choice   TEXT    NOT NULL CHECK (choice IN ('verdict', 'dissent', 'second', 'cannot-tell', 'withdraw')),
    -- The verdict that stood before, and the one that the decision gave; null where it let that one stand.
    stood    BIGINT  REFERENCES verdicts (verdict),
    made     BIGINT  REFERENCES verdicts (verdict),
    reviewer TEXT    NOT NULL,
    at_us    BIGINT  NOT NULL,
    spent_ms BIGINT  NOT NULL,
    replaces BIGINT  REFERENCES decisions (decision),
    FOREIGN KEY (rig, boot, seq, n) REFERENCES labels (rig, boot, seq, n)
);
CREATE INDEX decisions_by_label ON decisions (rig, boot, seq, n, decision);

-- Agreement, counted by clip like quality: of looks of a sort, and `seen`: candidates judged in the ordinary way.
CREATE TABLE quality_looks (
    clip_id BIGINT NOT NULL REFERENCES quality_clips (clip_id),
    rig     TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    sort    TEXT   NOT NULL,
    agreed  BIGINT NOT NULL,
    told    BIGINT NOT NULL,
    untold  BIGINT NOT NULL,
    -- Pairs of yes and no: both yes, both no, one of each.
    yes     BIGINT NOT NULL,
    no      BIGINT NOT NULL,
    split   BIGINT NOT NULL,
    PRIMARY KEY (kind, sort, rig, clip_id)
);
CREATE INDEX quality_looks_by_clip ON quality_looks (clip_id);
INSERT INTO quality_stale (rig, boot, clip, mark) SELECT rig, boot, clip, 1 FROM clips WHERE TRUE
ON CONFLICT (rig, boot, clip) DO UPDATE SET mark = quality_stale.mark + 1;

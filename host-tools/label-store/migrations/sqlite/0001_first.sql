-- The store of one desk. docs/reference/store.md explains every table; times are microseconds since 1970 (UTC).
-- Written so that the same statements serve PostgreSQL: BIGINT and TEXT only, BLOB becomes BYTEA there, and the two
-- surrogate keys (models.model, verdicts.verdict, quarantine.entry) become identity columns.

CREATE TABLE rigs (
    rig           TEXT   NOT NULL PRIMARY KEY,
    site          TEXT   NOT NULL,
    first_seen_us BIGINT NOT NULL,
    last_seen_us  BIGINT NOT NULL
);

-- What a rig said last about itself. Each of the three carries the boot it spoke of: a late word of an earlier boot
-- does not overwrite a later one.
CREATE TABLE rig_states (
    rig        TEXT   NOT NULL REFERENCES rigs (rig),
    topic      TEXT   NOT NULL CHECK (topic IN ('status', 'birth', 'health')),
    boot       BIGINT NOT NULL,
    json       TEXT   NOT NULL,
    heard_us   BIGINT NOT NULL,
    PRIMARY KEY (rig, topic)
);

CREATE TABLE boots (
    rig       TEXT   NOT NULL REFERENCES rigs (rig),
    boot      BIGINT NOT NULL,
    watermark BIGINT NOT NULL DEFAULT 0,
    highest   BIGINT NOT NULL DEFAULT 0,
    heard_us  BIGINT NOT NULL,
    PRIMARY KEY (rig, boot)
);

-- One row a durable message: this is what makes replay harmless.
CREATE TABLE messages (
    rig         TEXT   NOT NULL,
    boot        BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    topic       TEXT   NOT NULL,
    sha256      BLOB   NOT NULL,
    bytes       BIGINT NOT NULL,
    received_us BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, seq),
    FOREIGN KEY (rig, boot) REFERENCES boots (rig, boot)
);

-- Ranges that a rig gave up for want of room or lost to damage. They count as present for the watermark.
CREATE TABLE evictions (
    rig       TEXT   NOT NULL,
    boot      BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq  BIGINT NOT NULL,
    labels    BIGINT NOT NULL,
    evidence  BIGINT NOT NULL,
    said_boot BIGINT NOT NULL,
    said_seq  BIGINT NOT NULL,
    PRIMARY KEY (rig, said_boot, said_seq),
    FOREIGN KEY (rig, boot) REFERENCES boots (rig, boot)
);
CREATE INDEX evictions_by_range ON evictions (rig, boot, last_seq);

-- A clip exists as soon as anything speaks of it; opened_seq and closed_seq say which ends were heard.
CREATE TABLE clips (
    rig         TEXT   NOT NULL,
    boot        BIGINT NOT NULL,
    clip        BIGINT NOT NULL,
    opened_seq  BIGINT,
    name        TEXT,
    width       BIGINT,
    height      BIGINT,
    nominal_fps DOUBLE PRECISION,
    codec       TEXT,
    mono_us     BIGINT,
    utc_us      BIGINT,
    clock       TEXT,
    closed_seq  BIGINT,
    frames      BIGINT,
    repeated    BIGINT,
    dropped     BIGINT,
    sha256      TEXT,
    damage      TEXT,
    offered     BIGINT,
    abstained   BIGINT,
    evidence    BIGINT,
    PRIMARY KEY (rig, boot, clip),
    FOREIGN KEY (rig, boot) REFERENCES boots (rig, boot)
);

-- Times of successive frames, as they came: JSON arrays, as on the wire.
CREATE TABLE manifest_parts (
    rig         TEXT   NOT NULL,
    boot        BIGINT NOT NULL,
    clip        BIGINT NOT NULL,
    first_frame BIGINT NOT NULL,
    frames      BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    pts_us      TEXT   NOT NULL,
    mono_us     TEXT   NOT NULL,
    repeats     TEXT   NOT NULL,
    dropped     TEXT   NOT NULL,
    PRIMARY KEY (rig, boot, clip, first_frame, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

CREATE TABLE models (
    model   INTEGER NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL,
    version TEXT    NOT NULL,
    sha256  TEXT    NOT NULL,
    UNIQUE (name, version, sha256)
);

CREATE TABLE labels (
    rig          TEXT   NOT NULL,
    boot         BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    n            BIGINT NOT NULL,
    clip         BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    track        BIGINT,
    start_frame  BIGINT NOT NULL,
    end_frame    BIGINT NOT NULL,
    start_pts_us BIGINT NOT NULL,
    end_pts_us   BIGINT NOT NULL,
    decision     TEXT   NOT NULL CHECK (decision IN ('candidate', 'abstain')),
    reason       TEXT,
    confidence   DOUBLE PRECISION,
    raw          DOUBLE PRECISION,
    model        BIGINT REFERENCES models (model),
    value        TEXT,
    -- Of candidates only: what the last verdict that stands says. Written in the transaction of the verdict.
    state        TEXT CHECK (state IN ('waiting', 'accepted', 'corrected', 'rejected')),
    PRIMARY KEY (rig, boot, seq, n),
    FOREIGN KEY (rig, boot, seq) REFERENCES messages (rig, boot, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip),
    CHECK ((decision = 'candidate') = (state IS NOT NULL))
);
CREATE INDEX labels_by_clip ON labels (rig, boot, clip, kind, start_frame);
CREATE INDEX labels_by_state ON labels (kind, state);

-- Evidence may arrive before its label: no key ties them.
CREATE TABLE evidence (
    rig       TEXT   NOT NULL,
    boot      BIGINT NOT NULL,
    seq       BIGINT NOT NULL,
    clip      BIGINT NOT NULL,
    label_seq BIGINT NOT NULL,
    label_n   BIGINT NOT NULL,
    header    TEXT   NOT NULL,
    jpeg      BLOB   NOT NULL,
    PRIMARY KEY (rig, boot, seq),
    FOREIGN KEY (rig, boot, seq) REFERENCES messages (rig, boot, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX evidence_by_label ON evidence (rig, boot, label_seq, label_n);
CREATE INDEX evidence_by_clip ON evidence (rig, boot, clip);

-- Append-only: every verdict stays, with what it replaced. `withdraw` is how undo is written.
CREATE TABLE verdicts (
    verdict    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    rig        TEXT    NOT NULL,
    boot       BIGINT  NOT NULL,
    seq        BIGINT  NOT NULL,
    n          BIGINT  NOT NULL,
    judgement  TEXT    NOT NULL CHECK (judgement IN ('accept', 'correct', 'reject', 'withdraw')),
    cause      TEXT,
    correction TEXT,
    reviewer   TEXT    NOT NULL,
    at_us      BIGINT  NOT NULL,
    spent_ms   BIGINT  NOT NULL,
    replaces   BIGINT REFERENCES verdicts (verdict),
    FOREIGN KEY (rig, boot, seq, n) REFERENCES labels (rig, boot, seq, n)
);
CREATE INDEX verdicts_by_label ON verdicts (rig, boot, seq, n, verdict);

-- What came and could not be taken as it was. The same bytes on the same topic are one row, counted.
CREATE TABLE quarantine (
    entry     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    topic     TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    rig       TEXT,
    boot      BIGINT,
    seq       BIGINT,
    sha256    BLOB    NOT NULL,
    bytes     BIGINT  NOT NULL,
    payload   BLOB    NOT NULL,
    times     BIGINT  NOT NULL,
    first_us  BIGINT  NOT NULL,
    last_us   BIGINT  NOT NULL,
    UNIQUE (topic, sha256)
);

-- What the desk decided of each rig and kind. Rows are only added; a revert is a row, too.
CREATE TABLE policy_steps (
    step      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us     BIGINT  NOT NULL,
    rig       TEXT    NOT NULL REFERENCES rigs (rig),
    kind      TEXT    NOT NULL,
    action    TEXT    NOT NULL CHECK (action IN ('demote', 'trial', 'restore', 'threshold', 'decline', 'revert')),
    threshold DOUBLE PRECISION,
    model     TEXT    NOT NULL,
    decided_by TEXT   NOT NULL,
    automatic BOOLEAN NOT NULL,
    words     TEXT    NOT NULL,
    evidence  TEXT    NOT NULL,
    -- The step that a revert takes back.
    about     BIGINT REFERENCES policy_steps (step)
);
CREATE INDEX policy_steps_by_rig ON policy_steps (rig, kind, step);

-- Within what the desk may act; the last row holds.
CREATE TABLE policy_rules (
    entry      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us      BIGINT  NOT NULL,
    decided_by TEXT    NOT NULL,
    rules      TEXT    NOT NULL
);

-- Calibration files that the desk knows: shipped, handed in, or fitted here.
CREATE TABLE calibrations (
    entry      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us      BIGINT  NOT NULL,
    decided_by TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    sha256     TEXT    NOT NULL UNIQUE,
    text       TEXT    NOT NULL,
    -- The file it was fitted from, and what was fitted, as JSON; null for one that was handed in.
    base       TEXT,
    fitted     TEXT
);

-- How rigs fared: at most one row a rig and minute, of the last seven days.
CREATE TABLE health_history (
    rig             TEXT   NOT NULL REFERENCES rigs (rig),
    heard_us        BIGINT NOT NULL,
    boot            BIGINT NOT NULL,
    outbox_messages BIGINT NOT NULL,
    outbox_bytes    BIGINT NOT NULL,
    processed       BIGINT NOT NULL,
    dropped         BIGINT NOT NULL,
    temperature_c   DOUBLE PRECISION,
    latency_ms      DOUBLE PRECISION,
    disk_free_mib   BIGINT,
    clock           TEXT   NOT NULL,
    PRIMARY KEY (rig, heard_us)
);

-- What came lately is asked for every second.
CREATE INDEX messages_by_time ON messages (received_us);

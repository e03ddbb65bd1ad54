-- The store of one desk on PostgreSQL: what migrations/sqlite came to, up to the same number. From here on each file has
-- one of the same name there, and a test holds tables and columns equal. docs/reference/store.md explains every table;
-- times are microseconds since 1970 (UTC). Text compares by its bytes, as on SQLite, whatever the database's locale.

-- The sum of 64-bit integers is one, too, as on SQLite; the built-in sum is NUMERIC. This schema is searched first.
CREATE AGGREGATE sum(BIGINT) (SFUNC = int8pl, STYPE = BIGINT, COMBINEFUNC = int8pl, PARALLEL = SAFE);

CREATE TABLE rigs (
    rig TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    site TEXT COLLATE "C" NOT NULL,
    first_seen_us BIGINT NOT NULL,
    last_seen_us BIGINT NOT NULL
);

CREATE TABLE rig_states (
    rig TEXT COLLATE "C" NOT NULL REFERENCES rigs (rig),
    topic TEXT COLLATE "C" NOT NULL CHECK (topic IN ('status', 'birth', 'health')),
    boot BIGINT NOT NULL,
    json TEXT COLLATE "C" NOT NULL,
    heard_us BIGINT NOT NULL,
    PRIMARY KEY (rig, topic)
);

CREATE TABLE boots (
    rig TEXT COLLATE "C" NOT NULL REFERENCES rigs (rig),
    boot BIGINT NOT NULL,
    watermark BIGINT NOT NULL DEFAULT 0,
    highest BIGINT NOT NULL DEFAULT 0,
    heard_us BIGINT NOT NULL,
    PRIMARY KEY (rig, boot)
);

CREATE TABLE messages (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    sha256 BYTEA NOT NULL,
    bytes BIGINT NOT NULL,
    received_us BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, seq),
    FOREIGN KEY (rig, boot) REFERENCES boots (rig, boot)
);
CREATE INDEX messages_by_time ON messages (received_us);

CREATE TABLE evictions (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    labels BIGINT NOT NULL,
    evidence BIGINT NOT NULL,
    said_boot BIGINT NOT NULL,
    said_seq BIGINT NOT NULL,
    PRIMARY KEY (rig, said_boot, said_seq),
    FOREIGN KEY (rig, boot) REFERENCES boots (rig, boot)
);
CREATE INDEX evictions_by_range ON evictions (rig, boot, last_seq);

CREATE TABLE clips (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    opened_seq BIGINT,
    name TEXT COLLATE "C",
    width BIGINT,
    height BIGINT,
    nominal_fps DOUBLE PRECISION,
    codec TEXT COLLATE "C",
    mono_us BIGINT,
    utc_us BIGINT,
    clock TEXT COLLATE "C",
    closed_seq BIGINT,
    frames BIGINT,
    repeated BIGINT,
    dropped BIGINT,
    sha256 TEXT COLLATE "C",
    damage TEXT COLLATE "C",
    offered BIGINT,
    abstained BIGINT,
    evidence BIGINT,
    PRIMARY KEY (rig, boot, clip),
    FOREIGN KEY (rig, boot) REFERENCES boots (rig, boot)
);

CREATE TABLE manifest_parts (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    first_frame BIGINT NOT NULL,
    frames BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    pts_us TEXT COLLATE "C" NOT NULL,
    mono_us TEXT COLLATE "C" NOT NULL,
    repeats TEXT COLLATE "C" NOT NULL,
    dropped TEXT COLLATE "C" NOT NULL, shed TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    PRIMARY KEY (rig, boot, clip, first_frame, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

CREATE TABLE models (
    model BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    UNIQUE (name, version, sha256)
);

CREATE TABLE evidence (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    label_seq BIGINT NOT NULL,
    label_n BIGINT NOT NULL,
    header TEXT COLLATE "C" NOT NULL,
    jpeg BYTEA NOT NULL,
    PRIMARY KEY (rig, boot, seq),
    FOREIGN KEY (rig, boot, seq) REFERENCES messages (rig, boot, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX evidence_by_label ON evidence (rig, boot, label_seq, label_n);
CREATE INDEX evidence_by_clip ON evidence (rig, boot, clip);

CREATE TABLE quarantine (
    entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    rig TEXT COLLATE "C",
    boot BIGINT,
    seq BIGINT,
    sha256 BYTEA NOT NULL,
    bytes BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    times BIGINT NOT NULL,
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    UNIQUE (topic, sha256)
);

CREATE TABLE operator_marks (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    frame BIGINT NOT NULL,
    pts_us BIGINT NOT NULL,
    mono_us BIGINT NOT NULL,
    utc_us BIGINT NOT NULL,
    clock TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (rig, boot, clip, seq),
    FOREIGN KEY (rig, boot, seq) REFERENCES messages (rig, boot, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

CREATE TABLE pictures (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    frame BIGINT NOT NULL,
    pts_us BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    of_width BIGINT NOT NULL,
    of_height BIGINT NOT NULL,
    jpeg BYTEA NOT NULL,
    PRIMARY KEY (rig, boot, seq),
    FOREIGN KEY (rig, boot, seq) REFERENCES messages (rig, boot, seq),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX pictures_by_clip ON pictures (rig, boot, clip, frame);

CREATE TABLE review_seconds (
    kind TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    accept_s DOUBLE PRECISION NOT NULL CHECK (accept_s > 0),
    fix_s DOUBLE PRECISION NOT NULL CHECK (fix_s > 0)
);

CREATE TABLE label_counts (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    model BIGINT NOT NULL,
    conditions BIGINT NOT NULL,
    labels BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip, kind, state, model, conditions),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX label_counts_by_sort ON label_counts (state, kind, conditions, labels);

CREATE TABLE request_keys (
    request_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    request BYTEA NOT NULL,
    answer BIGINT,
    at_us BIGINT NOT NULL
);
CREATE INDEX request_keys_by_age ON request_keys (at_us);

CREATE TABLE track_edits (
    edit BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    verb TEXT COLLATE "C" NOT NULL CHECK (verb IN ('split', 'merge', 'withdraw', 'restore')),
    track BIGINT,
    into_track BIGINT,
    frame BIGINT,
    reviewer TEXT COLLATE "C" NOT NULL,
    at_us BIGINT NOT NULL,
    spent_ms BIGINT NOT NULL,
    replaces BIGINT REFERENCES track_edits (edit),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX track_edits_by_clip ON track_edits (rig, boot, clip, edit);

CREATE TABLE clip_tracks (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    track BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip, track),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

CREATE TABLE label_totals (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    model BIGINT NOT NULL,
    labels BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip, kind, state, model),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);

CREATE TABLE quality_stale (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    mark BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, clip)
);

CREATE TABLE quality_clips (
    clip_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    -- When its first labels came.
    began_us BIGINT NOT NULL,
    UNIQUE (rig, boot, clip)
);

CREATE TABLE quality_cells (
    clip_id BIGINT NOT NULL REFERENCES quality_clips (clip_id),
    rig TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    glasses TEXT COLLATE "C" NOT NULL,
    light TEXT COLLATE "C" NOT NULL,
    distance TEXT COLLATE "C" NOT NULL,
    bin BIGINT NOT NULL,
    offered BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    corrected_right BIGINT NOT NULL,
    corrected_wrong BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    cannot_tell BIGINT NOT NULL,
    -- Sum over those that were judged and could be told.
    confidence DOUBLE PRECISION NOT NULL,
    -- Frames by which starts and ends of events were moved, summed.
    boundary BIGINT NOT NULL,
    PRIMARY KEY (kind, model, rig, clip_id, glasses, light, distance, bin)
);
CREATE INDEX quality_cells_by_clip ON quality_cells (clip_id);

CREATE TABLE quality_coverage (
    clip_id BIGINT NOT NULL REFERENCES quality_clips (clip_id),
    rig TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    frames BIGINT NOT NULL,
    PRIMARY KEY (clip_id, kind, reason)
);

CREATE TABLE quality_seconds (
    rig TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    bin BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (kind, act, rig, bin)
);

CREATE TABLE quality_progress (
    what TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    upto BIGINT NOT NULL
);

CREATE TABLE births (
    rig TEXT COLLATE "C" NOT NULL REFERENCES rigs (rig),
    boot BIGINT NOT NULL,
    heard_us BIGINT NOT NULL,
    json TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (rig, boot)
);

CREATE TABLE policy_steps (
    step BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us BIGINT NOT NULL,
    rig TEXT COLLATE "C" NOT NULL REFERENCES rigs (rig),
    kind TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL CHECK (action IN ('demote', 'trial', 'restore', 'threshold', 'decline', 'revert')),
    threshold DOUBLE PRECISION,
    model TEXT COLLATE "C" NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL,
    automatic BOOLEAN NOT NULL,
    words TEXT COLLATE "C" NOT NULL,
    evidence TEXT COLLATE "C" NOT NULL,
    -- The step that a revert takes back.
    about BIGINT REFERENCES policy_steps (step)
);
CREATE INDEX policy_steps_by_rig ON policy_steps (rig, kind, step);

CREATE TABLE policy_rules (
    entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us BIGINT NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL,
    rules TEXT COLLATE "C" NOT NULL
);

CREATE TABLE calibrations (
    entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us BIGINT NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL UNIQUE,
    text TEXT COLLATE "C" NOT NULL,
    -- The file it was fitted from, and what was fitted, as JSON; null for one that was handed in.
    base TEXT COLLATE "C",
    fitted TEXT COLLATE "C"
);

CREATE TABLE health_history (
    rig TEXT COLLATE "C" NOT NULL REFERENCES rigs (rig),
    heard_us BIGINT NOT NULL,
    boot BIGINT NOT NULL,
    outbox_messages BIGINT NOT NULL,
    outbox_bytes BIGINT NOT NULL,
    processed BIGINT NOT NULL,
    dropped BIGINT NOT NULL,
    temperature_c DOUBLE PRECISION,
    latency_ms DOUBLE PRECISION,
    disk_free_mib BIGINT,
    clock TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (rig, heard_us)
);

CREATE TABLE users (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('reviewer', 'lead', 'administrator')),
    -- Argon2id as a PHC string.
    password TEXT COLLATE "C" NOT NULL,
    locked BIGINT NOT NULL CHECK (locked IN (0, 1)),
    made_us BIGINT NOT NULL
);

CREATE TABLE credentials (
    digest BYTEA NOT NULL PRIMARY KEY,
    user_name TEXT COLLATE "C" NOT NULL REFERENCES users (name),
    form TEXT COLLATE "C" NOT NULL CHECK (form IN ('session', 'token')),
    -- What a token is for; empty for a session.
    purpose TEXT COLLATE "C" NOT NULL,
    made_us BIGINT NOT NULL,
    ends_us BIGINT NOT NULL
);
CREATE INDEX credentials_by_user ON credentials (user_name, form);

CREATE TABLE audit (
    entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us BIGINT NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    about TEXT COLLATE "C" NOT NULL
);

CREATE TABLE leases (
    item TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    until_us BIGINT NOT NULL
);
CREATE INDEX leases_by_end ON leases (until_us);

CREATE TABLE labels (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    -- Of a label that a person made: minus its number at the desk. No message carried it.
    seq BIGINT NOT NULL,
    n BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    track BIGINT,
    start_frame BIGINT NOT NULL,
    end_frame BIGINT NOT NULL,
    start_pts_us BIGINT NOT NULL,
    end_pts_us BIGINT NOT NULL,
    decision TEXT COLLATE "C" NOT NULL CHECK (decision IN ('candidate', 'abstain', 'made')),
    reason TEXT COLLATE "C",
    confidence DOUBLE PRECISION,
    raw DOUBLE PRECISION,
    model BIGINT REFERENCES models (model),
    value TEXT COLLATE "C",
    signs TEXT COLLATE "C",
    driver BOOLEAN NOT NULL DEFAULT FALSE,
    -- What follows is derived, in the transaction of what it derives from. `blind`: waits to be answered from scratch, and
    -- nobody is shown it before.
    state TEXT COLLATE "C" CHECK (state IN ('blind', 'waiting', 'accepted', 'corrected', 'rejected', 'created', 'removed')),
    standing BIGINT,
    correction TEXT COLLATE "C",
    sure DOUBLE PRECISION NOT NULL DEFAULT 2,
    gain DOUBLE PRECISION NOT NULL DEFAULT 0,
    conditions BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (rig, boot, seq, n),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip),
 CHECK ((decision = 'abstain') = (state IS NULL)),
 CHECK ((decision = 'made') = (seq < 0))
);
CREATE INDEX labels_by_clip ON labels (rig, boot, clip, kind, state, start_frame, end_frame);
CREATE INDEX labels_by_doubt ON labels (state, kind, sure, rig, boot, seq, n, clip, model, conditions);
CREATE INDEX labels_by_gain ON labels (state, kind, gain DESC, rig, boot, seq, n, clip, model, conditions, sure);
CREATE UNIQUE INDEX labels_made ON labels (seq) WHERE seq < 0;

CREATE TABLE verdicts (
    verdict BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    n BIGINT NOT NULL,
    judgement TEXT COLLATE "C" NOT NULL
 CHECK (judgement IN ('create', 'accept', 'correct', 'reject', 'withdraw', 'restore')),
    cause TEXT COLLATE "C",
    correction TEXT COLLATE "C",
    reviewer TEXT COLLATE "C" NOT NULL,
    at_us BIGINT NOT NULL,
    spent_ms BIGINT NOT NULL,
    replaces BIGINT REFERENCES verdicts (verdict),
    batch BIGINT,
    FOREIGN KEY (rig, boot, seq, n) REFERENCES labels (rig, boot, seq, n)
);
CREATE INDEX verdicts_by_label ON verdicts (rig, boot, seq, n, verdict);
CREATE INDEX verdicts_by_batch ON verdicts (batch) WHERE batch IS NOT NULL;

CREATE TABLE sample_rules (
    entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us BIGINT NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    shares TEXT COLLATE "C" NOT NULL
);

CREATE TABLE looks (
    look BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sort TEXT COLLATE "C" NOT NULL CHECK (sort IN ('blind', 'silence', 'self', 'other', 'second')),
    -- The name that the rule was asked of.
    item TEXT COLLATE "C" NOT NULL,
    rule BIGINT REFERENCES sample_rules (entry),
    -- Its place in the order of answering, from the same digest.
    place BIGINT NOT NULL,
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    clip BIGINT NOT NULL,
    -- The label looked at; null where nothing was said at all.
    seq BIGINT,
    n BIGINT,
    kind TEXT COLLATE "C" NOT NULL,
    track BIGINT,
    -- The frames that are asked about.
    start_frame BIGINT NOT NULL,
    end_frame BIGINT NOT NULL,
    -- The only one who may answer: of `self`.
    asked_of TEXT COLLATE "C",
    -- The verdict that it is held against: of `self` and `other`.
    about BIGINT REFERENCES verdicts (verdict),
    due_us BIGINT NOT NULL,
    -- Derived: an answer stands, or none is wanted any more.
    done BIGINT NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
    UNIQUE (sort, item),
    FOREIGN KEY (rig, boot, clip) REFERENCES clips (rig, boot, clip)
);
CREATE INDEX looks_waiting ON looks (done, place);
CREATE INDEX looks_by_label ON looks (rig, boot, seq, n);
CREATE INDEX looks_by_clip ON looks (rig, boot, clip);

CREATE TABLE answers (
    answer BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    look BIGINT NOT NULL REFERENCES looks (look),
    said TEXT COLLATE "C" NOT NULL CHECK (said IN ('here', 'nothing', 'cannot-tell', 'withdraw')),
    -- Frames and value of `here`, as JSON.
    reading TEXT COLLATE "C",
    -- The number of the label that it made: of `silence`.
    made BIGINT,
    reviewer TEXT COLLATE "C" NOT NULL,
    at_us BIGINT NOT NULL,
    spent_ms BIGINT NOT NULL,
    replaces BIGINT REFERENCES answers (answer)
);
CREATE INDEX answers_by_look ON answers (look, answer);

CREATE TABLE cases (
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    n BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('second', 'lead', 'settled', 'decided', 'void')),
    -- The look whose answer differs from the verdict that stands.
    dissent BIGINT NOT NULL REFERENCES looks (look),
    opened_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    PRIMARY KEY (rig, boot, seq, n),
    FOREIGN KEY (rig, boot, seq, n) REFERENCES labels (rig, boot, seq, n)
);
CREATE INDEX cases_by_state ON cases (state, opened_us);

CREATE TABLE decisions (
    decision BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rig TEXT COLLATE "C" NOT NULL,
    boot BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    n BIGINT NOT NULL,
    choice TEXT COLLATE "C" NOT NULL CHECK (choice IN ('verdict', 'dissent', 'second', 'cannot-tell', 'withdraw')),
    -- The verdict that stood before, and the one that the decision gave; null where it let that one stand.
    stood BIGINT REFERENCES verdicts (verdict),
    made BIGINT REFERENCES verdicts (verdict),
    reviewer TEXT COLLATE "C" NOT NULL,
    at_us BIGINT NOT NULL,
    spent_ms BIGINT NOT NULL,
    replaces BIGINT REFERENCES decisions (decision),
    FOREIGN KEY (rig, boot, seq, n) REFERENCES labels (rig, boot, seq, n)
);
CREATE INDEX decisions_by_label ON decisions (rig, boot, seq, n, decision);

CREATE TABLE quality_looks (
    clip_id BIGINT NOT NULL REFERENCES quality_clips (clip_id),
    rig TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    sort TEXT COLLATE "C" NOT NULL,
    agreed BIGINT NOT NULL,
    told BIGINT NOT NULL,
    untold BIGINT NOT NULL,
    -- Pairs of yes and no: both yes, both no, one of each.
    yes BIGINT NOT NULL,
    no BIGINT NOT NULL,
    split BIGINT NOT NULL,
    PRIMARY KEY (kind, sort, rig, clip_id)
);
CREATE INDEX quality_looks_by_clip ON quality_looks (clip_id);
INSERT INTO review_seconds (kind, accept_s, fix_s) VALUES
    ('bbox-person', 4, 25), ('keypoint-left-eye', 4, 20), ('keypoint-right-eye', 4, 20),
    ('wearing-glasses', 2, 4), ('in-shadow', 2, 4), ('face-occluded', 2, 4),
    ('light-change', 2, 4), ('alertness', 4, 6), ('video-quality', 3, 5),
    ('blink', 3, 9), ('long-closure', 3, 9);
INSERT INTO quality_progress (what, upto) VALUES
    ('verdicts', 0);

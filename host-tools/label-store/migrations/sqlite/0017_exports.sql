-- Exports that people asked for on the page. The files lie in the folder `exports` of the host's data and go with their row.
CREATE TABLE exports (
    export   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- Whose files they are, where several hosts share a store.
    host     TEXT    NOT NULL,
    -- Format, selection and subsets, as JSON.
    wish     TEXT    NOT NULL,
    asked_by TEXT    NOT NULL,
    asked_us BIGINT  NOT NULL,
    state    TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'here', 'failed')),
    -- Labels read, and labels in all; the last is known once it runs.
    done     BIGINT  NOT NULL DEFAULT 0,
    total    BIGINT,
    -- Why it failed.
    reason   TEXT,
    ended_us BIGINT,
    -- Of the archive: length and digest; and what is in it, as JSON.
    bytes    BIGINT,
    sha256   TEXT,
    summary  TEXT
);

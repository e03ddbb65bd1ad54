-- Who may use the desk. Nobody is ever deleted, since verdicts name them.
CREATE TABLE users (
    name     TEXT   NOT NULL PRIMARY KEY,
    role     TEXT   NOT NULL CHECK (role IN ('reviewer', 'lead', 'administrator')),
    -- Argon2id as a PHC string.
    password TEXT   NOT NULL,
    locked   BIGINT NOT NULL CHECK (locked IN (0, 1)),
    made_us  BIGINT NOT NULL
);

-- What a browser (session) or a script (token) shows. Only its SHA-256 is kept.
CREATE TABLE credentials (
    digest    BLOB   NOT NULL PRIMARY KEY,
    user_name TEXT   NOT NULL REFERENCES users (name),
    form      TEXT   NOT NULL CHECK (form IN ('session', 'token')),
    -- What a token is for; empty for a session.
    purpose   TEXT   NOT NULL,
    made_us   BIGINT NOT NULL,
    ends_us   BIGINT NOT NULL
);
CREATE INDEX credentials_by_user ON credentials (user_name, form);

-- Append-only: who did what to accounts and settings.
CREATE TABLE audit (
    entry  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us  BIGINT  NOT NULL,
    who    TEXT    NOT NULL,
    what   TEXT    NOT NULL,
    about  TEXT    NOT NULL
);

-- Who works on which item, until when.
CREATE TABLE leases (
    item     TEXT   NOT NULL PRIMARY KEY,
    holder   TEXT   NOT NULL,
    until_us BIGINT NOT NULL
);
CREATE INDEX leases_by_end ON leases (until_us);

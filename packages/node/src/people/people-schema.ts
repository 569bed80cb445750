/** Tables of the people's pages: one-time links, the sessions they open, passkeys. Of every secret only the SHA-256 is
 *  kept; what names or describes a person is sealed under that person's key. */

/** Statements of the migration that makes the tables, in order. */
export const peopleSchema: readonly string[] = [
  `CREATE TABLE people_links (
    hash TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    subject TEXT,
    consent TEXT,
    grantor TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
  ) STRICT`,
  `CREATE INDEX people_links_expiry ON people_links (expires_ms)`,
  `CREATE TABLE people_sessions (
    hash TEXT PRIMARY KEY,
    link TEXT NOT NULL,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    consent TEXT,
    grantor TEXT,
    languages TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    decision TEXT,
    challenge TEXT
  ) STRICT`,
  `CREATE INDEX people_sessions_seen ON people_sessions (seen_ms)`,
  `CREATE TABLE people_passkeys (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    passkey TEXT NOT NULL,
    created_ms INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX people_passkeys_subject ON people_passkeys (subject)`,
]

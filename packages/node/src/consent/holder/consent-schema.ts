/** Tables of the consents that this node holds. No row is ever deleted: an ended consent is a tombstone, so that a
 *  missing row can never mean "allowed". What names or describes a person stands sealed under that person's key. */

/** Statements of the migration that makes the tables, in order.
 *
 *  `consents` is where each consent stands, from the request on; the row is the truth. `seq` and `step_hash` name its
 *  last step; `due_ms` is when the clock ends it, NULL when nothing can. `consent_requests` holds what was asked,
 *  `consent_revisions` what was granted, `consent_steps` who did what (`event` is the entry in the log), each body
 *  sealed. `consent_delegates` is who is known to have been passed a part of it on. */
export const consentsMigrations: readonly string[] = [
  `CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    seq INTEGER NOT NULL,
    step_hash TEXT NOT NULL,
    rev INTEGER NOT NULL,
    hash TEXT,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    reference TEXT NOT NULL,
    template TEXT,
    requested_ms INTEGER NOT NULL,
    lapses_ms INTEGER NOT NULL,
    not_before_ms INTEGER,
    expires_ms INTEGER,
    due_ms INTEGER,
    paused_by TEXT,
    status_uri TEXT NOT NULL,
    status_idx INTEGER NOT NULL
  ) STRICT`,
  'CREATE INDEX consents_by_subject ON consents (subject, id)',
  // Without it the planner reads all consents of a recipient at each of its requests.
  'CREATE INDEX consents_by_pair ON consents (subject, recipient, id)',
  'CREATE INDEX consents_by_recipient ON consents (recipient, id)',
  'CREATE INDEX consents_by_state ON consents (state, id)',
  'CREATE INDEX consents_by_due ON consents (due_ms) WHERE due_ms IS NOT NULL',
  // A recipient asks a person one thing at a time.
  `CREATE UNIQUE INDEX consents_open ON consents (recipient, subject) WHERE state IN ('requested', 'deferred')`,
  `CREATE TABLE consent_requests (
    consent TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    idempotency_key TEXT,
    body TEXT NOT NULL
  ) STRICT`,
  'CREATE UNIQUE INDEX consent_requests_by_key ON consent_requests (recipient, idempotency_key)',
  `CREATE TABLE consent_revisions (
    consent TEXT NOT NULL,
    rev INTEGER NOT NULL,
    hash TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (consent, rev)
  ) STRICT`,
  // The key is what makes two steps that were decided on the same state impossible, not unlikely.
  `CREATE TABLE consent_steps (
    consent TEXT NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    hash TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (consent, seq)
  ) STRICT`,
  `CREATE TABLE consent_delegates (
    consent TEXT NOT NULL,
    delegation TEXT NOT NULL,
    delegator TEXT NOT NULL,
    delegate TEXT NOT NULL,
    depth INTEGER NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    PRIMARY KEY (consent, delegation, delegator)
  ) STRICT`,
]

/** Statements of the migration that lets a request be told from another one when its text is gone: `fingerprint` is a
 *  keyed hash of it. The text goes some time after the request has lapsed; the index is of those that still have it. */
export const requestFingerprintSchema: readonly string[] = [
  'ALTER TABLE consent_requests ADD COLUMN fingerprint TEXT',
  `CREATE INDEX consents_never_granted ON consents (lapses_ms) WHERE rev = 0 AND reference <> ''`,
]

/** Tables of API keys. INVARIANT: no secret of a key is here: `verifier` is a keyed hash of it, or the salt from which the
 *  node's own secret derives it. Rows of what has ended stay, so that no id means two things. */

/** Statements of the migration that makes the tables, in order. */
export const apiKeysSchema: readonly string[] = [
  `CREATE TABLE clients (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    owner TEXT,
    labels TEXT NOT NULL,
    participant TEXT,
    policies TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    removed_ms INTEGER
  ) STRICT`,
  `CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    environment TEXT NOT NULL,
    used_as TEXT NOT NULL,
    verifier BLOB NOT NULL,
    scope TEXT NOT NULL,
    networks TEXT NOT NULL,
    owner TEXT,
    labels TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    not_before_ms INTEGER,
    expires_ms INTEGER,
    state TEXT NOT NULL,
    reason TEXT,
    issued_by TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    enabled_ms INTEGER,
    ended_ms INTEGER,
    warned_ms INTEGER
  ) STRICT`,
  'CREATE INDEX api_keys_by_client ON api_keys (client, created_ms, id)',
  `CREATE TABLE key_rotations (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    from_key TEXT NOT NULL,
    to_key TEXT,
    state TEXT NOT NULL,
    overlap_from_ms INTEGER NOT NULL,
    drain_from_ms INTEGER NOT NULL,
    sunset_ms INTEGER NOT NULL,
    retire TEXT NOT NULL,
    quiet_seconds INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    ended_ms INTEGER
  ) STRICT`,
  // One rotation of a key at a time, and none of a key that is another's successor.
  'CREATE UNIQUE INDEX key_rotations_from ON key_rotations (from_key) WHERE ended_ms IS NULL',
  'CREATE UNIQUE INDEX key_rotations_to ON key_rotations (to_key) WHERE ended_ms IS NULL',
  // `marked` is what `uses` was when the overlap of the last rotation of the key began.
  `CREATE TABLE key_uses (
    key_id TEXT NOT NULL,
    network TEXT NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    marked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key_id, network)
  ) STRICT`,
  // By hours since the epoch.
  `CREATE TABLE key_hours (
    key_id TEXT NOT NULL,
    hour INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (key_id, hour)
  ) STRICT`,
  'CREATE INDEX key_hours_by_hour ON key_hours (hour)',
  `CREATE TABLE key_sequences (
    key_id TEXT PRIMARY KEY,
    last INTEGER NOT NULL
  ) STRICT`,
]

/** Keys whose end came with a rotation, or begins anew with the next one, which the client's policies ask for. */
const isRenewed = `(succeeds IS NOT NULL OR client IN (SELECT id FROM clients WHERE policies LIKE '%"rotateEveryDays":%'))`

/** Statements of the migration by which a key knows its line: what it succeeds, and the end that is its successors' too.
 *  An end that was set before is one of the line, but where rotations gave each key as long anew: there it was a lifetime,
 *  in whole days. */
export const keyLinesMigrations: readonly string[] = [
  'ALTER TABLE api_keys ADD COLUMN line_ends_ms INTEGER',
  'ALTER TABLE api_keys ADD COLUMN lifetime_days INTEGER',
  'ALTER TABLE api_keys ADD COLUMN succeeds TEXT',
  // `key_rotations_to` knows those only that are under way: without an index each key would look through all rotations.
  'CREATE INDEX key_rotations_ever_to ON key_rotations (to_key, from_key)',
  `UPDATE api_keys SET succeeds =
    (SELECT MIN(from_key) FROM key_rotations WHERE key_rotations.to_key = api_keys.id)`,
  'DROP INDEX key_rotations_ever_to',
  `UPDATE api_keys SET
    line_ends_ms = CASE WHEN ${isRenewed} THEN NULL ELSE expires_ms END,
    lifetime_days = CASE WHEN ${isRenewed}
      THEN (expires_ms - CASE WHEN not_before_ms > created_ms THEN not_before_ms ELSE created_ms END + 86399999) / 86400000
      ELSE NULL END
    WHERE expires_ms IS NOT NULL`,
]

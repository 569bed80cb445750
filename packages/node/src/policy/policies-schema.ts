/** Tables of the policies: the sets that were in force, the relationships that they look at, and what was decided. */
export const policiesSchema: readonly string[] = [
  `CREATE TABLE policy_sets (
    version INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    prepared_as TEXT NOT NULL,
    texts TEXT NOT NULL,
    prepared TEXT NOT NULL,
    source TEXT NOT NULL,
    note TEXT,
    set_ms INTEGER NOT NULL
  ) STRICT`,
  // A person stands here by their handle, and goes with their erasure.
  `CREATE TABLE relationships (
    id TEXT PRIMARY KEY,
    object_type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    relation TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    UNIQUE (object_type, object_id, relation, subject_type, subject_id)
  ) STRICT`,
  'CREATE INDEX relationships_by_subject ON relationships (subject_type, subject_id)',
  // What was asked and decided is sealed where it is about a person. Exchanges are UUIDv7, so their order is that of time.
  `CREATE TABLE policy_decisions (
    exchange TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    details TEXT NOT NULL,
    subject TEXT
  ) STRICT`,
]

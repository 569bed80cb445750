/** Tables of the recipient's replicas. `replicas` has one row for each answer that is kept, by a keyed hash of what was
 *  asked; what was received, and the organisation's own fields beside it, are sealed. `replica_removals` counts what was
 *  removed, for the receipts of duties. */

/** Statements of the migration that makes the tables, in order. */
export const replicasSchema: readonly string[] = [
  `CREATE TABLE replicas (
    id TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    product TEXT NOT NULL,
    version TEXT,
    operation TEXT,
    agreement TEXT,
    purpose TEXT,
    held TEXT,
    consent TEXT,
    consent_hash TEXT,
    subject TEXT,
    exchange TEXT NOT NULL,
    fetched_ms INTEGER NOT NULL,
    validated_ms INTEGER NOT NULL,
    confirmed_ms INTEGER NOT NULL,
    until_ms INTEGER,
    sealed TEXT NOT NULL,
    own TEXT
  ) STRICT`,
  'CREATE INDEX replicas_by_held ON replicas (held)',
  'CREATE INDEX replicas_by_subject ON replicas (subject)',
  'CREATE INDEX replicas_by_end ON replicas (until_ms)',
  `CREATE TABLE replica_removals (
    holder TEXT NOT NULL,
    consent TEXT NOT NULL,
    subject TEXT,
    removed_ms INTEGER NOT NULL,
    replicas INTEGER NOT NULL
  ) STRICT`,
  'CREATE INDEX replica_removals_by_consent ON replica_removals (consent)',
  'CREATE INDEX replica_removals_by_subject ON replica_removals (subject)',
]

/** Tables of the audit log. `log_entries` holds the events and what their log entries are made of; a commitment
 *  stays when an event's salt and text are erased, so files and proofs can be made again from it.
 *  `log_checkpoint` has one row: the last checkpoint that was signed. */

/** Statements of the first migration, in order. */
export const auditLogMigrations: readonly string[] = [
  `CREATE TABLE log_entries (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    salt BLOB NOT NULL,
    body TEXT NOT NULL,
    commitment BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE log_checkpoint (
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL
  ) STRICT`,
]

/** Whose events are sealed, by handle: their `body` is a sealed text and their `salt` is empty. */
export const sealedEventsMigrations: readonly string[] = [
  'ALTER TABLE log_entries ADD COLUMN subject TEXT',
  'CREATE INDEX log_entries_by_subject ON log_entries (subject, position) WHERE subject IS NOT NULL',
]

/** The tables as they are now. */
export const auditLogTables: readonly string[] = [...auditLogMigrations, ...sealedEventsMigrations]

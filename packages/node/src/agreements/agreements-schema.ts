/** Tables of the agreements. `agreements` holds what both sides have signed and this node has verified, never changed;
 *  `agreement_terminations` who ended which, also for agreements that have not reached this node yet. */

/** Statements of the migration that makes the tables, in order. */
export const agreementsMigrations: readonly string[] = [
  `CREATE TABLE agreements (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    envelope TEXT NOT NULL,
    imported_ms INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE agreement_terminations (
    agreement TEXT NOT NULL,
    terminated_by TEXT NOT NULL,
    terminated_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (agreement, terminated_by)
  ) STRICT`,
]

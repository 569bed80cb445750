/** Table of the admin API's answers that are kept for calls that are repeated. Nothing in it can be read without the
 *  node's secret and the caller's own key. */

/** Statements of the migration that makes the table, in order. */
export const adminRepeatsSchema: readonly string[] = [
  `CREATE TABLE admin_repeats (
    name TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    answer BLOB,
    began_ms INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX admin_repeats_began ON admin_repeats (began_ms)`,
]

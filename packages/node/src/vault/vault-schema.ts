/** Tables of the vault. `subject_keys` holds the key of every subject, wrapped; `subject_erasures` says which of them
 *  were destroyed. Rows of `subject_keys` never change their size nor their place: a database that moves a row may leave
 *  a copy of it behind, and a destroyed key must not be in one. `vault_secret` has one row: what the node's secret is known
 *  by, so that another one is refused before anything is sealed under it. */

/** Statements of the migration that makes the tables, in order. */
export const vaultSchema: readonly string[] = [
  `CREATE TABLE subject_keys (
    handle TEXT NOT NULL,
    generation INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (handle, generation)
  ) STRICT`,
  `CREATE TABLE subject_erasures (
    handle TEXT NOT NULL,
    generation INTEGER NOT NULL,
    erased_ms INTEGER NOT NULL,
    PRIMARY KEY (handle, generation)
  ) STRICT`,
  `CREATE TABLE vault_secret (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL
  ) STRICT`,
]

/** Tables of this node's status lists. A row is an entry that was given to a token; nothing in it says whose. `changed`
 *  counts the changes of its list, so that a reader finds those it has not seen. */

/** Statements of the migration that makes the tables, in order. */
export const statusMigrations: readonly string[] = [
  `CREATE TABLE status_entries (
    list INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    value INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (list, idx)
  ) STRICT`,
  `CREATE INDEX status_entries_changed ON status_entries (list, changed)`,
]

/** Duties about a person's data, on both sides: `imposed` on another participant, or `owed` to one. */

export const dutiesSchema: readonly string[] = [
  `CREATE TABLE duties (
    id TEXT PRIMARY KEY,
    side TEXT NOT NULL,
    kind TEXT NOT NULL,
    consent TEXT,
    holder TEXT NOT NULL,
    debtor TEXT NOT NULL,
    subject TEXT NOT NULL,
    rights_request TEXT,
    due_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    overdue_told INTEGER NOT NULL DEFAULT 0,
    fields TEXT,
    outcome TEXT,
    receipt TEXT,
    closed_ms INTEGER
  ) STRICT`,
  `CREATE INDEX duties_open ON duties (due_ms) WHERE state = 'open'`,
  'CREATE INDEX duties_by_consent ON duties (consent)',
  'CREATE INDEX duties_by_rights_request ON duties (rights_request) WHERE rights_request IS NOT NULL',
]

/** The handle of the person's key: what names them is sealed under it once a duty is closed. */
export const sealedDutiesSchema: readonly string[] = ['ALTER TABLE duties ADD COLUMN handle TEXT']

/** The open duties about one person. */
export const dutiesByPersonSchema: readonly string[] = [
  `CREATE INDEX duties_by_person ON duties (handle) WHERE state = 'open'`,
]

/** Table of references: answers that were promised as a link. A row names its link by the link's hash only; what was
 *  asked about a person is sealed under that person's key. */

export const referencesSchema: readonly string[] = [
  `CREATE TABLE answer_references (
    id TEXT PRIMARY KEY,
    caller TEXT NOT NULL,
    product TEXT NOT NULL,
    request TEXT NOT NULL,
    subject TEXT,
    issued_by TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_by TEXT NOT NULL
  ) STRICT`,
  'CREATE INDEX answer_references_by_expiry ON answer_references (expires_ms)',
]

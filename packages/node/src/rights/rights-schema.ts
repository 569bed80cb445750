/** Requests of people about their data, and the holder's own systems that have to report on them. */

export const rightsSchema: readonly string[] = [
  `CREATE TABLE rights_requests (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    extension TEXT,
    closed_ms INTEGER,
    bundle TEXT
  ) STRICT`,
  'CREATE INDEX rights_requests_by_subject ON rights_requests (subject)',
  `CREATE INDEX rights_requests_open ON rights_requests (due_ms) WHERE closed_ms IS NULL`,
  `CREATE TABLE rights_tasks (
    request TEXT NOT NULL,
    product TEXT NOT NULL,
    state TEXT NOT NULL,
    report TEXT,
    reported_ms INTEGER,
    PRIMARY KEY (request, product)
  ) STRICT`,
]

/** Requests of people about their data, and the holder's own systems that have to report on them. What names or
 *  describes a person stands sealed under that person's key. */

/** Statements of the migration that makes the tables, in order.
 *
 *  `applied` is 1 once the node has done by itself what the request asks of it, for all that stood then. `bundle` is
 *  sealed, unless it closed an erasure and holds nothing of the person. `rights_references` is how the holder's systems
 *  know a person who was given a link, sealed: what they are told of a request must name them. */
export const rightsSchema: readonly string[] = [
  `CREATE TABLE rights_requests (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    applied INTEGER NOT NULL DEFAULT 0,
    extension TEXT,
    closed_ms INTEGER,
    lifted_ms INTEGER,
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
  `CREATE TABLE rights_references (
    subject TEXT PRIMARY KEY,
    reference TEXT NOT NULL
  ) STRICT`,
]

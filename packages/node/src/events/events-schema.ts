/** Tables of the events between nodes. `outbox_events` holds what this node has to tell until, and after, the other
 *  side has acknowledged it; `inbox_events` the ids of the tokens that were taken, so that none counts twice. */

/** Statements of the migration that makes the tables, in order. */
export const eventsMigrations: readonly string[] = [
  `CREATE TABLE outbox_events (
    id TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    type TEXT NOT NULL,
    payload TEXT NOT NULL,
    occurred_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_ms INTEGER NOT NULL,
    last_error TEXT,
    token TEXT,
    acknowledged_ms INTEGER
  ) STRICT`,
  `CREATE INDEX outbox_events_due ON outbox_events (next_attempt_ms) WHERE acknowledged_ms IS NULL`,
  `CREATE TABLE inbox_events (
    issuer TEXT NOT NULL,
    id TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (issuer, id)
  ) STRICT`,
  `CREATE INDEX inbox_events_received ON inbox_events (received_ms)`,
]

/** Tables of requests for a higher quota, as the holder decides them and as the asker remembers them. */

/** Statements of the migration that makes them. Texts are empty where there is nothing: who asks with an API key may be
 *  no participant. `quota_notices` is what operators were told of, once for each period of a quota of some size. */
export const quotasSchema: readonly string[] = [
  `CREATE TABLE quota_requests (
    id TEXT PRIMARY KEY,
    participant TEXT NOT NULL,
    client TEXT NOT NULL,
    key_id TEXT NOT NULL,
    limit_name TEXT NOT NULL,
    product TEXT NOT NULL,
    units INTEGER NOT NULL,
    per TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_ms INTEGER,
    granted_units INTEGER,
    until_ms INTEGER,
    note TEXT
  ) STRICT`,
  `CREATE UNIQUE INDEX quota_requests_open ON quota_requests (participant, client, limit_name, product)
    WHERE state = 'asked'`,
  `CREATE TABLE quota_asks (
    id TEXT PRIMARY KEY,
    partner TEXT NOT NULL,
    limit_name TEXT NOT NULL,
    product TEXT NOT NULL,
    units INTEGER NOT NULL,
    per TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_ms INTEGER,
    granted_units INTEGER,
    until_ms INTEGER,
    note TEXT
  ) STRICT`,
  `CREATE TABLE quota_notices (
    limit_name TEXT NOT NULL,
    limit_key TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (limit_name, limit_key, starts_ms, units)
  ) STRICT`,
]

/** Tables of the exchange path. `exchanges` holds what proves an exchange beside its log entry; `intents` the unsafe
 *  calls under way and the answers kept for idempotency keys. Identifiers are UUIDv7, so a range of ids is a range of time. */

export const exchangeSchema: readonly string[] = [
  `CREATE TABLE exchanges (
    id TEXT PRIMARY KEY,
    exchange_id TEXT NOT NULL,
    role TEXT NOT NULL,
    peer TEXT,
    receipt TEXT,
    request_keyid TEXT,
    request_base TEXT,
    request_signature TEXT,
    response_keyid TEXT,
    response_base TEXT,
    response_signature TEXT,
    nonce TEXT,
    nonce_expires INTEGER
  ) STRICT`,
  'CREATE INDEX exchanges_by_exchange_id ON exchanges (exchange_id)',
  `CREATE TABLE intents (
    id TEXT PRIMARY KEY,
    caller TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    nonce_keyid TEXT,
    nonce TEXT,
    nonce_expires INTEGER,
    status INTEGER,
    headers TEXT,
    body BLOB,
    UNIQUE (caller, idempotency_key)
  ) STRICT`,
]

/** Nonces of requests to the node's own signed addresses: they leave no exchange, and a restart must not forget them
 *  either. Kept for minutes. */
export const signedReadsSchema: readonly string[] = [
  `CREATE TABLE signed_reads (
    keyid TEXT NOT NULL,
    nonce TEXT NOT NULL,
    nonce_expires INTEGER NOT NULL,
    PRIMARY KEY (keyid, nonce)
  ) STRICT`,
  'CREATE INDEX signed_reads_by_expiry ON signed_reads (nonce_expires)',
]

/** What opens the receipts' commitments to contents that travelled sealed, by the id of the exchange's event. */
export const exchangeOpeningsSchema: readonly string[] = [
  `CREATE TABLE exchange_openings (
    id TEXT PRIMARY KEY,
    openings TEXT NOT NULL,
    subject TEXT
  ) STRICT`,
]

/** Whose exchanges are sealed, by handle: what holds paths and queries, and the answers that are kept, is sealed text. */
export const sealedExchangesSchema: readonly string[] = [
  'ALTER TABLE exchanges ADD COLUMN subject TEXT',
  'CREATE INDEX exchanges_by_subject ON exchanges (subject, id) WHERE subject IS NOT NULL',
  'ALTER TABLE intents ADD COLUMN subject TEXT',
]

/** Table of what the node has to tell the holder's own systems. `payload` is the text that is sent, sealed under the
 *  subject's key where there is a subject; it is taken away when the message was delivered or given up. */

/** Statements of the migration that makes the table, in order. */
export const webhooksSchema: readonly string[] = [
  `CREATE TABLE webhook_messages (
    id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    type TEXT NOT NULL,
    payload TEXT,
    occurred_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_ms INTEGER NOT NULL,
    last_error TEXT,
    delivered_ms INTEGER,
    PRIMARY KEY (id, endpoint)
  ) STRICT`,
  `CREATE INDEX webhook_messages_due ON webhook_messages (next_attempt_ms) WHERE payload IS NOT NULL`,
  `CREATE INDEX webhook_messages_ended ON webhook_messages (occurred_ms) WHERE payload IS NULL`,
]

/** A message that was given up keeps its payload, as a dead letter, until the operator sends it again or it is pruned.
 *  `waiting_since_ms` is when it was put in, or put in again. */
export const deadLettersSchema: readonly string[] = [
  `ALTER TABLE webhook_messages ADD COLUMN dead_ms INTEGER`,
  `ALTER TABLE webhook_messages ADD COLUMN waiting_since_ms INTEGER`,
  `UPDATE webhook_messages SET waiting_since_ms = occurred_ms`,
  `DROP INDEX webhook_messages_due`,
  `CREATE INDEX webhook_messages_due ON webhook_messages (next_attempt_ms) WHERE payload IS NOT NULL AND dead_ms IS NULL`,
]

/** Webhooks of clients. `sealed` has the address, which may hold a key of the client's, and the secrets, under a key
 *  that follows from the node's own secret. `ended_ms` is when the client was removed. */
export const clientWebhooksSchema: readonly string[] = [
  `CREATE TABLE client_webhooks (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    format TEXT NOT NULL,
    events TEXT NOT NULL,
    fingerprints TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    ended_ms INTEGER
  ) STRICT`,
]

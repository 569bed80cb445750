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

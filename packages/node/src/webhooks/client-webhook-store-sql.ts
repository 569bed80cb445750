/** The webhooks of clients on the node's database: what is secret of them is sealed (AES-256-GCM, the id as additional
 *  data) under a key that is not in it. */
import { createSecretKey } from 'node:crypto'
import type { ClientEventType } from '@comity/core/events/client-events'
import type { RandomBytes } from '@comity/core/ports'
import type { Database, Row } from '../storage/database.ts'
import { createNonces, decrypt, encrypt } from '../vault/sealed-text.ts'
import type { ClientWebhook } from './client-webhook.ts'
import type { ClientWebhookStore } from './client-webhook-store.ts'

const columns = 'id, client, format, events, fingerprints, added_by, state, sealed, created_ms, ended_ms'
const nothing = new Uint8Array()

export interface ClientWebhookStoreParts {
  readonly database: Database
  /** 32 bytes, derived from the node's secret for this use alone. */
  readonly key: Uint8Array
  readonly randomBytes: RandomBytes
}

/** The table is `clientWebhooksSchema`. */
export function createClientWebhookStore({ database, key, randomBytes }: ClientWebhookStoreParts): ClientWebhookStore {
  const box = createBox(key, randomBytes)
  return {
    async load() {
      const sql = `SELECT ${columns} FROM client_webhooks WHERE state <> 'removed' ORDER BY created_ms, id`
      return (await database.all(sql)).map((row) => webhookOf(row, box))
    },
    async countAdded(client, sinceMs) {
      const sql = `SELECT COUNT(*) AS n FROM client_webhooks WHERE client = ? AND added_by = 'client' AND created_ms > ?`
      return (await database.get<Row & { n: number }>(sql, [client, sinceMs]))?.n ?? 0
    },
    insert: (webhook) => ({
      sql: `INSERT INTO client_webhooks (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      params: [
        webhook.id,
        webhook.client,
        webhook.format,
        JSON.stringify(webhook.events),
        JSON.stringify(webhook.fingerprints),
        webhook.addedBy,
        webhook.state,
        box.seal(webhook),
        webhook.createdMs,
        webhook.endedMs ?? null,
      ],
    }),
    update: (webhook) => ({
      sql: `UPDATE client_webhooks SET state = ?, sealed = ?, ended_ms = ? WHERE id = ? AND state <> 'removed'`,
      params: [webhook.state, box.seal(webhook), webhook.endedMs ?? null, webhook.id],
    }),
    remove: (id, atMs) => ({
      sql: `UPDATE client_webhooks SET state = 'removed', sealed = ?, ended_ms = ? WHERE id = ?`,
      params: [nothing, atMs, id],
    }),
    endAll: (client, atMs) => [
      {
        sql: `UPDATE client_webhooks SET state = 'ended', ended_ms = ? WHERE client = ? AND state = 'active'`,
        params: [atMs, client],
      },
      {
        sql: `UPDATE client_webhooks SET state = 'removed', sealed = ?, ended_ms = ?
          WHERE client = ? AND state = 'unconfirmed'`,
        params: [nothing, atMs, client],
      },
    ],
    prune: async ({ endedMs, unconfirmedMs }) =>
      void (await database.execute([
        {
          sql: `DELETE FROM client_webhooks WHERE (ended_ms IS NOT NULL AND ended_ms < ?)
            OR (state = 'unconfirmed' AND created_ms < ?)`,
          params: [endedMs, unconfirmedMs],
        },
      ])),
  }
}

type Secrets = Pick<ClientWebhook, 'url' | 'secrets' | 'code'>

interface Box {
  seal(webhook: ClientWebhook): Uint8Array
  open(sealed: Uint8Array, id: string): Secrets
}

function createBox(bytes: Uint8Array, randomBytes: RandomBytes): Box {
  const key = createSecretKey(bytes)
  const nextNonce = createNonces(randomBytes)
  return {
    seal({ id, url, secrets, code }) {
      const text = JSON.stringify({ url, secrets, code } satisfies Secrets)
      return encrypt(key, Buffer.from(text, 'utf8'), { handle: id, nonce: nextNonce() })
    },
    open: (sealed, id) => JSON.parse(decrypt(key, sealed, id).toString('utf8')) as Secrets,
  }
}

function webhookOf(row: Row, box: Box): ClientWebhook {
  const id = String(row['id'])
  const { url, secrets, code } = box.open(row['sealed'] as Uint8Array, id)
  return {
    id,
    client: String(row['client']),
    url,
    format: row['format'] as ClientWebhook['format'],
    events: JSON.parse(String(row['events'])) as ClientEventType[],
    fingerprints: JSON.parse(String(row['fingerprints'])) as string[],
    addedBy: row['added_by'] as ClientWebhook['addedBy'],
    state: row['state'] as ClientWebhook['state'],
    secrets,
    code,
    createdMs: Number(row['created_ms']),
    endedMs: typeof row['ended_ms'] === 'number' ? row['ended_ms'] : undefined,
  }
}

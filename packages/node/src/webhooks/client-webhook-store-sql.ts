/** The webhooks of clients on the node's database: what is secret of them is sealed (AES-256-GCM, the id as additional
 *  data) under a key that is not in it. */
import { createSecretKey } from 'node:crypto'
import type { ClientEventType } from '@comity/core/events/client-events'
import type { RandomBytes } from '@comity/core/ports'
import type { Database, Row } from '../storage/database.ts'
import { createNonces, decrypt, encrypt } from '../vault/sealed-text.ts'
import type { ClientWebhook } from './client-webhook.ts'
import type { ClientWebhookStore } from './client-webhook-store.ts'

const columns = 'id, client, format, events, fingerprints, sealed, created_ms, ended_ms'

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
      const sql = `SELECT ${columns} FROM client_webhooks ORDER BY created_ms, id`
      return (await database.all(sql)).map((row) => webhookOf(row, box))
    },
    insert: (webhook) => ({
      sql: `INSERT INTO client_webhooks (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      params: [
        webhook.id,
        webhook.client,
        webhook.format,
        JSON.stringify(webhook.events),
        JSON.stringify(webhook.fingerprints),
        box.seal(webhook),
        webhook.createdMs,
        webhook.endedMs ?? null,
      ],
    }),
    update: (webhook) => ({
      sql: `UPDATE client_webhooks SET sealed = ?, ended_ms = ? WHERE id = ?`,
      params: [box.seal(webhook), webhook.endedMs ?? null, webhook.id],
    }),
    remove: (id) => ({ sql: 'DELETE FROM client_webhooks WHERE id = ?', params: [id] }),
    endAll: (client, atMs) => ({
      sql: 'UPDATE client_webhooks SET ended_ms = ? WHERE client = ? AND ended_ms IS NULL',
      params: [atMs, client],
    }),
    prune: async (beforeMs) =>
      void (await database.execute([{ sql: 'DELETE FROM client_webhooks WHERE ended_ms < ?', params: [beforeMs] }])),
  }
}

type Secrets = Pick<ClientWebhook, 'url' | 'secrets'>

interface Box {
  seal(webhook: ClientWebhook): Uint8Array
  open(sealed: Uint8Array, id: string): Secrets
}

function createBox(bytes: Uint8Array, randomBytes: RandomBytes): Box {
  const key = createSecretKey(bytes)
  const nextNonce = createNonces(randomBytes)
  return {
    seal({ id, url, secrets }) {
      const text = JSON.stringify({ url, secrets } satisfies Secrets)
      return encrypt(key, Buffer.from(text, 'utf8'), { handle: id, nonce: nextNonce() })
    },
    open: (sealed, id) => JSON.parse(decrypt(key, sealed, id).toString('utf8')) as Secrets,
  }
}

function webhookOf(row: Row, box: Box): ClientWebhook {
  const id = String(row['id'])
  const { url, secrets } = box.open(row['sealed'] as Uint8Array, id)
  return {
    id,
    client: String(row['client']),
    url,
    format: row['format'] as ClientWebhook['format'],
    events: JSON.parse(String(row['events'])) as ClientEventType[],
    fingerprints: JSON.parse(String(row['fingerprints'])) as string[],
    secrets,
    createdMs: Number(row['created_ms']),
    endedMs: typeof row['ended_ms'] === 'number' ? row['ended_ms'] : undefined,
  }
}

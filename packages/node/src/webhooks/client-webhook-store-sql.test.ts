import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { clientWebhookStoreContract, testWebhook as webhook } from './client-webhook-store-contract.ts'
import { createClientWebhookStore } from './client-webhook-store-sql.ts'
import { clientWebhooksSchema } from './webhooks-schema.ts'

async function opened(key = new Uint8Array(32).fill(1)) {
  const database = await openSqlite(':memory:')
  await database.execute(clientWebhooksSchema.map((sql) => ({ sql })))
  return { database, store: createClientWebhookStore({ database, key, randomBytes }) }
}

describe('the store of clients’ webhooks on SQLite', () => clientWebhookStoreContract(opened))

test('a webhook of a client is read as it was written, and nothing secret of it stands in its row', async () => {
  const { database, store } = await opened()
  await using _ = database
  const written = webhook('1')
  await database.execute([store.insert(written)])
  assert.deepEqual(await store.load(), [written])
  const [row = {}] = await database.all('SELECT * FROM client_webhooks')
  assert.doesNotMatch(Buffer.from(row['sealed'] as Uint8Array).toString('latin1') + JSON.stringify(row), /planted/)
  const other = createClientWebhookStore({ database, key: new Uint8Array(32).fill(2), randomBytes })
  await assert.rejects(other.load(), { code: 'storage-failed' })
  await database.execute([{ sql: `UPDATE client_webhooks SET id = '3' WHERE id = '1'` }])
  await assert.rejects(store.load(), { code: 'storage-failed' }, 'a row is not passed off as another')
})

test('what is removed keeps neither address nor secret', async () => {
  const { database, store } = await opened()
  await using _ = database
  await database.execute([store.insert(webhook('1'))])
  await database.execute([store.remove('1')])
  assert.deepEqual(await database.all('SELECT * FROM client_webhooks'), [])
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { createClientWebhookStore } from './client-webhook-store-sql.ts'
import type { ClientWebhook } from './client-webhook.ts'
import { clientWebhooksSchema } from './webhooks-schema.ts'

const webhook = (id: string, more: Partial<ClientWebhook> = {}): ClientWebhook => ({
  id,
  client: 'billing',
  url: 'https://hooks.example/in?key=planted',
  format: 'hmac',
  events: ['key.revoked'],
  fingerprints: [],
  addedBy: 'client',
  state: 'active',
  secrets: [{ text: 'whsec_planted' }],
  code: undefined,
  createdMs: 100,
  endedMs: undefined,
  ...more,
})

async function opened(key = new Uint8Array(32).fill(1)) {
  const database = await openSqlite(':memory:')
  await database.execute(clientWebhooksSchema.map((sql) => ({ sql })))
  return { database, store: createClientWebhookStore({ database, key, randomBytes }) }
}

test('a webhook of a client is read as it was written, and nothing secret of it stands in its row', async () => {
  const { database, store } = await opened()
  await using _ = database
  const written = webhook('1', { state: 'unconfirmed', code: 'planted-code' })
  await database.execute([store.insert(written), store.insert(webhook('2', { client: 'other' }))])
  assert.deepEqual(await store.loadOf('billing'), [written])
  assert.equal((await store.load()).length, 2)
  const [row = {}] = await database.all('SELECT * FROM client_webhooks')
  assert.doesNotMatch(Buffer.from(row['sealed'] as Uint8Array).toString('latin1') + JSON.stringify(row), /planted/)
  const other = createClientWebhookStore({ database, key: new Uint8Array(32).fill(2), randomBytes })
  await assert.rejects(other.load(), { code: 'storage-failed' })
  await database.execute([{ sql: `UPDATE client_webhooks SET id = '3' WHERE id = '1'` }])
  await assert.rejects(store.loadOf('billing'), { code: 'storage-failed' }, 'a row is not passed off as another')
})

test('what is removed keeps neither address nor secret, counts for its day, and does not come back', async () => {
  const { database, store } = await opened()
  await using _ = database
  await database.execute([store.insert(webhook('1'))])
  await database.execute([store.remove('1', 200)])
  await database.execute([store.update(webhook('1'))])
  assert.deepEqual(await store.load(), [])
  const [row = {}] = await database.all('SELECT sealed FROM client_webhooks')
  assert.equal((row['sealed'] as Uint8Array).length, 0)
  assert.deepEqual([await store.countAdded('billing', 99), await store.countAdded('billing', 100)], [1, 0])
})

test('with its client a webhook ends, one that was never confirmed is removed, and both are forgotten in time', async () => {
  const { database, store } = await opened()
  await using _ = database
  await database.execute([
    store.insert(webhook('1')),
    store.insert(webhook('2', { state: 'unconfirmed' })),
    store.insert(webhook('3', { client: 'other', state: 'unconfirmed' })),
  ])
  await database.execute(store.endAll('billing', 300))
  const kept = async () => (await store.load()).map(({ id, state }) => [id, state])
  assert.deepEqual(await kept(), [
    ['1', 'ended'],
    ['3', 'unconfirmed'],
  ])
  await store.prune({ endedMs: 300, unconfirmedMs: 101 })
  assert.deepEqual(await kept(), [['1', 'ended']])
  await store.prune({ endedMs: 301, unconfirmedMs: 0 })
  assert.equal((await database.all('SELECT id FROM client_webhooks')).length, 0)
})

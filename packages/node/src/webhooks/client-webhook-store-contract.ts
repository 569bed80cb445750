/** What every store of clients' webhooks must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { ClientWebhook } from './client-webhook.ts'
import type { ClientWebhookStore } from './client-webhook-store.ts'

/** A webhook of the client `billing`. */
export const testWebhook = (id: string, more: Partial<ClientWebhook> = {}): ClientWebhook => ({
  id,
  client: 'billing',
  url: 'https://hooks.example/in?key=planted',
  format: 'hmac',
  events: ['key.revoked'],
  fingerprints: [],
  secrets: [{ text: 'whsec_planted' }],
  createdMs: 100,
  endedMs: undefined,
  ...more,
})

const webhook = testWebhook

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function clientWebhookStoreContract(open: () => Promise<{ database: Database; store: ClientWebhookStore }>) {
  test('a webhook is read as it was written, the oldest first', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const full = webhook('2', {
      client: 'other',
      format: 'ed25519',
      events: ['key.rotating', 'quota.near'],
      fingerprints: [`sha256:${'A'.repeat(43)}`],
      secrets: [{ text: 'whsk_new' }, { text: 'whsk_old', untilMs: 900 }],
    })
    const earlier = webhook('1', { createdMs: 99, endedMs: 120 })
    await database.execute([store.insert(full), store.insert(earlier), store.insert(webhook('0'))])
    assert.deepEqual(await store.load(), [earlier, webhook('0'), full])
  })

  test('what can change of a webhook is written, and of no other', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(webhook('1')), store.insert(webhook('2'))])
    const changed = webhook('1', { secrets: [{ text: 'whsec_b' }, { text: 'whsec_a', untilMs: 7 }], endedMs: 300 })
    await database.execute([store.update({ ...changed, events: ['key.rotating'] })])
    assert.deepEqual(await store.load(), [changed, webhook('2')], 'what it is told of stays')
  })

  test('what is removed does not come back', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([webhook('1'), webhook('2')].map(store.insert))
    await database.execute([store.remove('1')])
    await database.execute([store.update(webhook('1'))])
    assert.deepEqual(await store.load(), [webhook('2')])
  })

  test('with its client a webhook ends, and is forgotten in time', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(webhook('1')), store.insert(webhook('4', { client: 'other' }))])
    await database.execute([store.endAll('billing', 300)])
    await database.execute([store.endAll('billing', 900)])
    const ended = webhook('1', { endedMs: 300 })
    const other = webhook('4', { client: 'other' })
    assert.deepEqual(await store.load(), [ended, other], 'the first end counts')
    await store.prune(300)
    assert.deepEqual(await store.load(), [ended, other])
    await store.prune(301)
    assert.deepEqual(await store.load(), [other])
  })
}

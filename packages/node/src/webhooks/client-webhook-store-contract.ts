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
  addedBy: 'client',
  state: 'active',
  secrets: [{ text: 'whsec_planted' }],
  code: undefined,
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
      addedBy: 'operator',
      secrets: [{ text: 'whsk_new' }, { text: 'whsk_old', untilMs: 900 }],
    })
    const unconfirmed = webhook('1', { state: 'unconfirmed', code: 'ünï', createdMs: 99 })
    await database.execute([store.insert(full), store.insert(unconfirmed), store.insert(webhook('0'))])
    assert.deepEqual(await store.load(), [unconfirmed, webhook('0'), full])
  })

  test('what can change of a webhook is written, and of no other', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([
      store.insert(webhook('1', { state: 'unconfirmed', code: 'x' })),
      store.insert(webhook('2')),
    ])
    const changed = webhook('1', { secrets: [{ text: 'whsec_b' }, { text: 'whsec_a', untilMs: 7 }] })
    await database.execute([store.update({ ...changed, url: 'https://moved.example/', events: ['key.rotating'] })])
    const [first, second] = await store.load()
    assert.deepEqual([first?.state, first?.code, first?.secrets], ['active', undefined, changed.secrets])
    assert.deepEqual(first?.events, ['key.revoked'], 'what it is told of stays')
    assert.deepEqual(second, webhook('2'))
  })

  test('what is removed does not come back, and counts for its day', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const operators = webhook('3', { addedBy: 'operator' })
    await database.execute(
      [webhook('1'), webhook('2', { client: 'other' }), operators, webhook('4', { createdMs: 300 })].map(store.insert),
    )
    await database.execute([store.remove('1', 200)])
    await database.execute([store.update(webhook('1'))])
    assert.deepEqual(
      (await store.load()).map(({ id }) => id),
      ['2', '3', '4'],
    )
    const counts = [99, 100, 299, 300].map((sinceMs) => store.countAdded('billing', sinceMs))
    assert.deepEqual(await Promise.all(counts), [2, 1, 1, 0], 'those that the operator added do not count')
  })

  test('with its client a webhook ends, one that was never confirmed is removed, and both are forgotten in time', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const unconfirmed = { state: 'unconfirmed', code: 'x' } as const
    await database.execute([
      store.insert(webhook('1')),
      store.insert(webhook('2', unconfirmed)),
      store.insert(webhook('3', { client: 'other', ...unconfirmed })),
      store.insert(webhook('4', { client: 'other' })),
    ])
    await database.execute(store.endAll('billing', 300))
    await database.execute(store.endAll('billing', 900))
    const kept = async () => (await store.load()).map(({ id, state, endedMs }) => [id, state, endedMs])
    const others = [
      ['3', 'unconfirmed', undefined],
      ['4', 'active', undefined],
    ]
    assert.deepEqual(await kept(), [['1', 'ended', 300], ...others], 'the first end counts')
    await store.prune({ endedMs: 300, unconfirmedMs: 100 })
    assert.deepEqual(await kept(), [['1', 'ended', 300], ...others])
    await store.prune({ endedMs: 301, unconfirmedMs: 101 })
    assert.deepEqual(await kept(), [['4', 'active', undefined]])
    assert.equal(await store.countAdded('billing', 0), 0)
  })
}

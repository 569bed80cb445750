/** What every store of requests for a higher quota does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { QuotaRequest } from './quota-request.ts'
import type { QuotaStore } from './quota-store.ts'

type Open = () => Promise<AsyncDisposable & { readonly database: Database; readonly store: QuotaStore }>

const asker = { participant: 'did:web:lab.example', client: '', key: '' }
const request = (id: string, more: Partial<QuotaRequest> = {}): QuotaRequest => ({
  id,
  asker,
  limit: 'monthly',
  product: '',
  units: 500,
  per: 'month',
  reason: 'a study',
  askedMs: 1_000,
  decision: undefined,
  ...more,
})
const granted = { state: 'granted', decidedMs: 2_000, units: 400, untilMs: 9_000, note: undefined } as const

export function quotaStoreContract(open: Open): void {
  test('a request is kept as it was asked, and decided once', async () => {
    await using opened = await open()
    const { database, store } = opened
    await database.execute([store.insertRequest(request('a'))])
    assert.deepEqual(await store.findRequest('a'), request('a'))
    const refused = { state: 'refused', decidedMs: 3_000, units: undefined, untilMs: undefined, note: 'no' } as const
    assert.deepEqual(await database.execute([store.decideRequest('a', granted)]), [1])
    assert.deepEqual(await database.execute([store.decideRequest('a', refused)]), [0])
    assert.deepEqual(await store.findRequest('a'), request('a', { decision: granted }))
    assert.equal(await store.findOpen(asker, 'monthly', ''), undefined)
  })

  test('an asker has one open request for a limit and a product', async () => {
    await using opened = await open()
    const { database, store } = opened
    const other = request('b', { product: 'readings' })
    await database.execute([store.insertRequest(request('a')), store.insertRequest(other)])
    await assert.rejects(database.execute([store.insertRequest(request('c'))]))
    assert.equal((await store.findOpen(asker, 'monthly', 'readings'))?.id, 'b')
    await database.execute([store.decideRequest('a', granted), store.insertRequest(request('c'))])
    assert.equal((await store.findOpen(asker, 'monthly', ''))?.id, 'c')
  })

  test('a grant is changed until it is withdrawn; what was not granted is not', async () => {
    await using opened = await open()
    const { database, store } = opened
    const shorter = { ...granted, decidedMs: 3_000, untilMs: 5_000 } as const
    const withdrawn = { ...granted, state: 'withdrawn', decidedMs: 4_000, untilMs: 4_000 } as const
    await database.execute([store.insertRequest(request('a'))])
    assert.deepEqual(await database.execute([store.changeGrant('a', withdrawn)]), [0])
    await database.execute([store.decideRequest('a', granted)])
    assert.deepEqual(await database.execute([store.changeGrant('a', shorter)]), [1])
    assert.deepEqual([(await store.grants(4_999)).length, (await store.grants(5_000)).length], [1, 0])
    assert.deepEqual(await database.execute([store.changeGrant('a', withdrawn)]), [1])
    assert.deepEqual((await store.findRequest('a'))?.decision, withdrawn)
    assert.deepEqual(await store.grants(0), [])
    assert.deepEqual(await database.execute([store.changeGrant('a', shorter)]), [0])
  })

  test('what is granted counts until it is over', async () => {
    await using opened = await open()
    const { database, store } = opened
    await database.execute([store.insertRequest(request('a')), store.decideRequest('a', granted)])
    assert.deepEqual(
      (await store.grants(8_999)).map(({ id }) => id),
      ['a'],
    )
    assert.deepEqual(await store.grants(9_000), [])
  })

  test('lists have the newest first, of a state, page by page', async () => {
    await using opened = await open()
    const { database, store } = opened
    const all = ['a', 'b', 'c', 'd'].map((id) => request(id, { product: id }))
    await database.execute([...all.map((one) => store.insertRequest(one)), store.decideRequest('c', granted)])
    const ids = async (page: Parameters<QuotaStore['listRequests']>[0]) =>
      (await store.listRequests(page)).map(({ id }) => id)
    assert.deepEqual(await ids({ limit: 2 }), ['d', 'c'])
    assert.deepEqual(await ids({ before: 'c', limit: 2 }), ['b', 'a'])
    assert.deepEqual(await ids({ state: 'asked', limit: 9 }), ['d', 'b', 'a'])
  })

  test('an ask is decided only by the partner that was asked', async () => {
    await using opened = await open()
    const { database, store } = opened
    const { asker: _, ...asked } = request('a')
    await database.execute([store.saveAsk({ ...asked, partner: 'did:web:a.example' })])
    assert.deepEqual(await database.execute([store.decideAsk('a', 'did:web:b.example', granted)]), [0])
    assert.deepEqual(await database.execute([store.decideAsk('a', 'did:web:a.example', granted)]), [1])
    assert.deepEqual((await store.findAsk('a'))?.decision, granted)
  })

  test('of two decisions about an ask the later one counts, whichever comes first', async () => {
    await using opened = await open()
    const { database, store } = opened
    const partner = 'did:web:a.example'
    const withdrawn = { ...granted, state: 'withdrawn', decidedMs: granted.decidedMs + 1 } as const
    const { asker: _, ...asked } = request('a')
    await database.execute([store.saveAsk({ ...asked, partner })])
    const decide = (decision: typeof granted | typeof withdrawn) =>
      database.execute([store.decideAsk('a', partner, decision)])
    assert.deepEqual(await decide(withdrawn), [1])
    assert.deepEqual(await decide(withdrawn), [0])
    assert.deepEqual(await decide(granted), [0])
    assert.deepEqual((await store.findAsk('a'))?.decision, withdrawn)
  })
}

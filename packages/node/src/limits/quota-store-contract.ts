/** What every store of used quotas does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Statement } from '../storage/database.ts'
import type { QuotaStore, QuotaUse } from './quota-ledger.ts'

export interface OpenQuotaStore extends AsyncDisposable {
  readonly store: QuotaStore
  readonly write: (statements: readonly Statement[]) => Promise<unknown>
}

const nowMs = Date.parse('2026-11-22T10:00:00Z')
const use = (changes: Partial<QuotaUse> = {}): QuotaUse => ({
  limit: 'daily',
  per: 'day',
  key: 'participant=did:web:lab.example',
  startMs: Date.parse('2026-11-22T00:00:00Z'),
  units: 3,
  ...changes,
})

/** Registers the tests on stores that `open` makes anew. */
export function testQuotaStore(open: () => Promise<OpenQuotaStore>): void {
  test('adds up what is used of each key of each quota and period', async () => {
    await using opened = await open()
    const { store, write } = opened
    await write([store.add(use()), store.add(use({ units: 4 })), store.add(use({ key: 'participant=other' }))])
    await write([store.add(use({ limit: 'another' })), store.add(use({ units: 1 }))])
    const found = await store.load(nowMs)
    const units = found.map(({ limit, key, units: used }) => [limit, key, used]).toSorted()
    assert.deepEqual(units, [
      ['another', 'participant=did:web:lab.example', 3],
      ['daily', 'participant=did:web:lab.example', 8],
      ['daily', 'participant=other', 3],
    ])
  })

  test('gives periods that are not over, the newest first, later ones than now too', async () => {
    await using opened = await open()
    const { store, write } = opened
    const month = Date.parse('2026-11-01T00:00:00Z')
    const days = ['2026-11-21', '2026-11-22', '2026-11-23'].map((day) =>
      use({ startMs: Date.parse(`${day}T00:00:00Z`) }),
    )
    await write(days.map((each) => store.add(each)))
    await write([store.add(use({ per: 'month', startMs: month, units: 9 }))])
    const found = await store.load(nowMs)
    assert.deepEqual(
      found.map(({ per, startMs }) => [per, new Date(startMs).toISOString().slice(0, 10)]),
      [
        ['day', '2026-11-23'],
        ['day', '2026-11-22'],
        ['month', '2026-11-01'],
      ],
    )
    await write(store.prune(Date.parse('2026-12-01T00:00:00Z')))
    assert.deepEqual(await store.load(0), [])
  })

  test('what a clock that was far ahead counted is added to the running period, once', async () => {
    await using opened = await open()
    const { store, write } = opened
    const [next, far] = [Date.parse('2026-11-23T00:00:00Z'), Date.parse('2036-01-17T00:00:00Z')]
    const monthly = { per: 'month', limit: 'monthly', startMs: Date.parse('2036-01-01T00:00:00Z') } as const
    await write([store.add(use()), store.add(use({ startMs: next, units: 5 })), store.add(use({ startMs: far }))])
    await write([store.add(use(monthly))])
    for (let round = 0; round < 2; round++) await write(await store.bringBack(nowMs))
    assert.deepEqual(await store.load(nowMs), [
      use({ startMs: next, units: 5 }),
      use({ units: 6 }),
      use({ ...monthly, startMs: Date.parse('2026-11-01T00:00:00Z') }),
    ])
  })

  test('forgets one key of one limit, in all periods', async () => {
    await using opened = await open()
    const { store, write } = opened
    const [later, other] = [use({ startMs: Date.parse('2026-11-23T00:00:00Z') }), use({ key: 'participant=other' })]
    await write([use(), later, other, use({ limit: 'another' })].map((each) => store.add(each)))
    await write([store.forget(use())])
    const left = (await store.load(nowMs)).map(({ limit, key }) => `${limit} ${key}`).toSorted()
    assert.deepEqual(left, ['another participant=did:web:lab.example', 'daily participant=other'])
  })

  test('a transaction that fails uses nothing', async () => {
    await using opened = await open()
    const { store, write } = opened
    await assert.rejects(write([store.add(use()), { sql: 'INSERT INTO nowhere VALUES (1)' }]))
    assert.deepEqual(await store.load(nowMs), [])
  })
}

/** What every store of usage does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageCounts, UsageFacts } from './usage-record.ts'
import { dayMs, hourMs, type UsageStore } from './usage-store.ts'

type Open = () => Promise<AsyncDisposable & { readonly store: UsageStore }>

const startMs = Date.UTC(2026, 2, 1)
const refused = { identity: 0, limit: 0, agreement: 0, consent: 0, policy: 0, request: 0 }
const counts = (calls: number, more: Partial<UsageCounts> = {}): UsageCounts => ({
  calls,
  failed: 0,
  refused,
  units: calls,
  bytes: 10 * calls,
  upstreamMs: 5 * calls,
  upstreamMaxMs: calls,
  ...more,
})
const facts = (more: Partial<UsageFacts> = {}): UsageFacts => ({
  side: 'holder',
  participant: 'did:web:lab.example',
  client: '',
  key: 'did:web:lab.example#1',
  credential: 'signature',
  product: 'readings',
  operation: 'list',
  ...more,
})
const all = { side: 'holder', fromMs: 0, untilMs: startMs + 1_000 * dayMs, limit: 100 } as const

export function usageStoreContract(open: Open): void {
  test('what is counted in the same hour is added, and the longest wait stays the longest', async () => {
    await using opened = await open()
    const { store } = opened
    const more = { failed: 1, refused: { ...refused, limit: 2 } }
    await store.add([{ ...facts(), startMs, counts: counts(3) }])
    await store.add([{ ...facts(), startMs, counts: counts(2, more) }])
    const [sum] = await store.sum({ ...all, by: ['product'] })
    assert.deepEqual(sum, { group: ['readings'], counts: { ...counts(5), ...more, upstreamMaxMs: 3 } })
  })

  test('sums are told apart by what is asked for, and are only of what is asked for', async () => {
    await using opened = await open()
    const { store } = opened
    await store.add([
      { ...facts(), startMs, counts: counts(1) },
      { ...facts({ operation: 'get' }), startMs: startMs + hourMs, counts: counts(2) },
      { ...facts({ product: 'people' }), startMs: startMs + dayMs, counts: counts(4) },
      { ...facts({ side: 'recipient' }), startMs, counts: counts(8) },
    ])
    const groups = async (...by: Parameters<UsageStore['sum']>[0]['by']) =>
      (await store.sum({ ...all, by })).map((sum) => [...sum.group, sum.counts.calls])
    assert.deepEqual(await groups('product'), [
      ['people', 4],
      ['readings', 3],
    ])
    assert.deepEqual(await groups('hour', 'operation'), [
      [startMs, 'list', 1],
      [startMs + hourMs, 'get', 2],
      [startMs + dayMs, 'list', 4],
    ])
    assert.deepEqual(await groups('day'), [
      [startMs, 3],
      [startMs + dayMs, 4],
    ])
    const few = await store.sum({ ...all, fromMs: startMs + hourMs, untilMs: startMs + dayMs, by: ['product'] })
    assert.deepEqual(
      few.map(({ counts: { calls } }) => calls),
      [2],
    )
    const own = await store.sum({ ...all, side: 'recipient', product: 'readings', by: ['participant'] })
    assert.deepEqual(
      own.map(({ counts: { calls } }) => calls),
      [8],
    )
  })

  test('pages of sums follow each other without a gap', async () => {
    await using opened = await open()
    const { store } = opened
    const products = ['a', 'b', 'c', 'd', 'e']
    await store.add(products.map((product) => ({ ...facts({ product }), startMs, counts: counts(1) })))
    const seen: unknown[] = []
    let after: readonly (string | number)[] | undefined
    for (;;) {
      const page = await store.sum({ ...all, by: ['day', 'product'], limit: 2, after })
      seen.push(...page.map(({ group }) => group[1]))
      after = page.at(-1)?.group
      if (page.length < 2) break
    }
    assert.deepEqual(seen, products)
  })

  test('old hours become days with the same sums, and what is older than is kept is gone', async () => {
    await using opened = await open()
    const { store } = opened
    const old = [0, 1, 23, 24].map((hour) => ({
      ...facts(),
      startMs: startMs + hour * hourMs,
      counts: counts(hour + 1),
    }))
    await store.add([...old, { ...facts(), startMs: startMs - dayMs, counts: counts(100) }])
    const moments = { hoursFromMs: startMs + dayMs, daysFromMs: startMs }
    await store.tidy(moments)
    await store.tidy(moments)
    const days = await store.sum({ ...all, by: ['day'] })
    assert.deepEqual(
      days.map(({ group, counts: { calls, upstreamMaxMs } }) => [...group, calls, upstreamMaxMs]),
      [
        [startMs, 27, 24],
        [startMs + dayMs, 25, 25],
      ],
    )
    const hours = await store.hours(all)
    assert.deepEqual(
      hours.map((hour) => [hour.startMs, hour.counts.calls]),
      [[startMs + dayMs, 25]],
    )
  })

  test('who called what is told once', async () => {
    await using opened = await open()
    const { store } = opened
    await store.add([0, 1].map((hour) => ({ ...facts(), startMs: startMs + hour * hourMs, counts: counts(1) })))
    assert.deepEqual(await store.callers(all), [facts()])
  })
}

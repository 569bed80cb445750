import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemKinds } from '@comity/core/problems'
import { openSqlite } from '../storage/sqlite.ts'
import { refusalClassOf, type UsedCall } from './usage-record.ts'
import { usageSchema } from './usage-schema.ts'
import { hourMs, type UsageStore } from './usage-store.ts'
import { createUsageStore } from './usage-store-sql.ts'
import { Usage } from './usage.ts'

const call: UsedCall = {
  side: 'holder',
  participant: 'did:web:lab.example',
  client: '',
  key: '',
  credential: 'signature',
  product: 'readings',
  operation: 'list',
  outcome: 'allowed',
  code: undefined,
  units: 1,
  bytes: 7,
  upstreamMs: 2.4,
}
const whole = { side: 'holder', fromMs: 0, untilMs: 1e14, by: ['hour'], limit: 100 } as const

async function openUsage(change: (store: UsageStore) => UsageStore = (store) => store) {
  const database = await openSqlite(':memory:')
  await database.execute(usageSchema.map((sql) => ({ sql })))
  const clock = { nowMs: Date.UTC(2026, 0, 1, 10, 59), now: () => clock.nowMs }
  const store = createUsageStore(database)
  const usage = new Usage({ store: change(store), clock, keepDays: 400, hourlyDays: 90 })
  return { usage, store, clock, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

test('calls count in the hour in which they end, each by how it ended', async () => {
  await using opened = await openUsage()
  const { usage, store, clock } = opened
  usage.used(call)
  usage.used({ ...call, outcome: 'denied', code: 'consent-inactive', bytes: 0, units: 0 })
  clock.nowMs += hourMs
  usage.used({ ...call, outcome: 'failed', code: 'upstream-timeout', upstreamMs: 900 })
  await usage.flush()
  const sums = (await store.sum(whole)).map(({ counts }) => counts)
  assert.deepEqual(
    sums.map(({ calls, failed, refused, units, bytes, upstreamMaxMs }) =>
      [calls, failed, refused.consent, refused.request, units, bytes, upstreamMaxMs].join(' '),
    ),
    ['2 0 1 0 1 7 2', '1 1 0 0 1 7 900'],
  )
})

test('what the storage does not take is kept, and counted once when it does', async () => {
  let isFull = true
  await using opened = await openUsage((store) => ({
    ...store,
    add: (hours) => (isFull ? Promise.reject(new Error('full')) : store.add(hours)),
  }))
  const { usage, store } = opened
  usage.used(call)
  const writing = usage.flush()
  usage.used(call)
  usage.used({ ...call, product: 'people' })
  await assert.rejects(writing, /full/)
  isFull = false
  await usage.flush()
  await usage.flush()
  const sums = await store.sum({ ...whole, by: ['product'] })
  assert.deepEqual(
    sums.map(({ group, counts }) => [...group, counts.calls]),
    [
      ['people', 1],
      ['readings', 2],
    ],
  )
})

test('a flood of names does not fill the memory: beyond a bound calls count without them', async () => {
  await using opened = await openUsage()
  const { usage, store } = opened
  for (let n = 0; n < 20_050; n++) usage.used({ ...call, operation: `operation-${n}` })
  await usage.flush()
  const [rest] = await store.sum({ ...whole, by: ['operation'], limit: 1 })
  assert.deepEqual([rest?.group, rest?.counts.calls], [[''], 50])
  const [all] = await store.sum({ ...whole, by: ['hour'] })
  assert.equal(all?.counts.calls, 20_050)
})

test('every code of a refusal is of a class', () => {
  const classes = new Map<string, string[]>()
  for (const code of Object.keys(problemKinds)) {
    const of = refusalClassOf(code)
    classes.set(of, [...(classes.get(of) ?? []), code])
  }
  assert.deepEqual([...classes.keys()].toSorted(), ['agreement', 'consent', 'identity', 'limit', 'policy', 'request'])
  assert.equal(refusalClassOf('invalid-body'), 'request')
  assert.equal(refusalClassOf('made-up-by-a-partner'), 'request')
  // No policy decided it: an operator looks at the key.
  assert.equal(refusalClassOf('key-scope'), 'identity')
  assert.deepEqual(['quota-exceeded', 'nonce-replayed', 'agreement-expired', 'policy-denied'].map(refusalClassOf), [
    'limit',
    'identity',
    'agreement',
    'policy',
  ])
})

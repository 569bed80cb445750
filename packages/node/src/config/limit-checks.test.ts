/** What is refused of `limits.rules` and of costs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitRuleSchema } from '../limits/limit-rule-config.ts'
import { limitMistakes } from './limit-checks.ts'

const rule = (given: object) => ({ name: 'rule', by: ['participant'], ...given })
const good = [
  { units: 100, perSeconds: 60, burst: 20 },
  { units: 100, perSeconds: 60, algorithm: 'sliding-window' },
  { quota: { units: 1_000_000_000, per: 'month' } },
  { concurrency: 2, for: { operations: ['readings/GET /a/{b}'], credential: ['none', 'api-key'] } },
  { by: [], units: 1, perSeconds: 86_400 },
]
for (const given of good) {
  test(`takes ${JSON.stringify(given)}`, () => void limitRuleSchema.parse(rule(given)))
}

const bad: [object, RegExp][] = [
  [{}, /must have one of `units` with `perSeconds`, `quota` and `concurrency`/],
  [{ units: 1, perSeconds: 1, concurrency: 1 }, /must have one of/],
  [{ units: 1 }, /perSeconds.*is missing/s],
  [{ perSeconds: 1 }, /units.*is missing/s],
  [{ units: 0, perSeconds: 1 }, />=1/],
  [{ units: 10_000_001, perSeconds: 1 }, /<=10000000/],
  [{ units: 1.5, perSeconds: 1 }, /int/],
  [{ units: 1, perSeconds: 86_401 }, /<=86400/],
  [{ quota: { units: 1e15, per: 'day' } }, /<=1000000000000/],
  [{ quota: { units: 1, per: 'week' } }, /per/],
  [{ concurrency: 1_000_000 }, /<=100000/],
  [{ concurrency: 1, burst: 2 }, /burst.*goes with/s],
  [{ quota: { units: 1, per: 'day' }, algorithm: 'gcra' }, /algorithm.*goes with/s],
  [{ units: 1, perSeconds: 1, burst: 2, algorithm: 'sliding-window' }, /does not go with `sliding-window`/],
  [{ by: ['participant', 'participant'], concurrency: 1 }, /twice/],
  [{ by: ['person'], concurrency: 1 }, /by/],
  [{ by: ['subject'], for: { credential: ['none'] }, concurrency: 1 }, /never meets a call/],
  [{ concurrency: 1, for: { operations: ['list'] } }, /must be `product\/operation`/],
  [{ concurrency: 1, name: 'With "quotes"' }, /must match/],
]
for (const [given, message] of bad) {
  test(`refuses ${JSON.stringify(given)}`, () => {
    const { error } = limitRuleSchema.safeParse(rule(given))
    assert.match(JSON.stringify(error?.issues), message)
  })
}

const messagesOf = (config: object) => limitMistakes(config).map(({ path, message }) => `${path.join('.')}: ${message}`)

test('refuses names that are taken, by another rule or by a product`s own rate', () => {
  const rules = [{ name: 'a' }, { name: 'a' }, { name: 'readings' }]
  assert.deepEqual(messagesOf({ limits: { rules }, products: [{ id: 'readings' }] }), [
    'limits.rules.1.name: `a` is taken by `limits.rules[0]`',
    'limits.rules.2.name: `readings` is the id of a product, whose own rate is announced by that name',
  ])
})

test('refuses costs that a limit never admits', () => {
  const product = { id: 'readings', limits: { rate: { requests: 600, burst: 50 } } }
  const withCost = (cost: number) => ({ ...product, operations: { report: { cost } } })
  const rules = [
    { name: 'tight', units: 10 },
    { name: 'elsewhere', units: 1, for: { products: ['reports'] } },
    { name: 'other-operation', units: 1, for: { operations: ['readings/list'] } },
    { name: 'daily', quota: { units: 20, per: 'day' as const } },
  ]
  const of = (cost: number) =>
    messagesOf({ limits: { rules }, products: [withCost(cost)] }).map((text) => text.slice(35))
  assert.deepEqual(of(10), [])
  assert.deepEqual(of(15), ['is more than the limit `tight` ever admits at once (10)'])
  assert.deepEqual(of(25), [
    'is more than the limit `tight` ever admits at once (10)',
    'is more than the limit `daily` ever admits at once (20)',
  ])
  assert.deepEqual(of(51), ["is more than the product's own rate ever admits at once (50)"])
})

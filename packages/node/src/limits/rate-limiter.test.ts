import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRateLimit, parseRateLimitPolicy } from '@comity/core/limits/rate-limit-fields'
import { rateLimitedProblem, rateLimitFields } from './rate-limit-fields.ts'
import type { Charge } from './limit.ts'
import { limitRuleSchema } from './limit-rule-config.ts'
import { limitOf } from './limit-rules.ts'
import { createRateLimiter } from './rate-limiter.ts'

const perCaller = { name: 'caller', limit: 100, periodMs: 60_000 }
const perProduct = { name: 'product', limit: 10, periodMs: 1_000 }
const fields = (flat: readonly string[]) =>
  new Map(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] as string] as const] : [])))

test('admits exactly the limit of 10,000 racing calls', async () => {
  const limiter = createRateLimiter()
  const calls = Array.from({ length: 10_000 }, async () => {
    await Promise.resolve()
    return limiter.charge([{ limit: perCaller, key: 'did:web:a' }], 5_000).allowed
  })
  const answers = await Promise.all(calls)
  assert.equal(answers.filter(Boolean).length, 100)
})

test('charges all limits of a call or none of them', () => {
  const limiter = createRateLimiter()
  const both: Charge[] = [
    { limit: perCaller, key: 'a' },
    { limit: perProduct, key: 'p' },
  ]
  for (let call = 0; call < 10; call++) assert.equal(limiter.charge(both, 0).allowed, true)
  const refused = limiter.charge(both, 0)
  assert.equal(refused.allowed, false)
  assert.equal(refused.retryAfterMs, 100)
  assert.equal(limiter.charge([{ limit: perCaller, key: 'a', cost: 0 }], 0).standings[0]?.verdict.remaining, 90)
})

test('keys and limits do not touch each other', () => {
  const limiter = createRateLimiter()
  const tight = { name: 'tight', limit: 1, periodMs: 1_000 }
  assert.equal(limiter.charge([{ limit: tight, key: 'a' }], 0).allowed, true)
  assert.equal(limiter.charge([{ limit: tight, key: 'a' }], 0).allowed, false)
  assert.equal(limiter.charge([{ limit: tight, key: 'b' }], 0).allowed, true)
  assert.equal(limiter.charge([{ limit: { ...tight, name: 'other' }, key: 'a' }], 0).allowed, true)
})

test('a full store refuses new keys, keeps known ones, and takes new ones when old ones have drained', () => {
  const limiter = createRateLimiter({ maxKeys: 1_000 })
  const limit = { name: 'address', limit: 2, periodMs: 1_000 }
  for (let key = 0; key < 1_000; key++) limiter.charge([{ limit, key: `${key}` }], 0)
  const flood = limiter.charge([{ limit, key: 'new' }], 0)
  assert.equal(flood.allowed, false)
  assert.equal(rateLimitedProblem(flood).members.retryAfterSeconds, 1)
  assert.equal(limiter.charge([{ limit, key: '7' }], 0).allowed, true)
  assert.equal(limiter.charge([{ limit, key: '7' }], 0).allowed, false)
  assert.equal(limiter.charge([{ limit, key: 'new' }], 2_000).allowed, true)
})

test('asking costs nothing and needs no room', () => {
  const limiter = createRateLimiter({ maxKeys: 1 })
  const limit = { name: 'asked', limit: 1, periodMs: 60_000 }
  for (let key = 0; key < 100; key++) {
    assert.equal(limiter.charge([{ limit, key: `${key}`, cost: 0 }], 0).standings[0]?.verdict.remaining, 1)
  }
  assert.equal(limiter.charge([{ limit, key: 'a' }], 0).allowed, true)
  assert.equal(limiter.charge([{ limit, key: 'a', cost: 0 }], 0).standings[0]?.verdict.remaining, 0)
})

test('a flood of keys never lifts the limit of a known one', () => {
  const limiter = createRateLimiter({ maxKeys: 50 })
  const limit = { name: 'address', limit: 3, periodMs: 60_000 }
  let admitted = 0
  for (let call = 0; call < 5_000; call++) {
    limiter.charge([{ limit, key: `flood-${call}` }], call)
    if (limiter.charge([{ limit, key: 'known' }], call).allowed) admitted++
  }
  assert.ok(admitted <= 3, `${admitted}`)
})

test('never admits more than the burst and what time restores, however keys and times are mixed', () => {
  const limit = { name: 'x', limit: 5, periodMs: 1_000, burst: 3 }
  const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 400 })), { maxLength: 150 })
  const property = fc.property(calls, (list) => {
    const limiter = createRateLimiter({ maxKeys: 3 })
    const admitted = new Map<number, number>()
    let now = 0
    for (const [key, gap] of list) {
      now += gap
      if (!limiter.charge([{ limit, key: `${key}` }], now).allowed) continue
      admitted.set(key, (admitted.get(key) ?? 0) + 1)
    }
    for (const count of admitted.values()) assert.ok(count <= 3 + Math.floor((now * 5) / 1_000))
  })
  fc.assert(property, { numRuns: 100 })
})

test('announces each limit, and the tightest in the older fields', () => {
  const limiter = createRateLimiter()
  const verdict = limiter.charge(
    [
      { limit: perCaller, key: 'a' },
      { limit: perProduct, key: 'p' },
    ],
    0,
  )
  const announced = fields(rateLimitFields(verdict))
  assert.equal(announced.get('ratelimit-policy'), '"caller";q=100;w=60, "product";q=10;w=1')
  assert.equal(announced.get('ratelimit'), '"caller";r=99;t=1, "product";r=9;t=1')
  assert.equal(announced.get('x-ratelimit-limit'), '10')
  assert.equal(announced.get('x-ratelimit-remaining'), '9')
  assert.equal(announced.get('x-ratelimit-reset'), '1')
  assert.equal(parseRateLimit(announced.get('ratelimit')).length, 2)
  assert.equal(parseRateLimitPolicy(announced.get('ratelimit-policy')).length, 2)
})

test('the older fields are of the limit with the fewest units left, whatever part of it that is', () => {
  const daily = { kind: 'quota', name: 'daily', units: 100, per: 'day' } as const
  const pace = { name: 'pace', limit: 300, periodMs: 60_000, burst: 40 }
  const limiter = createRateLimiter()
  limiter.charge([{ limit: daily, key: 'a', cost: 27 }], 0)
  const verdict = limiter.charge(
    [daily, pace].map((limit) => ({ limit, key: 'a' })),
    0,
  )
  assert.equal(fields(rateLimitFields(verdict)).get('x-ratelimit-remaining'), '39')
})

const anyLimit = fc.constantFrom<Charge['limit']>(
  { name: 'g', limit: 7, periodMs: 1_000, burst: 5 },
  { kind: 'sliding-window', name: 'w', limit: 6, periodMs: 1_000 },
  { kind: 'quota', name: 'q', units: 9, per: 'day' },
)

test('what is given back never lets in more than if it had not been taken', () => {
  const step = fc.record({
    gap: fc.integer({ min: 0, max: 400 }),
    cost: fc.integer({ min: 1, max: 5 }),
    isGivenBack: fc.boolean(),
    after: fc.integer({ min: 0, max: 400 }),
  })
  const property = fc.property(anyLimit, fc.array(step, { maxLength: 25 }), (limit, steps) => {
    const [limiter, kept] = [createRateLimiter(), createRateLimiter()]
    const back: { atMs: number; give: () => unknown }[] = []
    let now = 0
    for (const { gap, cost, isGivenBack, after } of steps) {
      now += gap
      for (const one of back.splice(0)) if (one.atMs > now || one.give() === undefined) back.push(one)
      const { allowed, giveBack } = limiter.charge([{ limit, key: 'a', cost }], now)
      if (!allowed) continue
      if (isGivenBack) back.push({ atMs: now + after, give: () => giveBack?.({ units: 1 }, now) ?? true })
      else assert.equal(kept.charge([{ limit, key: 'a', cost }], now).allowed, true)
    }
  })
  fc.assert(property, { numRuns: 200 })
})

test('a refusal names the limit and when to come back, never earlier than it would be admitted', () => {
  const limiter = createRateLimiter()
  const limit = { name: 'slow', limit: 1, periodMs: 90_500 }
  limiter.charge([{ limit, key: 'a' }], 0)
  const verdict = limiter.charge([{ limit, key: 'a' }], 100)
  const problem = rateLimitedProblem(verdict)
  assert.equal(problem.code, 'rate-limited')
  assert.deepEqual(problem.members, { 'violated-policies': ['slow'], retryAfterSeconds: 91 })
  assert.equal(fields(rateLimitFields(verdict)).get('ratelimit'), '"slow";r=0;t=91')
  assert.equal(limiter.charge([{ limit, key: 'a' }], 100 + 91_000).allowed, true)
})

test('a clock that was set back locks nobody out, and gives nobody more', () => {
  for (const kind of ['gcra', 'sliding-window'] as const) {
    const limiter = createRateLimiter()
    const charges = [{ limit: { kind, name: 'x', limit: 2, periodMs: 10_000 }, key: 'a' }]
    const hour = 3_600_000
    for (let call = 0; call < 2; call++) assert.equal(limiter.charge(charges, hour).allowed, true)
    const { allowed, retryAfterMs } = limiter.charge(charges, 0)
    assert.equal(allowed, false)
    assert.ok(retryAfterMs <= 10_500, `${retryAfterMs}`)
    assert.equal(limiter.charge(charges, retryAfterMs - 1).allowed, false)
    assert.equal(limiter.charge(charges, retryAfterMs).allowed, true)
  }
})

test('a refused call is told how the limits stand that would have admitted it, uncharged', () => {
  const limiter = createRateLimiter()
  const tight = { name: 'tight', limit: 1, periodMs: 60_000 }
  const charges = [
    { limit: perCaller, key: 'a', cost: 10 },
    { limit: tight, key: 'a' },
  ]
  limiter.charge(charges, 0)
  const { standings } = limiter.charge(charges, 0)
  assert.deepEqual(
    standings.map(({ verdict }) => verdict.remaining),
    [90, 0],
  )
})

test('a quota that was used up under a clock that was years ahead is whole again with the next day', () => {
  const limiter = createRateLimiter()
  const charges = [{ limit: { kind: 'quota', name: 'daily', units: 1, per: 'day' }, key: 'a' } as const]
  assert.equal(limiter.charge(charges, Date.parse('2036-01-17T00:00:00Z')).allowed, true)
  const { allowed, retryAfterMs } = limiter.charge(charges, Date.parse('2026-11-22T10:00:00Z'))
  assert.deepEqual({ allowed, retryAfterMs }, { allowed: false, retryAfterMs: 14 * 3_600_000 })
  assert.equal(limiter.charge(charges, Date.parse('2026-11-23T00:00:00Z')).allowed, true)
})

test('the largest rate that a rule may have is counted exactly', () => {
  const most = { name: 'x', by: [], units: 10_000_000, perSeconds: 86_400 }
  const limiter = createRateLimiter()
  const charge = { limit: limitOf(limitRuleSchema.parse(most)), key: 'a' }
  assert.equal(limiter.charge([{ ...charge, cost: 9_999_999 }], 0).standings[0]?.verdict.remaining, 1)
  assert.equal(limiter.charge([charge], 1).allowed, true)
  assert.equal(limiter.charge([charge], 1).retryAfterMs, 8)
  assert.equal(limiter.charge([charge], 9).allowed, true)
  for (const more of [
    { units: 10_000_001 },
    { perSeconds: 86_401 },
    { burst: 10_000_001 },
    { units: 1.5 },
    { name: 'a"' },
  ])
    assert.equal(limitRuleSchema.safeParse({ ...most, ...more }).success, false)
})

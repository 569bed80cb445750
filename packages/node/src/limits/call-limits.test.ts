import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRateLimit } from '@comity/core/limits/rate-limit-fields'
import type { Statement } from '../storage/database.ts'
import { CallLimits, type CallHold, type LimitAnswer, type LimitedCall } from './call-limits.ts'
import { limitRuleSchema } from './limit-rule-config.ts'
import { compileRules } from './limit-rules.ts'
import { QuotaLedger, type QuotaUse } from './quota-ledger.ts'
import { createRateLimiter } from './rate-limiter.ts'

type RuleInput = Parameters<typeof limitRuleSchema.parse>[0]

const rule = (given: object): RuleInput => ({ name: 'rule', by: ['participant'], ...given })

function limitsWith(rules: readonly RuleInput[], written: QuotaUse[] = []) {
  const refused: string[] = []
  const ledger = new QuotaLedger({
    add(use): Statement {
      written.push(use)
      return { sql: '' }
    },
  })
  const calls = new CallLimits({
    limiter: createRateLimiter(),
    rules: compileRules(rules.map((given) => limitRuleSchema.parse(given))),
    ledger,
    hash: (text) => `hash-of-${text}`.padEnd(43, '_'),
    onRefused: ({ name }) => void refused.push(name),
  })
  return { calls, ledger, refused, written }
}

const callOf = (changes: Partial<LimitedCall> = {}): LimitedCall => ({
  caller: 'did:web:lab.example',
  alias: 'lab',
  address: '192.0.2.1',
  key: 'did:web:lab.example#k1',
  client: undefined,
  credential: 'signature',
  product: 'readings',
  hasCosts: false,
  operation: () => ({ id: 'list', units: 1 }),
  ...changes,
})

function now(answer: LimitAnswer | Promise<LimitAnswer> | undefined): LimitAnswer {
  if (answer === undefined || answer instanceof Promise) assert.fail('must answer at once')
  return answer
}

const admitted = (calls: CallLimits, changes: Partial<LimitedCall> = {}, atMs = 0): boolean =>
  now(calls.admit(callOf(changes), undefined, atMs)).refusal === undefined

function held(answer: LimitAnswer): CallHold {
  return answer.hold ?? assert.fail('must be admitted')
}

test('each dimension is counted for itself, and any of them together', () => {
  const others = {
    participant: { caller: 'did:web:other.example' },
    key: { key: 'did:web:lab.example#k2' },
    client: { client: 'reader' },
    product: { product: 'reports' },
    operation: { operation: () => ({ id: 'get', units: 1 }) },
    address: { address: '192.0.2.2' },
  }
  for (const [dimension, other] of Object.entries(others)) {
    const { calls } = limitsWith([rule({ by: [dimension], units: 1, perSeconds: 60 })])
    assert.deepEqual([admitted(calls), admitted(calls), admitted(calls, other)], [true, false, true], dimension)
  }
  const { calls } = limitsWith([rule({ by: ['participant', 'address'], units: 1, perSeconds: 60 })])
  const both = [admitted(calls), admitted(calls, others.participant), admitted(calls, others.address), admitted(calls)]
  assert.deepEqual(both, [true, true, true, false])
})

test('a rule by nothing counts all calls together', () => {
  const { calls } = limitsWith([rule({ by: [], units: 1, perSeconds: 60 })])
  assert.deepEqual([admitted(calls), admitted(calls, { caller: 'ip:1', address: '192.0.2.9' })], [true, false])
})

test('a rule meets only the calls that it is for', () => {
  const filters: [object, Partial<LimitedCall>][] = [
    [{ products: ['readings'] }, { product: 'reports' }],
    [{ operations: ['readings/list'] }, { operation: () => ({ id: 'get', units: 1 }) }],
    [{ operations: ['readings/list'] }, { operation: () => undefined }],
    [{ participants: ['lab'] }, { caller: 'did:web:other.example', alias: 'other' }],
    [{ participants: ['did:web:lab.example'] }, { caller: 'ip:192.0.2.1', alias: undefined }],
    [{ credential: ['signature'] }, { credential: 'none' }],
  ]
  for (const [filter, other] of filters) {
    const { calls } = limitsWith([rule({ by: [], for: filter, units: 1, perSeconds: 60 })])
    const seen = [admitted(calls), admitted(calls), admitted(calls, other), admitted(calls, other)]
    assert.deepEqual(seen, [true, false, true, true], JSON.stringify(filter))
  }
  const { calls } = limitsWith([rule({ by: [], for: { clients: ['reader'] }, units: 1, perSeconds: 60 })])
  const seen = [admitted(calls), admitted(calls, { client: 'reader' }), admitted(calls, { client: 'reader' })]
  assert.deepEqual(seen, [true, true, false])
})

test('all limits of a call are charged or none, the product`s own rate too', () => {
  const { calls, refused } = limitsWith([
    rule({ name: 'wide', units: 100, perSeconds: 60 }),
    rule({ name: 'tight', units: 1, perSeconds: 60 }),
  ])
  const own = { limit: { name: 'readings', limit: 50, periodMs: 60_000 }, key: 'readings lab' }
  for (let call = 0; call < 5; call++) calls.admit(callOf(), own, 0)
  const answer = now(calls.admit(callOf({ caller: 'did:web:other.example' }), own, 0))
  const left = new Map(parseRateLimit(answer.fields[3]).map(({ name, remaining }) => [name, remaining]))
  assert.deepEqual(Object.fromEntries(left), { readings: 48, wide: 99, tight: 0 })
  assert.deepEqual(refused, Array(4).fill('tight'))
})

test('a refusal names what is violated, with the code of what lasts longest', () => {
  const { calls } = limitsWith([
    rule({ name: 'slow', units: 1, perSeconds: 60 }),
    rule({ name: 'daily', quota: { units: 1, per: 'day' } }),
    rule({ name: 'at-once', concurrency: 1 }),
  ])
  now(calls.admit(callOf(), undefined, 0))
  const { refusal, fields } = now(calls.admit(callOf(), undefined, 1_000))
  assert.equal(refusal?.code, 'quota-exceeded')
  assert.deepEqual(refusal.members, {
    'violated-policies': ['slow', 'daily', 'at-once'],
    retryAfterSeconds: 86_399,
  })
  assert.equal(fields[1], '"slow";q=1;w=60, "daily";q=1;w=86400, "at-once";q=1;qu="concurrent-requests"')
  assert.equal(fields[3], '"slow";r=0;t=59, "daily";r=0;t=86399, "at-once";r=0')
  const slots = limitsWith([rule({ name: 'at-once', concurrency: 1 })]).calls
  now(slots.admit(callOf(), undefined, 0))
  assert.equal(now(slots.admit(callOf(), undefined, 0)).refusal?.code, 'concurrency-limited')
})

test('a slot is held until the call ends, and given back once', () => {
  const { calls } = limitsWith([rule({ concurrency: 2 })])
  const first = held(now(calls.admit(callOf(), undefined, 0)))
  const second = held(now(calls.admit(callOf(), undefined, 0)))
  assert.equal(admitted(calls), false)
  first.end()
  first.end()
  assert.deepEqual([admitted(calls), admitted(calls)], [true, false])
  second.end()
  assert.equal(admitted(calls), true)
})

test('a call takes as many units as its operation costs', () => {
  const { calls } = limitsWith([rule({ units: 10, perSeconds: 60 })])
  const costly = { hasCosts: true, operation: () => ({ id: 'report', units: 4 }) }
  assert.deepEqual([admitted(calls, costly), admitted(calls, costly), admitted(calls, costly)], [true, true, false])
  assert.deepEqual([admitted(calls), admitted(calls), admitted(calls)], [true, true, false])
})

test('items are charged when they are known, and the wait is for the whole call', () => {
  const { calls } = limitsWith([rule({ units: 10, perSeconds: 10 })])
  const items = (units: number) => ({ operation: { id: 'batch', units }, subject: undefined })
  const first = held(now(calls.admit(callOf(), undefined, 0)))
  assert.equal(first.chargeLater(items(1), 0), undefined)
  assert.equal(now(first.chargeLater(items(6), 0)).refusal, undefined)
  const second = held(now(calls.admit(callOf(), undefined, 0)))
  const { refusal } = now(second.chargeLater(items(6), 0))
  // 6 are spent, and 6 of 10 do not fit before 2 of them are back.
  assert.equal(refusal?.members['retryAfterSeconds'], 2)
  const third = held(now(calls.admit(callOf(), undefined, 2_000)))
  assert.equal(now(third.chargeLater(items(6), 2_000)).refusal, undefined)
})

const kindsOfRule = [
  { units: 60, perSeconds: 86_400 },
  { units: 60, perSeconds: 86_400, algorithm: 'sliding-window' },
  { quota: { units: 60, per: 'day' } },
]

test('a batch that is refused takes nothing, however often it is tried: racing batches use a limit up to its last unit', async () => {
  for (const given of kindsOfRule) {
    const written: QuotaUse[] = []
    const { calls, ledger } = limitsWith([rule(given)], written)
    const batch = async (units: number): Promise<boolean> => {
      const { hold } = now(calls.admit(callOf(), undefined, 5))
      if (hold === undefined) return false
      await Promise.resolve()
      const refused = now(hold.chargeLater({ operation: { id: 'batch', units }, subject: undefined }, 5)).refusal
      if (refused !== undefined) assert.equal(hold.units, 0)
      hold.statements()
      hold.recorded()
      hold.end()
      return refused === undefined
    }
    assert.equal(admitted(calls, {}, 5), true)
    let taken = 1
    for (const answers of [await Promise.all(Array.from({ length: 50 }, () => batch(3)))])
      taken += 3 * answers.filter(Boolean).length
    for (let again = 0; again < 50; again++) if (await batch(3)) taken += 3
    assert.equal(taken, 58)
    const singles = Array.from({ length: 20 }, () => admitted(calls, {}, 5)).filter(Boolean).length
    assert.equal(taken + singles, 60, JSON.stringify(given))
    assert.equal(ledger.isSettled, true)
    if ('quota' in given)
      assert.equal(
        written.reduce((sum, { units }) => sum + units, 0),
        57,
      )
  }
})

test('where a limit by subject refuses, the others get back what they took, and say so', () => {
  const { calls } = limitsWith([
    rule({ name: 'daily', quota: { units: 10, per: 'day' } }),
    rule({ name: 'person', by: ['subject'], units: 1, perSeconds: 60 }),
  ])
  const about = () => {
    const hold = held(now(calls.admit(callOf(), undefined, 0)))
    return now(hold.chargeLater({ operation: { id: 'list', units: 1 }, subject: 'athlete-7' }, 0))
  }
  assert.equal(about().refusal, undefined)
  const { refusal, fields } = about()
  assert.deepEqual(refusal?.members['violated-policies'], ['person'])
  assert.match(fields[3] ?? '', /^"daily";r=9;/)
})

test('a batch that no wait makes fit is told what it costs and what the limit admits', () => {
  const { calls } = limitsWith([rule({ units: 300, perSeconds: 60, burst: 40 })])
  const items = (units: number) => ({ operation: { id: 'batch', units }, subject: undefined })
  for (const units of [41, 42, 500]) {
    const first = now(calls.admit(callOf(), undefined, 0))
    assert.match(first.fields[1] ?? '', /;q=300;w=60;comity-burst=40$/)
    const { refusal } = now(held(first).chargeLater(items(units), 0))
    assert.deepEqual(
      [refusal?.code, refusal?.members],
      ['batch-too-large', { 'violated-policies': ['rule'], cost: units, largest: 40 }],
    )
  }
  assert.equal(now(held(now(calls.admit(callOf(), undefined, 0))).chargeLater(items(40), 0)).refusal, undefined)
})

test('a limit by subject is charged when the call is covered, for each subject, under a name that is not theirs', () => {
  const { calls } = limitsWith([rule({ by: ['participant', 'subject'], units: 1, perSeconds: 60 })])
  const about = (subject: string | undefined) => {
    const hold = held(now(calls.admit(callOf(), undefined, 0)))
    return hold.chargeLater({ operation: { id: 'list', units: 1 }, subject }, 0)
  }
  assert.equal(about(undefined), undefined)
  const first = now(about('athlete-7'))
  assert.equal(first.refusal, undefined)
  assert.doesNotMatch(first.fields.join(' '), /athlete/)
  assert.match(first.fields[1] ?? '', /;pk=:[A-Za-z0-9+/]{8}:$/)
  assert.deepEqual(
    [now(about('athlete-8')).refusal, now(about('athlete-7')).refusal?.code],
    [undefined, 'rate-limited'],
  )
})

test('an operation that is known late is charged late, once', () => {
  const { calls } = limitsWith([rule({ by: ['operation'], units: 1, perSeconds: 60 })])
  const late = { operation: () => undefined }
  const first = held(now(calls.admit(callOf(late), undefined, 0)))
  const known = { operation: { id: 'list', units: 1 }, subject: undefined }
  assert.equal(now(first.chargeLater(known, 0)).refusal, undefined)
  assert.equal(first.chargeLater(known, 0), undefined)
  assert.equal(admitted(calls), false)
})

test('what is used of quotas is written with the record, or carried to be written later', async () => {
  const written: QuotaUse[] = []
  const { calls, ledger } = limitsWith([rule({ name: 'daily', quota: { units: 10, per: 'day' } })], written)
  const recorded = held(now(calls.admit(callOf(), undefined, 5)))
  assert.equal(recorded.statements().length, 1)
  assert.deepEqual(written, [
    { limit: 'daily', per: 'day', key: 'participant=did:web:lab.example', startMs: 0, units: 1 },
  ])
  recorded.recorded()
  assert.equal(recorded.statements().length, 0)
  recorded.end()
  assert.equal(ledger.isSettled, true)
  const lost = held(now(calls.admit(callOf(), undefined, 5)))
  lost.end()
  assert.equal(ledger.isSettled, false)
  await assert.rejects(ledger.settle({ execute: () => Promise.reject(new Error('full')) }))
  assert.equal(ledger.isSettled, false)
  await ledger.settle({ execute: (statements) => Promise.resolve(statements.map(() => 1)) })
  assert.equal(ledger.isSettled, true)
})

test('an address stands in no quota that is kept', () => {
  const written: QuotaUse[] = []
  const { calls } = limitsWith([rule({ by: ['address'], quota: { units: 10, per: 'month' } })], written)
  held(now(calls.admit(callOf(), undefined, 5))).statements()
  assert.match(written[0]?.key ?? '', /^address=hash-of-/)
  for (const by of ['participant', 'key', 'client', 'address'] as const) {
    const stranger = limitsWith([rule({ by: [by], quota: { units: 10, per: 'month' } })], written)
    held(now(stranger.calls.admit({ ...callOf(), caller: 'ip:192.0.2.1', key: undefined }, undefined, 5))).statements()
    assert.match(written.at(-1)?.key ?? '', /^strangers=[0-9a-f]{4}$/)
  }
})

test('another limit may stand in the place of a rule`s for one key', () => {
  const daily = rule({ name: 'daily', quota: { units: 1, per: 'day' } })
  const plain = limitsWith([daily]).calls.parts
  const calls = new CallLimits({
    ...plain,
    raised: (limit, key) =>
      key.endsWith('lab.example') && limit.kind === 'quota' ? { ...limit, units: 2 } : undefined,
  })
  const other = { caller: 'did:web:other.example' }
  assert.deepEqual([admitted(calls), admitted(calls), admitted(calls)], [true, true, false])
  assert.deepEqual([admitted(calls, other), admitted(calls, other)], [true, false])
})

test('of 10,000 racing calls no more is admitted than every limit allows', async () => {
  const { calls } = limitsWith([
    rule({ name: 'rate', units: 300, perSeconds: 60, algorithm: 'sliding-window' }),
    rule({ name: 'daily', quota: { units: 200, per: 'day' } }),
    rule({ name: 'at-once', by: ['key'], concurrency: 7 }),
  ])
  let [running, most, passed] = [0, 0, 0]
  await Promise.all(
    Array.from({ length: 10_000 }, async (_, number) => {
      await new Promise((resolve) => setTimeout(resolve, number % 20))
      const { hold } = now(calls.admit(callOf(), undefined, 1_000))
      if (hold === undefined) return
      passed++
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      hold.end()
    }),
  )
  assert.equal(most, 7)
  assert.ok(passed <= 200 && passed >= 7, `${passed}`)
})

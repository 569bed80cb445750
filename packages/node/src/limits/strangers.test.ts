import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { CallLimits, type LimitedCall } from './call-limits.ts'
import type { Charge, Limiter, LimiterVerdict } from './limit.ts'
import { limitRuleSchema } from './limit-rule-config.ts'
import { compileRules } from './limit-rules.ts'
import { QuotaLedger } from './quota-ledger.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { strangerCounters, strangersKey } from './strangers.ts'

const hash = (text: string) => createHmac('sha256', 'of the node').update(text).digest('base64url')
const own = { limit: { name: 'readings', limit: 1_000, periodMs: 86_400_000 }, key: '' }

interface Opened {
  readonly calls: CallLimits
  /** Keys of quotas that are written down. */
  readonly written: Set<string>
  /** Keys that the limiter is asked for. */
  readonly charged: Set<string>
}

function open(rules: readonly object[], { maxKeys = 100, counters = strangerCounters } = {}): Opened {
  const [written, charged] = [new Set<string>(), new Set<string>()]
  const inMemory = createRateLimiter({ maxKeys })
  const limiter: Pick<Limiter, 'charge'> = {
    charge(charges: readonly Charge[], now: number): LimiterVerdict {
      for (const { limit, key } of charges) charged.add(`${limit.name} ${key}`)
      return inMemory.charge(charges, now)
    },
  }
  const ledger = new QuotaLedger({
    add({ limit, key }) {
      written.add(`${limit} ${key}`)
      return { sql: '' }
    },
  })
  const few = (text: string) => {
    const number = Buffer.from(hash(text), 'base64url').readUInt16BE() % counters
    return Buffer.from([number >> 8, number & 255, 0, ...Buffer.alloc(29)]).toString('base64url')
  }
  const parsed = rules.map((rule) => limitRuleSchema.parse({ name: 'rule', ...rule }))
  const calls = new CallLimits({ limiter, rules: compileRules(parsed), ledger, hash: few })
  return { calls, written, charged }
}

const callOf = (changes: Partial<LimitedCall>): LimitedCall => ({
  caller: 'did:web:lab.example',
  alias: 'lab',
  address: '192.0.2.1',
  key: 'did:web:lab.example#k1',
  client: undefined,
  credential: 'signature',
  product: 'readings',
  hasCosts: false,
  operation: () => undefined,
  ...changes,
})
const stranger = (number: number) =>
  callOf({
    caller: `ip:2001:db8:${number.toString(16)}::/64`,
    alias: undefined,
    address: `2001:db8:${number.toString(16)}::/64`,
    key: undefined,
    credential: 'none',
  })

/** Whether the call is admitted; it is over at once. */
function admits({ calls }: Opened, call: LimitedCall, nowMs = 0): boolean {
  const answer = calls.admit(call, { ...own, key: `readings@1 ${call.caller}` }, nowMs)
  if (answer instanceof Promise) assert.fail('must answer at once')
  answer.hold?.statements()
  answer.hold?.end()
  return answer.refusal === undefined
}

const limits = {
  quota: { quota: { units: 2, per: 'month' } },
  rate: { units: 2, perSeconds: 86_400 },
  window: { units: 2, perSeconds: 86_400, algorithm: 'sliding-window' },
  slots: { concurrency: 2 },
}

test('strangers leave partners and clients their room, whatever a limit counts by', () => {
  for (const by of ['participant', 'key', 'client', 'address']) {
    for (const [name, limit] of Object.entries(limits)) {
      const opened = open([{ by: [by, 'product'], ...limit }])
      for (let number = 0; number < 1_000; number++) admits(opened, stranger(number))
      const client = callOf({ caller: 'client:reader', client: 'reader', key: '7Qm2xK9a', address: '192.0.2.7' })
      assert.deepEqual([admits(opened, callOf({})), admits(opened, client)], [true, true], `${name} by ${by}`)
    }
  }
})

test('strangers are not refused for want of room, nor for good: a new period begins for them too', () => {
  const opened = open([{ by: ['participant'], ...limits.quota }])
  let admitted = 0
  for (let number = 0; number < 1_000; number++) if (admits(opened, stranger(number))) admitted++
  assert.equal(admitted, 1_000)
  assert.deepEqual([admits(opened, stranger(1)), admits(opened, stranger(1))], [true, false])
  assert.equal(admits(opened, stranger(1), Date.parse('1970-02-01T00:00:00Z')), true)
})

test('however many addresses strangers have, what is remembered and written of them is bounded', () => {
  const opened = open([{ by: ['participant', 'address'], ...limits.quota }], { counters: 8 })
  for (let number = 0; number < 5_000; number++) admits(opened, stranger(number))
  assert.equal(opened.written.size, 8)
  assert.equal(opened.charged.size, 16, 'of the product’s own rate and of the quota')
  for (const key of opened.written) assert.match(key, /^rule strangers=000[0-7]$/)
  const all = new Set(Array.from({ length: 200_000 }, (_, number) => strangersKey(`ip:${number}`, hash)))
  assert.ok(all.size > 0.9 * strangerCounters && all.size <= strangerCounters, `${all.size}`)
})

test('a rule that tells no callers apart counts strangers with all others', () => {
  const opened = open([{ by: ['product'], ...limits.rate }])
  const seen = [admits(opened, stranger(1)), admits(opened, callOf({})), admits(opened, stranger(2))]
  assert.deepEqual(seen, [true, true, false])
})

test('no stranger gets more than a limit, and partners what they get alone, however calls are mixed', () => {
  const callers = fc.oneof(
    fc.integer({ min: 0, max: 40 }).map((number) => ({ isPartner: false, number })),
    fc.integer({ min: 0, max: 3 }).map((number) => ({ isPartner: true, number })),
  )
  const property = fc.property(
    fc.constantFrom(...Object.values(limits).slice(0, 3)),
    fc.array(callers, { maxLength: 200 }),
    (limit, list) => {
      const [mixed, alone] = [0, 0].map(() => open([{ by: ['participant'], ...limit }], { maxKeys: 4, counters: 4 }))
      if (mixed === undefined || alone === undefined) return
      const admitted = new Map<number, number>()
      for (const { isPartner, number } of list) {
        const partner = callOf({ caller: `did:web:partner-${number}.example` })
        if (isPartner) assert.equal(admits(mixed, partner), admits(alone, partner))
        else if (admits(mixed, stranger(number))) admitted.set(number, (admitted.get(number) ?? 0) + 1)
      }
      for (const count of admitted.values()) assert.ok(count <= 2)
    },
  )
  fc.assert(property, { numRuns: 100 })
})

/** What stands on a real Redis or Valkey server under the keys of limits: how much of it strangers may fill, what is left
 *  of it after clocks, settings and operators changed, and what becomes of what somebody else wrote there. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { CallLimits } from '../src/limits/call-limits.ts'
import type { Charge, Limit } from '../src/limits/limit.ts'
import { QuotaCounts } from '../src/limits/quota-counts.ts'
import { limitRuleSchema } from '../src/limits/limit-rule-config.ts'
import { compileRules } from '../src/limits/limit-rules.ts'
import { createRateLimiter } from '../src/limits/rate-limiter.ts'
import { connectRedis, type RedisConnection } from '../src/limits/redis/redis-connection.ts'
import { RedisLimiter, type RedisLimiterOptions } from '../src/limits/redis/redis-limiter.ts'
import { startRedis, type RedisServer } from './redis-server.ts'

let server: RedisServer
let redis: RedisConnection
before(async () => {
  server = await startRedis()
  redis = await connectRedis({ url: server.url, timeoutMs: 2_000 })
})
after(async () => {
  await redis[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

let prefixes = 0
function limiterWith(options: Partial<RedisLimiterOptions> = {}): RedisLimiter {
  return new RedisLimiter({
    redis,
    prefix: `keys-${process.pid}-${prefixes++}`,
    timeoutMs: 5_000,
    leaseMs: 30_000,
    instance: 'one',
    hash: (text) => text,
    local: createRateLimiter(),
    ...options,
  })
}

const rate = { name: 'rate', limit: 100, periodMs: 3_600_000 }
const charge = (limit: Limit, changes: Partial<Charge> = {}): Charge => ({ limit, key: 'lab', ...changes })

const unavailable = { code: 'limits-unavailable', status: 503 }

test('what is counted of one key is forgotten for all replicas, and nothing of another', async () => {
  const prefix = `forget-${process.pid}`
  using one = limiterWith({ prefix })
  using other = limiterWith({ prefix })
  const quota = { kind: 'quota', name: 'daily', units: 1, per: 'day' } as const
  for (const key of ['lab', 'clinic']) assert.equal((await one.charge([charge(quota, { key })], 0)).allowed, true)
  await other.forget({ limit: quota, key: 'lab' })
  assert.equal((await one.charge([charge(quota)], 0)).allowed, true)
  assert.equal((await one.charge([charge(quota, { key: 'clinic' })], 0)).allowed, false)
})

test('however many strangers call, what stands on the server of them is bounded, and partners are not touched', async () => {
  const prefix = `strangers-${process.pid}`
  using shared = limiterWith({ prefix })
  const monthly = limitRuleSchema.parse({ name: 'monthly', by: ['participant'], quota: { units: 600, per: 'month' } })
  // Eight counters only.
  const hash = (text: string) =>
    Buffer.from([0, createHash('sha256').update(text).digest()[0]! % 8, 0]).toString('base64url')
  const calls = new CallLimits({ limiter: shared, rules: compileRules([monthly]), hash })
  const admit = async (caller: string) => {
    const facts = { caller, alias: undefined, address: '192.0.2.1', key: undefined, client: undefined }
    const call = {
      ...facts,
      credential: 'none',
      product: 'readings',
      hasCosts: false,
      operation: () => undefined,
    } as const
    const own = { limit: { ...rate, limit: 600 }, key: caller }
    return (await calls.admit(call, own, 0)).fields.join(' ')
  }
  await Promise.all(Array.from({ length: 500 }, (_, number) => admit(`ip:2001:db8:${number}/64`)))
  assert.match(await admit('did:web:lab.example'), /"rate";r=599;.*"monthly";r=599;/)
  const keys = await redis.eval("return #redis.call('KEYS', ARGV[1])", [], [`{${prefix}}*`])
  assert.equal(keys, 2 * (8 + 1))
})

test('a clock that was years ahead once ends no quota for longer than the running period', async () => {
  let nowMs = Date.parse('2036-01-17T00:00:00Z')
  using shared = limiterWith({ timeOf: () => nowMs })
  const quota = charge({ kind: 'quota', name: 'daily', units: 1, per: 'day' })
  assert.equal((await shared.charge([quota], 0)).allowed, true)
  nowMs = Date.parse('2026-11-22T10:00:00Z')
  assert.equal((await shared.charge([quota], 0)).retryAfterMs, 14 * 3_600_000)
  nowMs = Date.parse('2026-11-23T00:00:00Z')
  assert.equal((await shared.charge([quota], 0)).allowed, true)
})

test('a key that somebody else wrote fails its own calls, is told of, and no other', async () => {
  const prefix = `unreadable-${process.pid}`
  const told: unknown[] = []
  const changes: boolean[] = []
  using shared = limiterWith({
    prefix,
    onUnreadable: (error) => void told.push(error),
    onChange: (isUp) => void changes.push(isUp),
  })
  const daily = { kind: 'quota', name: 'daily', units: 5, per: 'day' } as const
  const keys = [`{${prefix}}:gcra:rate:${rate.periodMs}:lab`, `{${prefix}}:quota:daily:lab`]
  await redis.eval("return redis.call('SADD', KEYS[1], 'x')", keys.slice(0, 1), [])
  await redis.eval("return redis.call('SET', KEYS[1], 'x')", keys.slice(1), [])
  for (const limit of [rate, daily])
    await assert.rejects(async () => shared.charge([charge(limit, { onStoreFailure: 'refuse' })], 0), unavailable)
  assert.equal((await shared.charge([charge(rate, { key: 'clinic', onStoreFailure: 'refuse' })], 0)).allowed, true)
  assert.equal(told.length, 1, 'once a second at most')
  assert.deepEqual([changes, shared.isUp], [[], true])
})

test('a count that nobody can read is told as such, and begun anew', async () => {
  const prefix = `mended-${process.pid}`
  using shared = limiterWith({ prefix })
  const daily = limitRuleSchema.parse({ name: 'daily', by: [], quota: { units: 5, per: 'day' } })
  const [rule] = compileRules([daily])
  assert.ok(rule !== undefined)
  const recorded: Record<string, unknown>[] = []
  const counts = new QuotaCounts({
    rules: [rule],
    limiter: shared,
    countedAs: (_, value) => Promise.resolve(value),
    clock: { now: Date.now },
    newId: () => 'x',
    record: async ({ body }) => void recorded.push(JSON.parse(body) as Record<string, unknown>),
  })
  const key = `{${prefix}}:quota:daily:`
  for (const command of ["'SET', KEYS[1], 'x'", "'SADD', KEYS[1], 'x'"]) {
    await redis.eval(`redis.call('DEL', KEYS[1]) return redis.call(${command})`, [key], [])
    await assert.rejects(counts.show('daily', 'all'), { ...unavailable, message: /quotas reset/ })
    await counts.reset('daily', 'all')
    const { used, unreadable, after: hash } = recorded.at(-1) ?? {}
    assert.deepEqual([used, unreadable, typeof hash], [undefined, true, 'string'])
    assert.equal((await counts.show('daily', 'all')).used, 0)
    assert.equal((await shared.charge([{ limit: rule.limit, key: '' }], 0)).allowed, true)
    assert.equal((await counts.show('daily', 'all')).used, 1)
  }
})

test('a rate that is given another period begins anew, and is not refused for its old debt', async () => {
  const prefix = `period-${process.pid}`
  using shared = limiterWith({ prefix })
  const slow = { name: 'pace', limit: 2, periodMs: 86_400_000 }
  for (const allowed of [true, true, false]) assert.equal((await shared.charge([charge(slow)], 0)).allowed, allowed)
  const quick = await shared.charge([charge({ ...slow, periodMs: 1_000 })], 0)
  assert.equal(quick.allowed, true)
})

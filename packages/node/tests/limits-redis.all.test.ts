/** Limits on a real Redis or Valkey server: its script decides as this program does, races and crashes admit no more than
 *  a limit allows, and every way in which the server can fail ends as each limit says. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Charge, Limit, LimiterVerdict } from '../src/limits/limit.ts'
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
    prefix: `test-${process.pid}-${prefixes++}`,
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

const limits = fc.oneof(
  fc.record({
    name: fc.constant('g'),
    limit: fc.integer({ min: 1, max: 20 }),
    periodMs: fc.integer({ min: 1, max: 5_000 }),
    burst: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    kind: fc.constant('sliding-window' as const),
    name: fc.constant('w'),
    limit: fc.integer({ min: 1, max: 20 }),
    periodMs: fc.integer({ min: 1, max: 5_000 }),
  }),
  fc.record({
    kind: fc.constant('quota' as const),
    name: fc.constant('q'),
    units: fc.integer({ min: 1, max: 20 }),
    per: fc.constantFrom('day' as const, 'month' as const),
  }),
)
const plain = ({ allowed, retryAfterMs, standings }: LimiterVerdict) => ({
  allowed,
  retryAfterMs,
  standings: standings.map(({ verdict: v }) => [
    v.allowed,
    v.remaining,
    v.retryAfterMs,
    v.nextUnitMs,
    v.used,
    v.period,
  ]),
})

test('the script decides as this program does, whatever the limits, the costs and the clock', async () => {
  const call = fc.record({
    gap: fc.oneof(
      fc.integer({ min: -3_000, max: 3_000 }),
      fc.constantFrom(0, 0, 86_400_000, 2_678_400_000, -86_400_000, 9e10, -9e10),
    ),
    cost: fc.integer({ min: 0, max: 8 }),
    again: fc.integer({ min: 0, max: 4 }),
    isGivenBack: fc.boolean(),
  })
  const calls = fc.array(call, { maxLength: 25 })
  const property = fc.asyncProperty(fc.array(limits, { minLength: 1, maxLength: 3 }), calls, async (several, list) => {
    using shared = limiterWith({ timeOf: (now) => now })
    const here = createRateLimiter()
    let now = Date.parse('2128-02-20T00:00:00Z')
    for (const { gap, cost, again, isGivenBack } of list) {
      now += gap
      const charges = several.map((limit, index) =>
        charge({ ...limit, name: `${limit.name}${index}` }, { cost, again: cost + again }),
      )
      const [there, own] = [await shared.charge(charges, now), here.charge(charges, now)]
      assert.deepEqual(plain(there), plain(own))
      if (!isGivenBack) continue
      now += gap % 500
      const [given, ownGiven] = [await there.giveBack?.({ units: cost }, now), own.giveBack?.({ units: cost }, now)]
      assert.deepEqual(
        given && plain({ ...given, allowed: true }),
        ownGiven && plain({ ...(await ownGiven), allowed: true }),
      )
    }
  })
  await fc.assert(property, { numRuns: 150 })
})

test('a quota that has fewer units than are used tells what is used, here and there', async () => {
  using shared = limiterWith({ timeOf: (now) => now })
  for (const limiter of [shared, createRateLimiter()]) {
    const ask = async (units: number, cost: number) => {
      const quota = { kind: 'quota', name: 'q', units, per: 'month' } as const
      const { standings } = await limiter.charge([charge(quota, { cost })], 0)
      return [standings[0]?.verdict.used, standings[0]?.verdict.remaining]
    }
    assert.deepEqual(await ask(5, 3), [3, 2])
    for (const cost of [0, 1]) assert.deepEqual(await ask(2, cost), [3, 0])
  }
})

test('what is given back after a day is over leaves the rest of that day used, should the clock be set back', async () => {
  const midnight = Date.parse('2128-02-20T00:00:00Z')
  const quota = { kind: 'quota', name: 'q', units: 5, per: 'day' } as const
  using shared = limiterWith({ timeOf: (now) => now })
  for (const limiter of [shared, createRateLimiter()]) {
    await limiter.charge([charge(quota, { cost: 2 })], midnight - 2)
    const { giveBack } = await limiter.charge([charge(quota)], midnight - 1)
    assert.equal((await giveBack?.({ units: 1 }, midnight))?.standings[0]?.verdict.used, 0)
    const { standings } = await limiter.charge([charge(quota, { cost: 0 })], midnight - 1)
    assert.equal(standings[0]?.verdict.used, 2)
    assert.equal(standings[0]?.verdict.period?.startMs, midnight - 86_400_000)
  }
})

test('the calendar of the script is that of UTC', async () => {
  using shared = limiterWith({ timeOf: (now) => now })
  const moments = fc.integer({ min: 0, max: Date.parse('2400-01-01T00:00:00Z') })
  const property = fc.asyncProperty(moments, fc.constantFrom('day' as const, 'month' as const), async (now, per) => {
    const charges = [charge({ kind: 'quota', name: 'q', units: 5, per }, { cost: 0 })]
    assert.deepEqual(plain(await shared.charge(charges, now)), plain(createRateLimiter().charge(charges, now)))
  })
  await fc.assert(property, { numRuns: 200 })
})

test('all limits of a call are charged or none', async () => {
  using shared = limiterWith()
  const slots = { kind: 'concurrency', name: 'slots', slots: 5 } as const
  const tight = { kind: 'quota', name: 'tight', units: 2, per: 'month' } as const
  const charges = [charge(rate), charge(slots), charge(tight)]
  for (let call = 0; call < 2; call++) assert.equal((await shared.charge(charges, 0)).allowed, true)
  for (let call = 0; call < 3; call++) assert.equal((await shared.charge(charges, 0)).allowed, false)
  const { standings } = await shared.charge([charge(rate, { cost: 0 }), charge(slots, { cost: 0 })], 0)
  assert.deepEqual(
    standings.map(({ verdict }) => verdict.remaining),
    [98, 3],
  )
})

test('what refused calls took is given back: racing batches use a limit up to its last unit', async () => {
  using shared = limiterWith()
  const several: Limit[] = [
    { name: 'given', limit: 60, periodMs: 86_400_000 },
    { kind: 'sliding-window', name: 'given', limit: 60, periodMs: 86_400_000 },
    { kind: 'quota', name: 'given', units: 60, per: 'month' },
  ]
  for (const limit of several) {
    const batch = async () => {
      const first = await shared.charge([charge(limit)], 0)
      if (!first.allowed) return 0
      if ((await shared.charge([charge(limit, { cost: 2 })], 0)).allowed) return 3
      await first.giveBack?.({ units: 3 }, 0)
      return 0
    }
    let taken = 0
    for (const units of await Promise.all(Array.from({ length: 50 }, batch))) taken += units
    for (let again = 0; again < 30; again++) taken += await batch()
    // A rate regains a little while a call waits, which is not given twice: its last batch may be a moment away.
    assert.ok(taken === 60 || (!('kind' in limit) && taken === 57), `${limit.kind} ${taken}`)
  }
})

test('of 10,000 calls that race from several processes no more are admitted than the limit allows', async () => {
  const prefix = `race-${process.pid}`
  const children = Array.from({ length: 4 }, (_, index) =>
    fork(new URL('redis-racer.ts', import.meta.url), [server.url, prefix, `racer-${index}`, '2500']),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  for (const child of children) child.send('go')
  const racers = children.map(async (child) => {
    const [admitted] = (await once(child, 'message')) as [Record<string, number>]
    await once(child, 'exit')
    return admitted
  })
  const counts = await Promise.all(racers)
  const sum = (name: string) => counts.reduce((total, count) => total + (count[name] ?? 0), 0)
  assert.deepEqual([sum('rate'), sum('window'), sum('quota')], [1_000, 700, 500])
  assert.ok(counts.filter((count) => (count['rate'] ?? 0) > 0).length > 1, 'more than one process was admitted')
  assert.ok(sum('overlap') === 0, 'never more slots than there are')
})

test('nodes whose clocks are apart agree, by the clock of the server', async () => {
  const prefix = `skew-${process.pid}`
  using early = limiterWith({ prefix })
  using late = limiterWith({ prefix })
  const quota = { kind: 'quota', name: 'monthly', units: 1, per: 'month' } as const
  assert.equal((await early.charge([charge(quota), charge({ ...rate, limit: 1 })], 0)).allowed, true)
  const refused = await late.charge([charge(quota), charge({ ...rate, limit: 1 })], Date.parse('2090-01-01T00:00:00Z'))
  assert.deepEqual(
    refused.standings.map(({ verdict }) => verdict.allowed),
    [false, false],
  )
})

test('a server that lost its scripts is given them again', async () => {
  using shared = limiterWith()
  assert.equal((await shared.charge([charge(rate)], 0)).standings[0]?.verdict.remaining, 99)
  const other = await connectRedis({ url: server.url, timeoutMs: 2_000 })
  await other.eval("return redis.call('SCRIPT', 'FLUSH')", [], []).catch(() => undefined)
  await flushScripts(server)
  await other[Symbol.asyncDispose]()
  assert.equal((await shared.charge([charge(rate)], 0)).standings[0]?.verdict.remaining, 98)
  assert.equal(shared.isUp, true)
})

/** Not by a script, which may not. */
async function flushScripts({ port }: RedisServer): Promise<void> {
  const { connect } = await import('node:net')
  const socket = connect(port, '127.0.0.1')
  socket.write('SCRIPT FLUSH\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.equal(answer.toString(), '+OK\r\n')
  socket.destroy()
}

test('slots of a node that is gone come back when their lease ends, those of one that lives are kept', async () => {
  const prefix = `lease-${process.pid}`
  const slots = { kind: 'concurrency', name: 'slots', slots: 2 } as const
  using alive = limiterWith({ prefix, leaseMs: 600, instance: 'alive' })
  const dead = limiterWith({ prefix, leaseMs: 600, instance: 'dead' })
  const held = await alive.charge([charge(slots)], 0)
  assert.equal((await dead.charge([charge(slots)], 0)).allowed, true)
  assert.equal((await alive.charge([charge(slots)], 0)).allowed, false)
  // As if its process were killed: nothing is renewed, nothing given back.
  dead.renew = () => Promise.resolve()
  await sleep(900)
  assert.equal((await alive.charge([charge(slots)], 0)).allowed, true)
  assert.equal((await alive.charge([charge(slots)], 0)).allowed, false)
  held.release?.()
  held.release?.()
  await sleep(50)
  assert.equal((await alive.charge([charge(slots)], 0)).allowed, true)
  assert.equal((await alive.charge([charge(slots)], 0)).allowed, false)
  dead[Symbol.dispose]()
})

test('a limiter that ends gives its slots back', async () => {
  const prefix = `end-${process.pid}`
  const slots = { kind: 'concurrency', name: 'slots', slots: 1 } as const
  const ending = limiterWith({ prefix })
  assert.equal((await ending.charge([charge(slots)], 0)).allowed, true)
  ending[Symbol.dispose]()
  await sleep(50)
  using other = limiterWith({ prefix })
  assert.equal((await other.charge([charge(slots)], 0)).allowed, true)
})

const unavailable = { code: 'limits-unavailable', status: 503 }

test('without the server each limit does what it says: refused, or counted by this node alone', async () => {
  await using own = await startRedis()
  await using connection = await connectRedis({ url: own.url, timeoutMs: 2_000 })
  const changes: boolean[] = []
  using shared = limiterWith({ redis: connection, timeoutMs: 500, onChange: (isUp) => void changes.push(isUp) })
  const tight = { ...rate, limit: 2 }
  const admit = () => shared.charge([charge(tight, { onStoreFailure: 'admit' })], 0)
  const refuse = async () => shared.charge([charge(tight), charge(rate, { onStoreFailure: 'refuse' })], 0)
  assert.equal((await refuse()).allowed, true)
  await own.kill()
  const seen: boolean[] = []
  for (let call = 0; call < 4; call++) seen.push((await admit()).allowed)
  assert.deepEqual(seen, [true, true, false, false], 'this node still counts')
  await assert.rejects(refuse(), unavailable)
  assert.deepEqual(changes, [false])
  await own.start()
  const deadline = performance.now() + 15_000
  while (!shared.isUp && performance.now() < deadline) {
    await sleep(100)
    await Promise.resolve(admit()).catch(() => undefined)
  }
  assert.equal((await refuse()).allowed, true)
  assert.deepEqual(changes, [false, true])
})

test('a server that hangs costs one wait a second, no more, and what it charged late holds no slot', async () => {
  await using own = await startRedis()
  await using connection = await connectRedis({ url: own.url, timeoutMs: 2_000 })
  using shared = limiterWith({ redis: connection, timeoutMs: 200 })
  const slots = { kind: 'concurrency', name: 'slots', slots: 1 } as const
  const first = await shared.charge([charge(slots, { onStoreFailure: 'refuse' })], 0)
  first.release?.()
  own.freeze(true)
  const began = performance.now()
  for (let call = 0; call < 50; call++)
    await assert.rejects(async () => shared.charge([charge(slots, { onStoreFailure: 'refuse' })], 0), unavailable)
  assert.ok(performance.now() - began < 1_500, 'fifty calls do not wait fifty times')
  own.freeze(false)
  await sleep(1_500)
  assert.equal((await shared.charge([charge(slots, { onStoreFailure: 'refuse' })], 0)).allowed, true)
})

test('a server that is not there at first is used when it comes', async () => {
  const own = await startRedis()
  await own.kill()
  await using connection = await connectRedis({ url: own.url, timeoutMs: 300 })
  using shared = limiterWith({ redis: connection, timeoutMs: 300 })
  await assert.rejects(async () => shared.charge([charge(rate, { onStoreFailure: 'refuse' })], 0), unavailable)
  await own.start()
  const deadline = performance.now() + 15_000
  let isCounted = false
  while (!isCounted && performance.now() < deadline) {
    await sleep(200)
    isCounted = await Promise.resolve()
      .then(() => shared.charge([charge(rate, { onStoreFailure: 'refuse' })], 0))
      .then(() => true)
      .catch(() => false)
  }
  assert.equal(isCounted, true)
  await own[Symbol.asyncDispose]()
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideGcra, type GcraState } from './gcra.ts'

const perMinute = { limit: 60, periodMs: 60_000, burst: 10 }

function spend(state: GcraState | undefined, rate: Parameters<typeof decideGcra>[1], times: readonly number[]) {
  let admitted = 0
  let current = state
  for (const now of times) {
    const verdict = decideGcra(current, rate, now)
    current = verdict.state
    if (verdict.allowed) admitted++
  }
  return { admitted, state: current }
}

test('admits the burst at once and not one call more', () => {
  const { admitted, state } = spend(undefined, perMinute, Array<number>(10_000).fill(1_000))
  assert.equal(admitted, 10)
  const refused = decideGcra(state, perMinute, 1_000)
  assert.deepEqual(
    { allowed: refused.allowed, remaining: refused.remaining, retryAfterMs: refused.retryAfterMs },
    { allowed: false, remaining: 0, retryAfterMs: 1_000 },
  )
})

test('admits exactly when the announced wait is over', () => {
  const { state } = spend(undefined, perMinute, Array<number>(10).fill(0))
  const { retryAfterMs } = decideGcra(state, perMinute, 250)
  assert.equal(decideGcra(state, perMinute, 250 + retryAfterMs - 1).allowed, false)
  assert.equal(decideGcra(state, perMinute, 250 + retryAfterMs).allowed, true)
})

test('says never when the cost is larger than the burst', () => {
  const verdict = decideGcra(undefined, { ...perMinute, cost: 11 }, 0)
  assert.equal(verdict.allowed, false)
  assert.equal(verdict.retryAfterMs, Infinity)
})

test('a refused call costs nothing', () => {
  const full = spend(undefined, perMinute, Array<number>(10).fill(0)).state
  const later = spend(full, perMinute, Array<number>(5_000).fill(999)).state
  assert.equal(decideGcra(later, perMinute, 1_000).allowed, true)
})

test('a clock that steps back restores nothing and does not lock the key out', () => {
  const full = spend(undefined, perMinute, Array<number>(10).fill(100_000)).state
  const back = decideGcra(full, perMinute, 50_000)
  assert.equal(back.allowed, false)
  assert.equal(decideGcra(back.state, perMinute, 51_000).allowed, true)
})

const rates = fc.record({
  limit: fc.integer({ min: 1, max: 10_000 }),
  periodMs: fc.integer({ min: 1, max: 86_400_000 }),
  burst: fc.integer({ min: 1, max: 10_000 }),
})

test('never admits more than the burst plus what the elapsed time restores', () => {
  const property = fc.property(
    rates,
    fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }),
    (rate, gaps) => {
      let now = 1_790_000_000_000
      const times = gaps.map((gap) => (now += gap))
      const { admitted } = spend(undefined, rate, times)
      const elapsed = (times.at(-1) ?? 0) - (times[0] ?? 0)
      assert.ok(admitted <= rate.burst + Math.floor((elapsed * rate.limit) / rate.periodMs))
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('the announced times are true: the next unit comes then, everything is back then', () => {
  const property = fc.property(rates, fc.integer({ min: 1, max: 300 }), (rate, calls) => {
    const { state } = spend(undefined, rate, Array<number>(calls).fill(0))
    const verdict = decideGcra(state, { ...rate, cost: 0 }, 0)
    const next = decideGcra(verdict.state, { ...rate, cost: 0 }, verdict.nextUnitMs)
    assert.ok(next.remaining > verdict.remaining)
    assert.equal(decideGcra(verdict.state, { ...rate, cost: 0 }, verdict.resetMs).remaining, rate.burst)
  })
  fc.assert(property, { numRuns: 200 })
})

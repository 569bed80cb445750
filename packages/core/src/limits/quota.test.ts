import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideQuota, quotaPeriods, quotaSpan, type QuotaState } from './quota.ts'

const at = (text: string) => Date.parse(text)
const daily = { units: 3, per: 'day' } as const
const monthly = { units: 3, per: 'month' } as const

function useAll(quota: Parameters<typeof decideQuota>[1], now: number): QuotaState {
  return decideQuota(undefined, { ...quota, cost: quota.units }, now).state
}

test('days and months are those of UTC, leap days and ends of years too', () => {
  assert.deepEqual(quotaSpan('day', at('2024-02-29T23:59:59.999Z')), {
    startMs: at('2024-02-29T00:00:00Z'),
    endMs: at('2024-03-01T00:00:00Z'),
  })
  assert.deepEqual(quotaSpan('month', at('2026-12-31T23:59:59.999Z')), {
    startMs: at('2026-12-01T00:00:00Z'),
    endMs: at('2027-01-01T00:00:00Z'),
  })
})

test('admits what the quota has, then nothing until the period ends, then all of it', () => {
  const now = at('2026-11-22T10:00:00Z')
  const refused = decideQuota(useAll(daily, now), daily, now)
  assert.deepEqual(
    { allowed: refused.allowed, remaining: refused.remaining, retryAfterMs: refused.retryAfterMs },
    { allowed: false, remaining: 0, retryAfterMs: 14 * 3_600_000 },
  )
  assert.equal(decideQuota(refused.state, daily, at('2026-11-22T23:59:59.999Z')).allowed, false)
  assert.equal(decideQuota(refused.state, daily, at('2026-11-23T00:00:00Z')).remaining, 2)
})

test('a clock set back restores nothing and takes nothing, in the same period or into the one before', () => {
  const state = useAll(monthly, at('2026-12-02T00:00:00Z'))
  for (const back of ['2026-12-01T00:00:00Z', '2026-11-30T00:00:00Z']) {
    const verdict = decideQuota(state, monthly, at(back))
    assert.equal(verdict.allowed, false)
    assert.deepEqual(verdict.state, state)
    assert.equal(at(back) + verdict.retryAfterMs, at('2027-01-01T00:00:00Z'))
  }
  const one = decideQuota(undefined, monthly, at('2026-12-02T00:00:00Z')).state
  assert.equal(decideQuota(one, monthly, at('2026-11-30T00:00:00Z')).remaining, 1)
})

test('what a clock that was far ahead began ends with the running period, and its use is kept until then', () => {
  for (const quota of [daily, monthly]) {
    const state = useAll(quota, at('2036-01-17T00:00:00Z'))
    const verdict = decideQuota(state, quota, at('2026-11-22T10:00:00Z'))
    const { startMs, endMs } = quotaSpan(quota.per, at('2026-11-22T10:00:00Z'))
    assert.deepEqual([verdict.allowed, verdict.state], [false, { startMs, used: 3 }])
    assert.equal(at('2026-11-22T10:00:00Z') + verdict.retryAfterMs, endMs)
    assert.equal(decideQuota(verdict.state, quota, endMs).remaining, 2)
  }
})

test('however often and far a clock jumps, nobody waits longer than two periods', () => {
  const jumps = fc.array(fc.integer({ min: 0, max: at('2100-01-01T00:00:00Z') }), { minLength: 1, maxLength: 20 })
  const property = fc.property(fc.constantFrom(daily, monthly), jumps, (quota, times) => {
    let state: QuotaState | undefined
    for (const now of times) {
      const verdict = decideQuota(state, { ...quota, cost: 2 }, now)
      const next = quotaSpan(quota.per, quotaSpan(quota.per, now).endMs)
      assert.ok(now + verdict.retryAfterMs <= next.endMs)
      assert.equal(decideQuota(verdict.state, quota, next.endMs).remaining, 2)
      state = verdict.state
    }
  })
  fc.assert(property, { numRuns: 200 })
})

test('a clock set forward by a month ends the quota', () => {
  const state = useAll(monthly, at('2026-11-22T00:00:00Z'))
  assert.equal(decideQuota(state, monthly, at('2026-12-22T00:00:00Z')).remaining, 2)
})

test('says never when the cost is larger than the quota', () => {
  assert.equal(decideQuota(undefined, { ...daily, cost: 4 }, 0).retryAfterMs, Infinity)
})

const moments = fc.integer({ min: 0, max: at('2100-01-01T00:00:00Z') })

test('periods follow each other without a gap', () => {
  const property = fc.property(fc.constantFrom(...quotaPeriods), moments, (per, now) => {
    const { startMs, endMs } = quotaSpan(per, now)
    assert.ok(startMs <= now && now < endMs)
    assert.equal(quotaSpan(per, endMs).startMs, endMs)
    assert.equal(quotaSpan(per, startMs - 1).endMs, startMs)
  })
  fc.assert(property, { numRuns: 200 })
})

test('in each period no more is admitted than the quota has, and the announced wait is exact', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000_000 }), fc.integer({ min: 1, max: 4 })), {
    maxLength: 100,
  })
  const property = fc.property(fc.constantFrom(daily, monthly), moments, steps, (quota, begin, list) => {
    const used = new Map<number, number>()
    let state: QuotaState | undefined
    let now = begin
    for (const [gap, cost] of list) {
      now += gap
      const verdict = decideQuota(state, { ...quota, cost }, now)
      state = verdict.state
      const { startMs } = quotaSpan(quota.per, now)
      if (verdict.allowed) used.set(startMs, (used.get(startMs) ?? 0) + cost)
      else if (verdict.retryAfterMs !== Infinity) {
        assert.equal(decideQuota(state, { ...quota, cost }, now + verdict.retryAfterMs - 1).allowed, false)
        assert.equal(decideQuota(state, { ...quota, cost }, now + verdict.retryAfterMs).allowed, true)
      }
    }
    for (const units of used.values()) assert.ok(units <= quota.units)
  })
  fc.assert(property, { numRuns: 200 })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideSlidingWindow, sliceMs, slicesPerPeriod, type WindowState } from './sliding-window.ts'

const perMinute = { limit: 10, periodMs: 60_000 }

function spend(
  state: WindowState | undefined,
  rate: Parameters<typeof decideSlidingWindow>[1],
  times: readonly number[],
) {
  const admitted: number[] = []
  let current = state
  for (const now of times) {
    const verdict = decideSlidingWindow(current, rate, now)
    current = verdict.state
    if (verdict.allowed) admitted.push(now)
  }
  return { admitted, state: current }
}

test('admits the limit and not one call more', () => {
  const { admitted } = spend(undefined, perMinute, Array<number>(10_000).fill(1_000))
  assert.equal(admitted.length, 10)
})

test('what was spent before the border of two minutes counts after it', () => {
  const late = spend(undefined, perMinute, Array<number>(10).fill(59_900))
  assert.equal(decideSlidingWindow(late.state, perMinute, 60_100).allowed, false)
})

test('says never when the cost is larger than the limit', () => {
  assert.equal(decideSlidingWindow(undefined, { ...perMinute, cost: 11 }, 0).retryAfterMs, Infinity)
})

test('a clock that steps back restores nothing, takes nothing, and does not lock the key out', () => {
  const full = spend(undefined, perMinute, Array<number>(10).fill(10_000_000)).state
  const before = decideSlidingWindow(full, perMinute, 10_000_000)
  const back = decideSlidingWindow(full, perMinute, 1_000_000)
  assert.equal(back.allowed, false)
  assert.equal(back.retryAfterMs, before.retryAfterMs)
  assert.equal(decideSlidingWindow(back.state, perMinute, 1_000_000 + back.retryAfterMs).allowed, true)
})

const rates = fc.record({ limit: fc.integer({ min: 1, max: 30 }), periodMs: fc.integer({ min: 1, max: 5_000 }) })
const gaps = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 })

test('in no stretch of the period, wherever it begins, more than the limit is admitted', () => {
  const property = fc.property(rates, gaps, (rate, list) => {
    let now = 1_790_000_000_000
    const { admitted } = spend(
      undefined,
      rate,
      list.map((gap) => (now += gap)),
    )
    for (const [index, time] of admitted.entries()) {
      const inside = admitted.slice(index).filter((other) => other < time + rate.periodMs)
      assert.ok(inside.length <= rate.limit)
    }
  })
  fc.assert(property, { numRuns: 200 })
})

test('nothing is withheld for longer than the period and a slice', () => {
  const property = fc.property(rates, gaps, (rate, list) => {
    let now = 0
    const { state } = spend(
      undefined,
      rate,
      list.map((gap) => (now += gap)),
    )
    const later = now + rate.periodMs + sliceMs(rate.periodMs)
    assert.equal(decideSlidingWindow(state, { ...rate, cost: rate.limit }, later).allowed, true)
  })
  fc.assert(property, { numRuns: 200 })
})

test('the announced wait is exact: admitted when it is over, refused a millisecond before', () => {
  const property = fc.property(rates, gaps, fc.integer({ min: 1, max: 30 }), (rate, list, cost) => {
    let now = 0
    const { state } = spend(
      undefined,
      rate,
      list.map((gap) => (now += gap)),
    )
    const verdict = decideSlidingWindow(state, { ...rate, cost }, now)
    if (verdict.allowed || verdict.retryAfterMs === Infinity) return
    const at = now + verdict.retryAfterMs
    assert.equal(decideSlidingWindow(verdict.state, { ...rate, cost }, at - 1).allowed, false)
    assert.equal(decideSlidingWindow(verdict.state, { ...rate, cost }, at).allowed, true)
  })
  fc.assert(property, { numRuns: 200 })
})

test('the state stays small, however many calls come', () => {
  const { state } = spend(
    undefined,
    { limit: 1_000_000, periodMs: 1_000 },
    Array.from({ length: 20_000 }, (_, index) => index),
  )
  assert.ok((state?.slices.length ?? 0) <= slicesPerPeriod + 2)
})

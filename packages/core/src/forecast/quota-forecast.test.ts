import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideQuotaForecast, hoursUntil } from './quota-forecast.ts'

const hourMs = 3_600_000
const startMs = Date.UTC(2026, 4, 1)
const endMs = startMs + 24 * hourMs
/** 10 expected in each hour, at least 5, at most 20. */
const even = (hours: number) =>
  Array.from({ length: hours }, (_, hour) => ({
    expected: 10 * (hour + 1),
    low: 5 * (hour + 1),
    high: 20 * (hour + 1),
  }))

test('a quota is hit when what is used and what is expected reach it', () => {
  const nowMs = startMs + 4 * hourMs
  const sums = even(hoursUntil(endMs, nowMs))
  assert.equal(sums.length, 20)
  assert.deepEqual(decideQuotaForecast({ nowMs, endMs, used: 40, limit: 100, sums }), {
    expected: 240,
    low: 140,
    high: 440,
    hitMs: nowMs + 6 * hourMs,
    earliestMs: nowMs + 3 * hourMs,
  })
})

test('within an hour only what is left of it counts', () => {
  const nowMs = startMs + 4.5 * hourMs
  const told = decideQuotaForecast({ nowMs, endMs, used: 40, limit: 50, sums: even(20) })
  assert.deepEqual([told.expected, told.hitMs], [235, nowMs + hourMs])
})

test('what is not expected before the end of the period is not told', () => {
  const nowMs = startMs + 4 * hourMs
  const told = decideQuotaForecast({ nowMs, endMs, used: 0, limit: 300, sums: even(20) })
  assert.deepEqual([told.hitMs, told.earliestMs], [undefined, nowMs + 15 * hourMs])
})

test('what is used up is hit now', () => {
  const told = decideQuotaForecast({ nowMs: startMs, endMs, used: 300, limit: 300, sums: even(24) })
  assert.deepEqual([told.hitMs, told.earliestMs], [startMs, startMs])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { receiptKeyTime, receiptTimeFault } from './receipt-times.ts'

const createdMs = 1_771_000_000_000
const nowMs = createdMs + 86_400_000
const bounds = { createdMs, nowMs, skewSeconds: 30 }
const timesAt = (at: number) => ({ duty: 'd1', iat: Math.floor(at / 1000), at })

test('a receipt is of the time between its duty and now, as far as clocks differ', () => {
  const moment = fc.integer({ min: 0, max: 2 * nowMs })
  fc.assert(
    fc.property(moment, (at) => {
      const isPossible = at >= createdMs - 30_000 && at <= nowMs + 30_000
      assert.equal(receiptTimeFault(timesAt(at), bounds) === undefined, isPossible)
    }),
    { numRuns: 200 },
  )
  for (const at of [createdMs - 30_000, createdMs, nowMs, nowMs + 30_000]) {
    assert.equal(receiptTimeFault(timesAt(at), bounds), undefined)
  }
})

test('a receipt of 1999 and one of 2099 are impossible, whichever of its two times says so', () => {
  const [past, future] = [Date.UTC(1999, 0), Date.UTC(2099, 0)]
  for (const [change, why] of [
    [timesAt(past), 'it is dated before the duty'],
    [timesAt(future), 'it is dated in the future'],
    [{ at: past }, 'it is dated before the duty'],
    [{ iat: past / 1000 }, 'it is dated before the duty'],
    [{ at: future }, 'it is dated in the future'],
    [{ iat: future / 1000 }, 'it is dated in the future'],
    [{ iat: Math.floor(createdMs / 1000), at: nowMs }, 'it was signed before it was done'],
    [{ replicas: { removed: 1, at: nowMs } }, 'copies were removed after it was done'],
  ] as const) {
    assert.equal(receiptTimeFault({ ...timesAt(createdMs + 1), ...change }, bounds), why)
  }
})

test('where nobody says when the duty was imposed, the time in its id does', () => {
  // 2026-02-14T17:58:50.880Z
  const duty = '019c5d4e-2f00-7aa1-8e65-30b3c2d1a001'
  const unsaid = { nowMs, skewSeconds: 30 }
  const imposedMs = 0x019c5d4e2f00
  assert.equal(receiptTimeFault({ ...timesAt(imposedMs), duty }, { ...unsaid, nowMs: imposedMs }), undefined)
  const early = { ...timesAt(imposedMs - 30_001), duty }
  assert.equal(receiptTimeFault(early, { ...unsaid, nowMs: imposedMs }), 'it is dated before the duty')
  assert.equal(receiptTimeFault(timesAt(1), unsaid), undefined)
  assert.equal(receiptTimeFault({ ...timesAt(1), duty: duty.replace('-7', '-4') }, unsaid), undefined)
})

test('the key has to be in use at the later of the two times', () => {
  assert.equal(receiptKeyTime({ iat: 5, at: 4_000 }), 5_000)
  assert.equal(receiptKeyTime({ iat: 4, at: 4_999 }), 4_999)
})

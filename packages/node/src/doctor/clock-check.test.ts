import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideClock, type ClockSample } from './clock-check.ts'

const nowMs = 1_718_000_000_000
/** A partner whose clock is behind ours by `aheadMs`, over a connection that takes `tripMs`. */
const sample = (name: string, aheadMs: number, tripMs = 20): ClockSample => {
  const truth = nowMs - aheadMs
  return { name, dateMs: Math.floor(truth / 1_000) * 1_000, sentMs: nowMs - tripMs / 2, receivedMs: nowMs + tripMs / 2 }
}
const outcomes = (samples: ClockSample[]) => decideClock(samples, 30).map(({ outcome }) => outcome)

test('clocks within the allowed skew are good, whatever second `Date` was cut to', () => {
  for (let aheadMs = -4_000; aheadMs <= 4_000; aheadMs += 250)
    assert.deepEqual(outcomes([sample('a', aheadMs)]), ['good'])
})

test('a skew that partners notice but accept is a caution, one that they refuse is bad, in both directions', () => {
  for (const sign of [1, -1]) {
    assert.deepEqual(outcomes([sample('a', sign * 15_000)]), ['caution'])
    assert.deepEqual(outcomes([sample('a', sign * 40_000)]), ['bad'])
  }
  assert.match(decideClock([sample('a', 40_000)], 30)[0]?.detail ?? '', /about 40 s ahead of that of `a`/)
  assert.match(decideClock([sample('a', -7_200_000)], 30)[0]?.detail ?? '', /about 2 h behind/)
})

test('one partner that is wrong does not make this clock wrong; it is named', () => {
  const findings = decideClock([sample('a', 0), sample('b', 200), sample('c', -3_600_000)], 30)
  assert.deepEqual(
    findings.map(({ outcome }) => outcome),
    ['good', 'caution'],
  )
  assert.match(findings[1]?.detail ?? '', /the clock of `c`/)
})

test('a slow connection is no proof of a wrong clock', () => {
  assert.deepEqual(outcomes([sample('a', 20_000, 60_000)]), ['good'])
})

test('with nobody to compare with, that is what is said', () => {
  assert.deepEqual(outcomes([]), ['caution'])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addDuration,
  durationBounds,
  isDurationWithin,
  longerDuration,
  parseDuration,
  shorterDuration,
  subtractDuration,
  type Duration,
} from './durations.ts'

const at = (text: string): number => Date.parse(text)
const duration = (text: string): Duration => parseDuration(text) ?? assert.fail(`${text} is a duration`)
const dateText = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

test('reads durations by calendar units, weeks as days', () => {
  assert.deepEqual(duration('P1Y2M3W4DT5H6M7S'), { years: 1, months: 2, days: 25, hours: 5, minutes: 6, seconds: 7 })
  assert.equal(duration('PT1M').minutes, 1)
  assert.equal(duration('P1M').months, 1)
})

test('refuses what is no duration, or could be read two ways', () => {
  const faulty = [
    '',
    'P',
    'PT',
    'P1',
    'p1d',
    'P1DT',
    'P-1D',
    '-P1D',
    'P1.5D',
    'P1,5D',
    'P1M1Y',
    'P1S',
    'PT1D',
    ' P1D',
    'P1D\n',
  ]
  for (const text of [...faulty, 'P1001Y', 'P9999999999D', 'PT999999999999S']) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text))
  }
})

test('a month later is the same day, or the last of a shorter month', () => {
  assert.equal(dateText(addDuration(at('2026-01-31'), duration('P1M'))), '2026-02-28')
  assert.equal(dateText(addDuration(at('2028-01-31'), duration('P1M'))), '2028-02-29')
  assert.equal(dateText(addDuration(at('2028-02-29'), duration('P1Y'))), '2029-02-28')
  assert.equal(dateText(addDuration(at('2026-12-15'), duration('P2M'))), '2027-02-15')
  assert.equal(dateText(subtractDuration(at('2026-03-31'), duration('P1M'))), '2026-02-28')
  assert.equal(addDuration(at('2026-03-28T12:00:00Z'), duration('P1DT1S')), at('2026-03-29T12:00:01Z'))
})

const anyDuration = fc
  .record({
    years: fc.nat(40),
    months: fc.nat(30),
    days: fc.nat(800),
    hours: fc.nat(50),
    minutes: fc.nat(90),
    seconds: fc.nat(90),
  })
  .map((parts): Duration => parts)
const anyMoment = fc.integer({ min: at('1880-01-01'), max: at('2150-01-01') })

test('no duration is shorter or longer than its bounds, wherever it begins', () => {
  fc.assert(
    fc.property(anyMoment, anyDuration, (ms, some) => {
      const length = addDuration(ms, some) - ms
      const { shortestMs, longestMs } = durationBounds(some)
      assert.ok(shortestMs <= length && length <= longestMs, `${shortestMs} ${length} ${longestMs}`)
    }),
    { numRuns: 200 },
  )
})

test('the bounds hold at the end of every month of two centuries', () => {
  for (let year = 1890; year <= 2105; year++) {
    for (let month = 0; month < 12; month++) {
      const lastDay = Date.UTC(year, month + 1, 0)
      for (const months of [1, 2, 3, 5, 6, 11, 12, 13, 24, 48, 49, 96]) {
        const some = { years: 0, months, days: 0, hours: 0, minutes: 0, seconds: 0 }
        const length = addDuration(lastDay, some) - lastDay
        const { shortestMs, longestMs } = durationBounds(some)
        assert.ok(shortestMs <= length && length <= longestMs, `${months} months from ${dateText(lastDay)}`)
      }
    }
  }
})

test('a duration within another never ends later', () => {
  fc.assert(
    fc.property(anyMoment, anyDuration, anyDuration, (ms, inner, outer) => {
      fc.pre(isDurationWithin(inner, outer))
      assert.ok(addDuration(ms, inner) <= addDuration(ms, outer))
    }),
    { numRuns: 200 },
  )
  assert.ok(isDurationWithin(duration('P28D'), duration('P1M')))
  assert.ok(isDurationWithin(duration('P365D'), duration('P1Y')))
  assert.ok(isDurationWithin(duration('P12M'), duration('P1Y')))
  assert.ok(!isDurationWithin(duration('P30D'), duration('P1M')))
  assert.ok(!isDurationWithin(duration('P1M'), duration('P30D')))
})

test('the shorter and the longer of two are told by where they begin', () => {
  const [month, days] = [duration('P1M'), duration('P30D')]
  assert.equal(shorterDuration(month, days, at('2026-02-01')), month)
  assert.equal(shorterDuration(month, days, at('2026-03-01')), days)
  assert.equal(longerDuration(month, days, at('2026-03-01')), month)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Histogram } from './histogram.ts'

test('a percentile is within 1.6 % and half a microsecond of the exact one', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 900_000_000 }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(latencies, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
      const histogram = new Histogram()
      for (const value of values) histogram.record(value)
      const sorted = values.toSorted((a, b) => a - b)
      const exact = sorted[Math.ceil(values.length * share) - 1] ?? 0
      assert.ok(Math.abs(histogram.percentileMs(share) * 1000 - exact) <= exact * 0.016 + 0.5)
    }),
  )
})

test('an empty histogram has percentile zero', () => {
  assert.equal(new Histogram().percentileMs(0.99), 0)
})

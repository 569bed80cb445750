import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  announcedWaitMs,
  parseRateLimit,
  parseRateLimitPolicy,
  parseRetryAfter,
  rateLimitItem,
  rateLimitPolicyItem,
} from './rate-limit-fields.ts'

test('reads the examples of the draft', () => {
  assert.deepEqual(parseRateLimitPolicy('"burst";q=100;w=60,"daily";q=1000;w=86400'), [
    { name: 'burst', quota: 100, unit: 'requests', windowSeconds: 60 },
    { name: 'daily', quota: 1000, unit: 'requests', windowSeconds: 86_400 },
  ])
  assert.deepEqual(parseRateLimitPolicy('"peruser";q=65535;qu="content-bytes";w=10;pk=:sdfjLJUOUH==:')[0], {
    name: 'peruser',
    quota: 65_535,
    unit: 'content-bytes',
    windowSeconds: 10,
    partition: 'sdfjLJUOUA==',
  })
  assert.deepEqual(parseRateLimit('"default";r=50;t=30'), [{ name: 'default', remaining: 50, resetSeconds: 30 }])
})

const malformed = [
  '',
  'x',
  '"a"',
  '"a";r',
  '"a";r=-1',
  '"a";r=1.5',
  '"a";r="1"',
  'a;r=1',
  '("a");r=1',
  '"a;r=1',
  '"é";r=1',
]

for (const text of malformed) {
  test(`ignores the malformed field \`${text}\``, () => assert.deepEqual(parseRateLimit(text), []))
}

test('never throws, whatever the field holds', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseRateLimit(text)
      parseRateLimitPolicy(text)
      parseRetryAfter(text, 0)
    }),
    { numRuns: 200 },
  )
})

test('reads back what it writes', () => {
  const number = fc.integer({ min: 0, max: 999_999_999 })
  fc.assert(
    fc.property(number, number, (a, b) => {
      assert.deepEqual(parseRateLimit(rateLimitItem('x', a, b)), [{ name: 'x', remaining: a, resetSeconds: b }])
      assert.deepEqual(parseRateLimitPolicy(rateLimitPolicyItem('x', a, b)), [
        { name: 'x', quota: a, unit: 'requests', windowSeconds: b },
      ])
    }),
    { numRuns: 100 },
  )
})

test('writes units, partitions and limits without a window, and reads them back', () => {
  const policy = rateLimitPolicyItem('at-once', 2, { unit: 'concurrent-requests', partition: 'AAEC' })
  assert.equal(policy, '"at-once";q=2;qu="concurrent-requests";pk=:AAEC:')
  assert.deepEqual(parseRateLimitPolicy(policy), [
    { name: 'at-once', quota: 2, unit: 'concurrent-requests', windowSeconds: undefined, partition: 'AAEC' },
  ])
  const limit = rateLimitItem('at-once', 1, { partition: 'AAEC' })
  assert.equal(limit, '"at-once";r=1;pk=:AAEC:')
  assert.deepEqual(parseRateLimit(limit), [
    { name: 'at-once', remaining: 1, resetSeconds: undefined, partition: 'AAEC' },
  ])
})

test('reads Retry-After as seconds and as a date, and nothing else', () => {
  assert.equal(parseRetryAfter('120', 0), 120_000)
  assert.equal(parseRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT', Date.UTC(1999, 11, 31, 23, 59, 58)), 1_000)
  assert.equal(parseRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT', Date.UTC(2020, 0)), 0)
  for (const text of ['', '-1', '1.5', 'soon', '99999999999', '2020-01-01']) {
    assert.equal(parseRetryAfter(text, 0), undefined)
  }
})

test('Retry-After wins over RateLimit', () => {
  assert.equal(announcedWaitMs({ retryAfter: '3', rateLimit: '"a";r=0;t=9' }, 0), 3_000)
  assert.equal(announcedWaitMs({ rateLimit: '"a";r=0;t=9, "b";r=0;t=20, "c";r=4;t=50' }, 0), 20_000)
  assert.equal(announcedWaitMs({ rateLimit: '"a";r=1;t=9' }, 0), 0)
  assert.equal(announcedWaitMs({ rateLimit: 'garbage' }, 0), 0)
})

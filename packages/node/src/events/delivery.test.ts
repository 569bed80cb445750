import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRetryAfter, readDeliveryAnswer } from './delivery.ts'

test('202 acknowledges, 400 refuses, everything else may pass', () => {
  assert.deepEqual(readDeliveryAnswer({ status: 202 }, 0), { acknowledged: true })
  assert.deepEqual(readDeliveryAnswer({ status: 400, body: '{"err":"invalid_key","description":"no such key"}' }, 0), {
    acknowledged: false,
    reason: 'status 400: invalid_key: no such key',
    retryAfterMs: undefined,
    isRefused: true,
  })
  assert.deepEqual(readDeliveryAnswer({ status: 503, retryAfter: '7', body: 'no JSON' }, 0), {
    acknowledged: false,
    reason: 'status 503',
    retryAfterMs: 7_000,
    isRefused: false,
  })
  const problem = '{"status":502,"code":"did-unresolvable","detail":"no document of `did:web:a.example`"}'
  const { reason } = readDeliveryAnswer({ status: 502, body: problem }, 0) as { reason?: string }
  assert.equal(reason, 'status 502: did-unresolvable: no document of `did:web:a.example`')
  for (const body of ['null', '[]', '"x"', '{"err":1}', 'x'.repeat(10_000)]) {
    assert.equal(readDeliveryAnswer({ status: 400, body }, 0).acknowledged, false)
  }
})

test('reads Retry-After as seconds or as a date', () => {
  assert.equal(parseRetryAfter(' 120 ', 0), 120_000)
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4_000), 6_000)
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 40_000), 0)
  for (const value of ['', '-1', '1.5', 'soon', '2026-01-01', '99999999999']) {
    assert.equal(parseRetryAfter(value, 0), undefined, value)
  }
})

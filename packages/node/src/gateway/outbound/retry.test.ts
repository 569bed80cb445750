import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideRetry, type Attempt } from './retry.ts'

const attempt: Attempt = {
  method: 'GET',
  hasIdempotencyKey: false,
  attempts: 1,
  status: 503,
  code: undefined,
  retryAfterSeconds: undefined,
  remainingMs: 10_000,
}

test('repeats a read after 503 with a jittered delay', () => {
  assert.deepEqual(decideRetry(attempt, 0.5), { retry: true, delayMs: 100 })
})

test('never repeats a write without an idempotency key', () => {
  for (const status of [429, 502, 503, 504]) {
    assert.deepEqual(decideRetry({ ...attempt, method: 'POST', status }, 0), { retry: false })
  }
  assert.deepEqual(decideRetry({ ...attempt, method: 'POST', status: undefined, code: 'partner-unreachable' }, 0), {
    retry: false,
  })
})

test('repeats a write that carries an idempotency key', () => {
  assert.equal(decideRetry({ ...attempt, method: 'POST', hasIdempotencyKey: true }, 0).retry, true)
})

test('waits at least as long as Retry-After says, and not at all when that is beyond the time left', () => {
  const verdict = decideRetry({ ...attempt, retryAfterSeconds: 2 }, 0)
  assert.deepEqual(verdict, { retry: true, delayMs: 2_000 })
  assert.deepEqual(decideRetry({ ...attempt, retryAfterSeconds: 20 }, 0), { retry: false })
})

test('does not repeat what was refused for good, nor an answer that does not verify', () => {
  for (const status of [200, 400, 401, 403, 404, 422, 500]) {
    assert.deepEqual(decideRetry({ ...attempt, status }, 0), { retry: false })
  }
  assert.deepEqual(decideRetry({ ...attempt, status: undefined, code: 'answer-invalid' }, 0), { retry: false })
})

test('repeats what an upstream that comes back would answer, and nothing else of a failing upstream', () => {
  assert.equal(decideRetry({ ...attempt, status: 502, code: 'upstream-unreachable' }, 0).retry, true)
  assert.equal(decideRetry({ ...attempt, status: 504, code: 'upstream-timeout' }, 0).retry, true)
  for (const code of ['upstream-invalid', 'upstream-error', 'upstream-too-large']) {
    assert.deepEqual(decideRetry({ ...attempt, status: 502, code }, 0), { retry: false })
  }
})

test('waits for a consent whose frequency passes, not for one whose uses are spent', () => {
  const quota = { ...attempt, status: 429, code: 'consent-quota' }
  assert.equal(decideRetry({ ...quota, retryAfterSeconds: 1 }, 0).retry, true)
  assert.deepEqual(decideRetry(quota, 0), { retry: false })
})

test('gives up after four attempts', () => {
  assert.deepEqual(decideRetry({ ...attempt, attempts: 4 }, 0), { retry: false })
})

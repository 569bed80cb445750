import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideRetry, type FailedAttempt } from './retry.ts'

const failed: FailedAttempt = {
  code: 'rate-limited',
  status: 429,
  isRepeatable: true,
  isReplayed: false,
  attempts: 1,
  maxAttempts: 3,
  retryAfterMs: undefined,
  remainingMs: 10_000,
}

test('sends again what passes', () => {
  const passing: [code: string, status: number | undefined][] = [
    ['rate-limited', 429],
    ['error-status', 503],
    ['upstream-unavailable', 503],
    ['partner-unreachable', 502],
    ['partner-timeout', 504],
    ['a-code-of-tomorrow', 503],
    ['node-unreachable', undefined],
    ['answer-incomplete', 200],
    ['idempotency-in-progress', 409],
  ]
  for (const [code, status] of passing) assert.equal(decideRetry({ ...failed, code, status }, 0.5).retry, true, code)
})

test('does not send again what will end the same way', () => {
  const lasting: [code: string, status: number | undefined][] = [
    ['answer-unbound', 502],
    ['tls-untrusted', 502],
    ['upstream-invalid', 502],
    ['agreement-required', 403],
    ['outcome-unknown', 409],
    ['error-status', 500],
    ['answer-too-large', 200],
    ['stream-too-large', 502],
    ['replica-missing', 504],
    ['not-a-node', 200],
  ]
  for (const [code, status] of lasting) assert.equal(decideRetry({ ...failed, code, status }, 0.5).retry, false, code)
})

test('never sends again what is unsafe without a key, was replayed, or was tried often enough', () => {
  for (const change of [{ isRepeatable: false }, { isReplayed: true }, { attempts: 3 }, { maxAttempts: 1 }]) {
    assert.deepEqual(decideRetry({ ...failed, ...change }, 0.5), { retry: false })
  }
})

test('never waits less than `Retry-After` nor beyond the deadline', () => {
  const facts = fc.record({
    retryAfterMs: fc.nat(60_000),
    remainingMs: fc.nat(60_000),
    attempts: fc.integer({ min: 1, max: 40 }),
  })
  fc.assert(
    fc.property(facts, fc.double({ min: 0, max: 0.999, noNaN: true }), (given, random) => {
      const verdict = decideRetry({ ...failed, maxAttempts: 99, ...given }, random)
      if (!verdict.retry) return
      assert.ok(verdict.delayMs >= given.retryAfterMs && verdict.delayMs < given.remainingMs)
      assert.ok(verdict.delayMs - given.retryAfterMs <= Math.min(10_000, 100 * 2 ** given.attempts))
    }),
    { numRuns: 200 },
  )
})

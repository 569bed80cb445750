/** Whether and when a call is sent again. Pure. */

export interface FailedAttempt {
  readonly code: string
  readonly status: number | undefined
  /** The method is safe (RFC 9110 §9.2.1) or the call has an idempotency key. */
  readonly isRepeatable: boolean
  /** The holder gave the kept answer of an earlier attempt, and would give it again. */
  readonly isReplayed: boolean
  /** Attempts made, this one included. */
  readonly attempts: number
  readonly maxAttempts: number
  readonly retryAfterMs: number | undefined
  readonly remainingMs: number
}

export type RetryVerdict = { readonly retry: false } | { readonly retry: true; readonly delayMs: number }

const baseDelayMs = 100
const maxDelayMs = 10_000

const passingStatuses: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504])
const passingCodes = new Set(['node-unreachable', 'answer-incomplete', 'idempotency-in-progress'])
/** Failures that come with one of those statuses and end the same way every time. */
const lastingCodes = new Set([
  'tls-untrusted',
  'answer-unsigned',
  'answer-unbound',
  'answer-invalid',
  'answer-unusable',
  'answer-too-large',
  'stream-too-large',
  'replica-missing',
  'upstream-invalid',
  'upstream-too-large',
])

/** Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"); `random` is in [0, 1). A `Retry-After` is a
 *  lower bound. A wait beyond the time left is not begun. */
export function decideRetry(failed: FailedAttempt, random: number): RetryVerdict {
  const { code, status, isRepeatable, isReplayed, attempts, maxAttempts, retryAfterMs, remainingMs } = failed
  const passes = passingCodes.has(code) || (passingStatuses.has(status) && !lastingCodes.has(code))
  if (!passes || !isRepeatable || isReplayed || attempts >= maxAttempts) return { retry: false }
  const delayMs = (retryAfterMs ?? 0) + jitterMs(attempts, random)
  return delayMs < remainingMs ? { retry: true, delayMs } : { retry: false }
}

/** Milliseconds between 0 and a ceiling that doubles with every attempt. */
export function jitterMs(attempts: number, random: number): number {
  return Math.floor(random * Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempts, 30)))
}

/** When an undelivered event is tried again: exponential back-off with full jitter (AWS Architecture Blog,
 *  "Exponential Backoff and Jitter"), never sooner than the receiver asks. Pure. */

const baseDelayMs = 1_000
const maxDelayMs = 3_600_000
const minDelayMs = 200
/** A receiver cannot put a sender off for longer than this. */
const maxRetryAfterMs = 24 * 3_600_000

export interface FailedDelivery {
  /** How often it was tried, this time included; at least 1. */
  readonly attempts: number
  /** The receiver's `Retry-After`. */
  readonly retryAfterMs?: number | undefined
  /** The receiver said that this token will never do; it is still tried, at the longest interval, since a mistake on
   *  either side may be mended. */
  readonly isRefused?: boolean | undefined
}

/** Milliseconds to wait; `random` is in [0, 1). */
export function redeliveryDelayMs({ attempts, retryAfterMs, isRefused }: FailedDelivery, random: number): number {
  const ceilingMs = isRefused === true ? maxDelayMs : Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempts, 30))
  const spreadMs = isRefused === true ? (maxDelayMs * (1 + random)) / 2 : ceilingMs * random
  const askedMs = Math.min(maxRetryAfterMs, Math.max(0, retryAfterMs ?? 0))
  return Math.max(minDelayMs, Math.floor(askedMs + spreadMs))
}

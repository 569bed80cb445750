/** Whether and when an outbound call is tried again. Pure. */
import type { ProblemCode } from '@comity/core/problems'
import { isSafeMethod } from '../steps/record-intent.ts'

export interface Attempt {
  readonly method: string
  readonly hasIdempotencyKey: boolean
  /** How many attempts were made, this one included. */
  readonly attempts: number
  /** HTTP status of the holder's answer, when there was one. */
  readonly status: number | undefined
  /** The failure, when there was no usable answer; else the code of the problem that the holder answered. */
  readonly code: string | undefined
  /** The holder's `Retry-After`, in seconds. */
  readonly retryAfterSeconds: number | undefined
  /** Time left for this call, in milliseconds. */
  readonly remainingMs: number
}

export type RetryVerdict = { readonly retry: false } | { readonly retry: true; readonly delayMs: number }

const maxAttempts = 4
const baseDelayMs = 100
const maxDelayMs = 5_000

/** The holder did not act on the request: it said so, or it was not reached. Anything may be sent again. */
const untouchedStatuses = new Set([429, 503])
/** It passes, and the holder may have acted: only what is safe to repeat is sent again. Another failure of the
 *  upstream, an answer against its description say, would only be met once more. */
const passingCodes: ReadonlySet<string> = new Set<ProblemCode>([
  'partner-unreachable',
  'partner-timeout',
  'upstream-unreachable',
  'upstream-lost',
  'upstream-timeout',
])

/** All uses are spent: that does not pass. */
function isForGood({ code, retryAfterSeconds }: Attempt): boolean {
  return code === 'consent-quota' && retryAfterSeconds === undefined
}

function worthAnother(attempt: Attempt): boolean {
  const { status, code, method, hasIdempotencyKey } = attempt
  if (isForGood(attempt)) return false
  if (!isSafeMethod(method) && !hasIdempotencyKey) return false
  return passingCodes.has(code ?? '') || untouchedStatuses.has(status ?? 0)
}

/** Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"): `random` is in [0, 1). A stated
 *  `Retry-After` is a lower bound; a wait beyond the time left is not begun. */
export function decideRetry(attempt: Attempt, random: number): RetryVerdict {
  if (attempt.attempts >= maxAttempts || !worthAnother(attempt)) return { retry: false }
  const ceilingMs = Math.min(maxDelayMs, baseDelayMs * 2 ** attempt.attempts)
  const delayMs = (attempt.retryAfterSeconds ?? 0) * 1_000 + Math.floor(random * ceilingMs)
  return delayMs < attempt.remainingMs ? { retry: true, delayMs } : { retry: false }
}

/** Whether a request's signature is within its time window. Pure: the time is an argument. */

/** How much clocks may differ, and how old a request may be whatever it says of itself. */
export interface FreshnessLimits {
  readonly skewSeconds?: number
  readonly maxAgeSeconds?: number
}

/** The verdict; `reason` tells which bound was passed, `detail` is a sentence for the caller. */
export type Freshness =
  | { readonly fresh: true }
  | { readonly fresh: false; readonly reason: 'not-yet' | 'expired' | 'too-old'; readonly detail: string }

/** Judges `created` and `expires` (seconds) at `nowMs` (milliseconds). Bounds are inclusive. */
export function checkFreshness(
  { created, expires }: { readonly created: number; readonly expires: number },
  nowMs: number,
  { skewSeconds = 30, maxAgeSeconds = 60 }: FreshnessLimits = {},
): Freshness {
  const now = nowMs / 1000
  if (created > now + skewSeconds) return stale('not-yet', `was created ${seconds(created - now)} in the future`)
  if (expires < now - skewSeconds) return stale('expired', `expired ${seconds(now - expires)} ago`)
  if (created < now - maxAgeSeconds - skewSeconds) return stale('too-old', `is ${seconds(now - created)} old`)
  return { fresh: true }
}

/** When the nonce of a request that is fresh now may be forgotten, in seconds: no later copy can be fresh. */
export function nonceForgettableAt(expires: number, { skewSeconds = 30 }: FreshnessLimits = {}): number {
  return expires + skewSeconds + 1
}

const seconds = (count: number): string => `${Math.floor(count)} s`

function stale(reason: 'not-yet' | 'expired' | 'too-old', words: string): Freshness {
  return { fresh: false, reason, detail: `the request ${words}` }
}

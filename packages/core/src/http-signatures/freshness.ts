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
  if (created > now + skewSeconds) return stale('not-yet', created - now, 'the request was created in the future by')
  if (expires < now - skewSeconds) return stale('expired', now - expires, 'the request expired ago by')
  if (created < now - maxAgeSeconds - skewSeconds) return stale('too-old', now - created, 'the request is older than')
  return { fresh: true }
}

/** When the nonce of a request that is fresh now may be forgotten, in seconds: no later copy can be fresh. */
export function nonceForgettableAt(expires: number, { skewSeconds = 30 }: FreshnessLimits = {}): number {
  return expires + skewSeconds + 1
}

function stale(reason: 'not-yet' | 'expired' | 'too-old', bySeconds: number, words: string): Freshness {
  return { fresh: false, reason, detail: `${words} ${Math.floor(bySeconds)} s` }
}

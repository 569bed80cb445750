/** Rate limiting by the generic cell rate algorithm (ITU-T I.371 annex A, in its leaky-bucket form): a smooth limit
 *  with a burst, two numbers of state per key, exact in integers. */

/** A limit: `limit` units per `periodMs`, of which `burst` may come at once (as many as `limit` when absent). */
export interface RateLimit {
  readonly limit: number
  readonly periodMs: number
  readonly burst?: number
}

/** What is remembered of a key. `debt` counts time already spent, in milliseconds times `limit`, as of `at` (ms). */
export interface GcraState {
  readonly debt: number
  readonly at: number
}

export interface RateVerdict {
  readonly allowed: boolean
  /** What to remember now; a refused call costs nothing. */
  readonly state: GcraState
  /** Whole units that could be spent at once after this decision. */
  readonly remaining: number
  /** Milliseconds until the refused cost would be admitted; 0 when allowed; Infinity when it never fits the burst. */
  readonly retryAfterMs: number
  /** Milliseconds until at least one unit more than `remaining` can be spent; 0 when nothing is spent. */
  readonly nextUnitMs: number
  /** Milliseconds until everything is restored and the state may be forgotten. */
  readonly resetMs: number
}

/** Decides about one call of `cost` units (default 1). Integers in, exact arithmetic: never one call too many.
 *  A clock that steps back neither restores nor takes anything. */
export function decideGcra(
  state: GcraState | undefined,
  rate: RateLimit & { readonly cost?: number },
  now: number,
): RateVerdict {
  const { limit, periodMs } = rate
  const capacity = (rate.burst ?? limit) * periodMs
  const charge = (rate.cost ?? 1) * periodMs
  const restored = state === undefined ? 0 : Math.max(0, now - state.at) * limit
  const before = state === undefined ? 0 : Math.max(0, state.debt - restored)
  const allowed = before + charge <= capacity
  const debt = allowed ? before + charge : before
  const room = capacity - debt
  return {
    allowed,
    state: { debt, at: now },
    remaining: Math.floor(room / periodMs),
    retryAfterMs: allowed ? 0 : waitMs(before + charge - capacity, charge > capacity, limit),
    nextUnitMs: debt === 0 ? 0 : Math.ceil(Math.min(periodMs - (room % periodMs), debt) / limit),
    resetMs: Math.ceil(debt / limit),
  }
}

/** What to remember once a charge is taken back. What the key regained since the charge is not given twice, so never more
 *  is admitted than if the charge had not been made: at worst as much less as a moment restores. */
export function giveBackGcra(
  { debt, at }: GcraState,
  { limit, periodMs, cost, sinceMs }: RateLimit & { readonly cost: number; readonly sinceMs: number },
  now: number,
): GcraState {
  const left = Math.max(0, debt - Math.max(0, now - at) * limit)
  const stillOwed = Math.max(0, cost * periodMs - Math.max(0, now - sinceMs) * limit)
  return { debt: Math.max(0, left - stillOwed), at: now }
}

function waitMs(excess: number, never: boolean, limit: number): number {
  return never ? Infinity : Math.ceil(excess / limit)
}

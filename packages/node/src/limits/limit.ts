/** What a limit is, whatever counts it, and how it stands after a call. */
import type { RateLimit, RateVerdict } from '@comity/core/limits/gcra'
import type { QuotaPer } from '@comity/core/limits/quota'

/** A smooth rate with a burst. Announced under `name`: printable ASCII without `"` and `\`. */
export interface NamedLimit extends RateLimit {
  readonly kind?: 'gcra'
  readonly name: string
}

/** At most `limit` units in any stretch of `periodMs`. */
export interface SlidingLimit {
  readonly kind: 'sliding-window'
  readonly name: string
  readonly limit: number
  readonly periodMs: number
}

/** So many units in each day or month of UTC. */
export interface CalendarLimit {
  readonly kind: 'quota'
  readonly name: string
  readonly units: number
  readonly per: QuotaPer
}

/** So many calls under way at once. */
export interface ConcurrencyLimit {
  readonly kind: 'concurrency'
  readonly name: string
  readonly slots: number
}

export type Limit = NamedLimit | SlidingLimit | CalendarLimit | ConcurrencyLimit

/** One charge: `key` is what the limit counts by (a DID, an address, a product …). */
export interface Charge {
  readonly limit: Limit
  readonly key: string
  /** Units; 1 when absent. 0 only asks and leaves nothing behind. A concurrency limit always takes one slot. */
  readonly cost?: number | undefined
  /** Units that the same call will take when it is made again; `cost` when absent. Only the announced wait looks at it. */
  readonly again?: number | undefined
  /** What the answer says the limit counts by, as base64. */
  readonly partition?: string | undefined
  /** What becomes of the call when a store that replicas share cannot be asked: refused, or counted by this node alone,
   *  as when absent. */
  readonly onStoreFailure?: StoreFailureMode | undefined
}

/** What becomes of a call whose limit cannot be counted. */
export const storeFailureModes = ['refuse', 'admit'] as const

/** One of them. */
export type StoreFailureMode = (typeof storeFailureModes)[number]

/** Counts limits, here or elsewhere. */
export interface Limiter {
  /** All charges of a call, or none. Throws `limits-unavailable`, or rejects with it. */
  charge(charges: readonly Charge[], now: number): LimiterVerdict | Promise<LimiterVerdict>
  /** Forgets what was charged of one key. Rejects with `limits-unavailable` where that cannot be done now. */
  forget(charged: Pick<Charge, 'limit' | 'key'>): void | Promise<void>
}

/** Why a limit cannot be counted, the cause of a `limits-unavailable`: what stands under one of its keys is no count. */
export class UnreadableCount extends Error {}

/** How a limit stands after the call. Times in milliseconds, as in `RateVerdict`. */
export interface Standing extends Omit<RateVerdict, 'state'> {
  /** Of a quota: units used in its period, also more than it has, once a grant is withdrawn. */
  readonly used?: number | undefined
  /** Of a quota: when its period began, and how long it is. */
  readonly period?: { readonly startMs: number; readonly lengthMs: number } | undefined
}

/** How one limit stands after the call. */
export interface LimitStanding {
  readonly limit: Limit
  readonly partition?: string | undefined
  readonly verdict: Standing
}

export interface LimiterVerdict {
  readonly allowed: boolean
  /** In the order of the charges. */
  readonly standings: readonly LimitStanding[]
  /** Milliseconds until the same call would be admitted; 0 when it was. A guess where running calls must end first. */
  readonly retryAfterMs: number
  /** Of an admitted call that took slots: gives them back; only the first time counts. */
  readonly release?: (() => void) | undefined
  /** Of an admitted call that is refused after all: gives back what was charged, but slots. To be called once. Rejects
   *  where that cannot be done now. */
  readonly giveBack?: ((of: GiveBack, now: number) => GivenBack | Promise<GivenBack>) | undefined
}

/** What the call takes that is refused. */
export interface GiveBack {
  readonly units: number
}

/** How limits stand once a charge is given back, and how long until the whole call fits. */
export type GivenBack = Pick<LimiterVerdict, 'standings' | 'retryAfterMs'>

/** When to ask again for a slot: nobody knows when a running call ends. */
export const slotRetryMs = 1_000

/** The largest quota that is counted exactly. */
export const maxQuotaUnits = 1_000_000_000_000

/** The most units that one call can ever take of a limit. */
export function largestCost(limit: Limit): number {
  switch (limit.kind) {
    case 'quota':
      return limit.units
    case 'concurrency':
      return Infinity
    case 'sliding-window':
      return limit.limit
    default:
      return limit.burst ?? limit.limit
  }
}

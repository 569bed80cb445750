/** Limits by name and key: each call is charged to several limits at once, to all of them or to none. */
import { decideGcra, type RateLimit, type RateVerdict } from '@comity/core/limits/gcra'
import { createLimitStore, type LimitStore } from './limit-store.ts'

/** A limit with the name under which it is announced: printable ASCII without `"` and `\`. */
export interface NamedLimit extends RateLimit {
  readonly name: string
}

/** One charge: `key` is what the limit counts by (a DID, an address, a product …). */
export interface Charge {
  readonly limit: NamedLimit
  readonly key: string
  /** Units; 1 when absent. 0 only asks and leaves nothing behind. */
  readonly cost?: number
}

/** How one limit stands after the call. */
export interface LimitStanding {
  readonly limit: NamedLimit
  readonly verdict: RateVerdict
}

export interface LimiterVerdict {
  readonly allowed: boolean
  /** In the order of the charges. */
  readonly standings: readonly LimitStanding[]
  /** Milliseconds until the same call would be admitted; 0 when it was. */
  readonly retryAfterMs: number
}

export interface RateLimiter {
  /** Synchronous, so that racing calls cannot all pass on the same allowance. `now` in milliseconds. */
  charge(charges: readonly Charge[], now: number): LimiterVerdict
}

/** How long a caller is sent away when the store has no room for its key. */
const fullStoreRetryMs = 1_000

/** Checks that a limit can be counted exactly. Throws a RangeError: limits come from validated configuration. */
export function assertNamedLimit(limit: NamedLimit): void {
  const { burst = limit.limit } = limit
  const whole = [limit.limit, limit.periodMs, burst].every((value) => Number.isSafeInteger(value) && value > 0)
  const exact = Number.isSafeInteger(2 * limit.periodMs * Math.max(burst, limit.limit))
  if (!whole || !exact) throw new RangeError(`the limit \`${limit.name}\` is out of range`)
  if (!/^[ !#-[\]-~]{1,64}$/.test(limit.name)) throw new RangeError('the name of a limit is not printable ASCII')
}

/** A limiter in memory for at most `maxKeys` keys of all limits together. */
export function createRateLimiter({ maxKeys = 100_000 }: { maxKeys?: number } = {}): RateLimiter {
  const stores = new Map<string, LimitStore>()
  const storeOf = (name: string) => {
    let store = stores.get(name)
    if (store === undefined) stores.set(name, (store = createLimitStore(maxKeys)))
    return store
  }
  return { charge: (charges, now) => chargeAll(storeOf, charges, now) }
}

type StoreOf = (limitName: string) => LimitStore

function chargeAll(storeOf: StoreOf, charges: readonly Charge[], now: number): LimiterVerdict {
  const standings: LimitStanding[] = []
  let retryAfterMs = 0
  for (const charge of charges) {
    const verdict = decideCharge(storeOf(charge.limit.name), charge, now)
    standings.push({ limit: charge.limit, verdict })
    retryAfterMs = Math.max(retryAfterMs, verdict.retryAfterMs)
  }
  if (retryAfterMs > 0) return { allowed: false, standings, retryAfterMs }
  for (let index = 0; index < charges.length; index++) {
    const { limit, key, cost } = charges[index] as Charge
    if (cost === 0) continue
    const { state, resetMs } = (standings[index] as LimitStanding).verdict
    storeOf(limit.name).set(key, state, now + resetMs)
  }
  return { allowed: true, standings, retryAfterMs: 0 }
}

function decideCharge(store: LimitStore, charge: Charge, now: number): RateVerdict {
  const { limit, key, cost = 1 } = charge
  const state = store.get(key)
  const verdict = decideGcra(state, { ...limit, cost }, now)
  if (state !== undefined || cost === 0 || store.hasRoom(1, now)) return verdict
  return { ...verdict, allowed: false, remaining: 0, retryAfterMs: fullStoreRetryMs }
}

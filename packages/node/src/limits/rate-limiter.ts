/** Limits by name and key, counted in memory: each call is charged to several limits at once, to all of them or to
 *  none. */
import { decideCharge, giveBackCharge, type ChargeState, type ChargeVerdict, type SlotState } from './decide-charge.ts'
import type { Charge, GiveBack, GivenBack, LimiterVerdict, LimitStanding } from './limit.ts'
import { createLimitStore, type LimitStore } from './limit-store.ts'
import { isStrangersKey, strangerCounters } from './strangers.ts'

export interface RateLimiter {
  /** Synchronous, so that racing calls cannot all pass on the same allowance. `now` in milliseconds. */
  charge(charges: readonly Charge[], now: number): LimiterVerdict
  /** Puts back what was remembered of a key before, if nothing newer is. */
  restore(charge: Pick<Charge, 'limit' | 'key'>, state: ChargeState, now: number): void
  /** Forgets what was charged of one key. */
  forget(charge: Pick<Charge, 'limit' | 'key'>): void
  /** Keys that are remembered, of all limits together. */
  readonly size: number
}

/** How long a caller is sent away when the store has no room for its key. */
const fullStoreRetryMs = 1_000

/** A limiter in memory for at most `maxKeys` keys of each limit, and beside them its counters of strangers. */
export function createRateLimiter({ maxKeys = 100_000 }: { maxKeys?: number } = {}): RateLimiter {
  const stores = new Map<string, LimitStore<ChargeState>>()
  const storeOf: StoreOf = ({ limit: { kind = 'gcra', name }, key }) => {
    const isOfStrangers = isStrangersKey(key)
    const id = `${isOfStrangers ? 'strangers ' : ''}${kind} ${name}`
    let store = stores.get(id)
    if (store === undefined) stores.set(id, (store = createLimitStore(isOfStrangers ? strangerCounters : maxKeys)))
    return store
  }
  return {
    charge: (charges, now) => chargeAll(storeOf, charges, now),
    restore({ limit, key }, state, now) {
      const store = storeOf({ limit, key })
      const { resetMs } = decideCharge(state, { limit, cost: 0 }, now)
      if (resetMs > 0 && store.get(key) === undefined && store.hasRoom(1, now)) store.set(key, state, now + resetMs)
    },
    forget: (charge) => storeOf(charge).delete(charge.key),
    get size() {
      return [...stores.values()].reduce((sum, { size }) => sum + size, 0)
    },
  }
}

type StoreOf = (of: Pick<Charge, 'limit' | 'key'>) => LimitStore<ChargeState>

function chargeAll(storeOf: StoreOf, charges: readonly Charge[], now: number): LimiterVerdict {
  const standings: (LimitStanding & { readonly verdict: ChargeVerdict })[] = []
  let isAllowed = true
  for (const charge of charges) {
    const verdict = decideInStore(storeOf(charge), charge, now)
    standings.push({ limit: charge.limit, partition: charge.partition, verdict })
    if (!verdict.allowed) isAllowed = false
  }
  if (!isAllowed) return refuse(storeOf, charges, { standings, now })
  for (let index = 0; index < charges.length; index++) {
    const { limit, key, cost } = charges[index] as Charge
    if (cost === 0) continue
    const { state, resetMs } = (standings[index] as (typeof standings)[number]).verdict
    storeOf({ limit, key }).set(key, state, now + resetMs)
  }
  const giveBack = ({ units }: GiveBack, nowMs: number) =>
    giveBackAll(storeOf, charges, { standings, sinceMs: now, units, nowMs })
  return { allowed: true, standings, retryAfterMs: 0, release: releaseOf(storeOf, charges), giveBack }
}

/** Takes charges back, and tells how their limits stand now. */
function giveBackAll(storeOf: StoreOf, charges: readonly Charge[], made: Made): GivenBack {
  const { sinceMs, units, nowMs } = made
  let retryAfterMs = 0
  const standings = charges.flatMap(({ limit, key, cost, partition }, at): LimitStanding[] => {
    if (limit.kind === 'concurrency') return []
    const store = storeOf({ limit, key })
    const before = store.get(key)
    const startMs = made.standings[at]?.verdict.period?.startMs
    const state = before && cost !== 0 ? giveBackCharge(before, { limit, cost, sinceMs, startMs }, nowMs) : before
    const verdict = decideCharge(state, { limit, cost: 0 }, nowMs)
    if (state !== undefined && state !== before) store.set(key, state, nowMs + verdict.resetMs)
    retryAfterMs = Math.max(retryAfterMs, decideCharge(state, { limit, cost: units }, nowMs).retryAfterMs)
    return [{ limit, partition, verdict }]
  })
  return { standings, retryAfterMs }
}

/** Charges that were made, and what is asked of them now. */
interface Made extends GiveBack {
  readonly standings: readonly LimitStanding[]
  readonly sinceMs: number
  readonly nowMs: number
}

interface Refused {
  readonly standings: readonly LimitStanding[]
  readonly now: number
}

/** Nothing is charged, so limits that would have admitted the call stand as before. */
function refuse(storeOf: StoreOf, charges: readonly Charge[], { standings, now }: Refused): LimiterVerdict {
  let retryAfterMs = 0
  const uncharged = charges.map((charge, at): LimitStanding => {
    const store = storeOf(charge)
    const standing = standings[at] as LimitStanding
    const asked = decideCharge(store.get(charge.key), { limit: charge.limit, cost: 0 }, now)
    keepAge(store, charge.key, { asked, now })
    retryAfterMs = Math.max(retryAfterMs, standing.verdict.retryAfterMs, againMs(store, charge, now))
    return standing.verdict.allowed ? { ...standing, verdict: asked } : standing
  })
  return { allowed: false, standings: uncharged, retryAfterMs }
}

/** After a clock was set back, time goes on from where the clock is, for refused keys too. */
function keepAge(
  store: LimitStore<ChargeState>,
  key: string,
  { asked, now }: { readonly asked: ChargeVerdict; readonly now: number },
): void {
  const state = store.get(key)
  if (state !== undefined && isAhead(state, { asked, now })) store.set(key, asked.state, now + asked.resetMs)
}

function isAhead(state: ChargeState, { asked, now }: { readonly asked: ChargeVerdict; readonly now: number }): boolean {
  if ('startMs' in state) return 'startMs' in asked.state && state.startMs > asked.state.startMs
  return 'at' in state && state.at > now
}

/** Gives the slots of a charged call back, once. */
function releaseOf(storeOf: StoreOf, charges: readonly Charge[]): LimiterVerdict['release'] {
  const slots = charges.filter(({ limit, cost }) => limit.kind === 'concurrency' && cost !== 0)
  if (slots.length === 0) return undefined
  return () => {
    for (const slot of slots.splice(0)) releaseSlot(storeOf(slot), slot.key)
  }
}

/** How long until the whole call fits, where that takes more than this charge. */
function againMs(store: LimitStore<ChargeState>, { limit, key, cost, again }: Charge, now: number): number {
  if (again === undefined || again === cost) return 0
  return decideCharge(store.get(key), { limit, cost: again }, now).retryAfterMs
}

function decideInStore(store: LimitStore<ChargeState>, charge: Charge, now: number): ChargeVerdict {
  const state = store.get(charge.key)
  const verdict = decideCharge(state, charge, now)
  if (state !== undefined || charge.cost === 0 || store.hasRoom(1, now)) return verdict
  return { ...verdict, allowed: false, remaining: 0, retryAfterMs: Math.max(verdict.retryAfterMs, fullStoreRetryMs) }
}

function releaseSlot(store: LimitStore<ChargeState>, key: string): void {
  const state = store.get(key) as SlotState | undefined
  if (state === undefined) return
  if (state.running <= 1) store.delete(key)
  else store.set(key, { running: state.running - 1 }, Infinity)
}

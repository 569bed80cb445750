/** Decides about one charge by what is remembered of its key, whatever kind its limit is of. */
import { decideGcra, giveBackGcra, type GcraState } from '@comity/core/limits/gcra'
import { decideQuota, giveBackQuota, type QuotaState } from '@comity/core/limits/quota'
import { decideSlidingWindow, giveBackWindow, type WindowState } from '@comity/core/limits/sliding-window'
import { slotRetryMs, type Charge, type ConcurrencyLimit, type Limit, type Standing } from './limit.ts'

/** How many calls of a key are under way. */
export interface SlotState {
  readonly running: number
}

/** What is remembered of a key; of which kind, its limit says. */
export type ChargeState = GcraState | WindowState | QuotaState | SlotState

export interface ChargeVerdict extends Standing {
  readonly state: ChargeState
}

/** `state` must be one that this limit gave. Integers in, exact arithmetic: never one call too many. */
export function decideCharge(
  state: ChargeState | undefined,
  { limit, cost = 1 }: { readonly limit: Limit; readonly cost?: Charge['cost'] },
  now: number,
): ChargeVerdict {
  switch (limit.kind) {
    case 'concurrency':
      return decideSlot(state as SlotState | undefined, limit, cost)
    case 'quota': {
      const verdict = decideQuota(state as QuotaState | undefined, { ...limit, cost }, now)
      const { startMs, endMs } = verdict.span
      return { ...verdict, used: verdict.state.used, period: { startMs, lengthMs: endMs - startMs } }
    }
    case 'sliding-window':
      return decideSlidingWindow(state as WindowState | undefined, { ...limit, cost }, now)
    default:
      return decideGcra(state as GcraState | undefined, { ...limit, cost }, now)
  }
}

function decideSlot(state: SlotState | undefined, { slots }: ConcurrencyLimit, cost: number): ChargeVerdict {
  const before = state?.running ?? 0
  const taken = cost === 0 ? 0 : 1
  const allowed = before + taken <= slots
  const running = allowed ? before + taken : before
  return {
    allowed,
    state: { running },
    remaining: Math.max(0, slots - running),
    retryAfterMs: allowed ? 0 : slotRetryMs,
    nextUnitMs: 0,
    // While a call runs its slot is never forgotten.
    resetMs: running === 0 ? 0 : Infinity,
  }
}

/** When a charge was made, and of a quota in which period. */
export interface ChargedAt {
  readonly sinceMs: number
  readonly startMs: number | undefined
}

/** What to remember of a key once a charge is taken back; slots are given back otherwise. Never lets more in than if the
 *  charge had not been made. */
export function giveBackCharge(
  state: ChargeState,
  { limit, cost = 1, sinceMs, startMs = sinceMs }: Pick<Charge, 'limit' | 'cost'> & ChargedAt,
  now: number,
): ChargeState {
  switch (limit.kind) {
    case 'concurrency':
      return state
    case 'quota':
      return giveBackQuota(state as QuotaState, { cost, startMs })
    case 'sliding-window':
      return giveBackWindow(state as WindowState, { ...limit, cost, sinceMs }, now)
    default:
      return giveBackGcra(state as GcraState, { ...limit, cost, sinceMs }, now)
  }
}

/** Charges as the script takes them, and its reply as a verdict. */
import { sliceMs } from '@comity/core/limits/sliding-window'
import type { Charge, Limit, LimitStanding } from '../limit.ts'
import { numbersBefore, numbersPerCharge } from './charge-script.ts'

/** Seven texts for each charge. `holder` names the call among those that hold slots. */
export function chargeArguments(
  charges: readonly Charge[],
  { leaseMs, holder }: { readonly leaseMs: number; readonly holder: string },
): string[] {
  return charges.flatMap(({ limit, cost = 1, again = cost }) => [
    ...settingsOf(limit, leaseMs),
    String(cost),
    String(again),
    holder,
  ])
}

/** What gives charges back, of those that are given (none of slots): a cost below nothing, with the moment or the period
 *  that it was charged in. `again` is what the whole call takes. */
export function giveBackArguments(
  charges: readonly Charge[],
  {
    atMs,
    standings,
    units,
  }: { readonly atMs: number; readonly standings: readonly LimitStanding[]; readonly units: number },
): string[] {
  return charges.flatMap(({ limit, cost = 1 }, index) => [
    ...settingsOf(limit, 0),
    String(-cost),
    String(units),
    String(standings[index]?.verdict.period?.startMs ?? atMs),
  ])
}

function settingsOf(limit: Limit, leaseMs: number): string[] {
  switch (limit.kind) {
    case 'quota':
      return ['q', String(limit.units), limit.per, '0']
    case 'concurrency':
      return ['c', String(limit.slots), String(leaseMs), '0']
    case 'sliding-window':
      return ['w', String(limit.limit), String(limit.periodMs), String(sliceMs(limit.periodMs))]
    default:
      return ['g', String(limit.limit), String(limit.periodMs), String(limit.burst ?? limit.limit)]
  }
}

/** A reply of the script; `atMs` is the time that it was decided at, by the clock that it went by. */
export interface ChargeReply {
  readonly allowed: boolean
  readonly atMs: number
  readonly standings: LimitStanding[]
  readonly retryAfterMs: number
}

/** What the server decided; `release` is the caller's to add. Throws for a reply that is not of the script. */
export function readReply(charges: readonly Charge[], reply: unknown, isBack = false): ChargeReply {
  if (!Array.isArray(reply) || reply.length !== numbersBefore + charges.length * numbersPerCharge)
    throw new Error('the store of the limits gave no reply of the script')
  const numbers = reply.map(Number)
  const [isAllowed, atMs = 0] = numbers
  const allowed = isAllowed === 1
  let retryAfterMs = 0
  const standings = charges.map(({ limit, partition }, index): LimitStanding => {
    const own = numbers.slice(numbersBefore + index * numbersPerCharge).slice(0, numbersPerCharge)
    const [fits = 0, remaining = 0, wait = 0, again = 0, nextUnitMs = 0, resetMs = 0, startMs = 0, lengthMs = 0] = own
    const never = (ms: number) => (ms === -1 ? Infinity : ms)
    if (!allowed || isBack) retryAfterMs = Math.max(retryAfterMs, never(wait), never(again))
    const ofQuota = limit.kind === 'quota' && { used: limit.units - remaining, period: { startMs, lengthMs } }
    const times = { retryAfterMs: never(wait), nextUnitMs, resetMs }
    const verdict = { allowed: fits === 1, remaining: Math.max(0, remaining), ...times, ...ofQuota }
    return { limit, partition, verdict }
  })
  return { allowed, atMs, standings, retryAfterMs }
}

/** Charges as the script takes them, and its reply as a verdict. */
import { sliceMs } from '@comity/core/limits/sliding-window'
import type { Charge, Limit, LimitStanding } from '../limit.ts'
import { numbersPerCharge } from './charge-script.ts'

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

/** What the server decided; `release` is the caller's to add. Throws for a reply that is not of the script. */
export function readReply(
  charges: readonly Charge[],
  reply: unknown,
): { readonly allowed: boolean; readonly standings: LimitStanding[]; readonly retryAfterMs: number } {
  if (!Array.isArray(reply) || reply.length !== 1 + charges.length * numbersPerCharge)
    throw new Error('the store of the limits gave no reply of the script')
  const numbers = reply.map(Number)
  const allowed = numbers[0] === 1
  let retryAfterMs = 0
  const standings = charges.map(({ limit, partition }, index): LimitStanding => {
    const own = numbers.slice(1 + index * numbersPerCharge, 1 + (index + 1) * numbersPerCharge)
    const [fits = 0, remaining = 0, wait = 0, again = 0, nextUnitMs = 0, resetMs = 0, startMs = 0, lengthMs = 0] = own
    const never = (ms: number) => (ms === -1 ? Infinity : ms)
    if (!allowed) retryAfterMs = Math.max(retryAfterMs, never(wait), never(again))
    const period = limit.kind === 'quota' ? { startMs, lengthMs } : undefined
    const verdict = { allowed: fits === 1, remaining, retryAfterMs: never(wait), nextUnitMs, resetMs, period }
    return { limit, partition, verdict }
  })
  return { allowed, standings, retryAfterMs }
}

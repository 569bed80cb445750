/** What becomes of a grant that ends before its time. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import type { QuotaDecision, QuotaRequest } from './quota-request.ts'

export interface QuotaWithdrawalOrder {
  /** Before the grant would have ended; at once when undefined. */
  readonly untilMs?: number | undefined
  /** For the asker to read. */
  readonly note?: string | undefined
}

/** The decision that takes the place of the grant: withdrawn now, or granted until an earlier moment. Throws
 *  `quota-request-state` for what is no grant or is over, `quota-request-invalid` for an end that is no earlier one. */
export function withdrawalOf(
  { decision: granted }: Pick<QuotaRequest, 'decision'>,
  { untilMs, note }: QuotaWithdrawalOrder,
  nowMs: number,
): QuotaDecision {
  if (granted?.state !== 'granted') {
    const state = granted?.state ?? 'not decided'
    throw new Problem('quota-request-state', `the request is ${state}: there is no grant to withdraw`)
  }
  const { units, untilMs: endsMs = 0, decidedMs: grantedMs } = granted
  if (endsMs <= nowMs) throw new Problem('quota-request-state', `the grant ended at ${formatDateTime(endsMs)}`)
  // Who is told of both knows which is the later one, whatever the clock does.
  const decidedMs = Math.max(nowMs, grantedMs + 1)
  if (untilMs === undefined) return { state: 'withdrawn', decidedMs, units, untilMs: nowMs, note }
  if (untilMs <= nowMs)
    throw new Problem('quota-request-invalid', 'that end has passed: a grant ends at once where none is given')
  if (untilMs >= endsMs)
    throw new Problem(
      'quota-request-invalid',
      `the grant ends at ${formatDateTime(endsMs)}: only an earlier end is taken`,
    )
  return { state: 'granted', decidedMs, units, untilMs, note }
}

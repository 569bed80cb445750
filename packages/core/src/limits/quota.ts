/** Quotas by the calendar: so many units in each day or month of UTC, all of them back when the next one begins. */
import type { RateVerdict } from './gcra.ts'

/** The periods that a quota may have. */
export const quotaPeriods = ['day', 'month'] as const

/** A day or a month of UTC. */
export type QuotaPer = (typeof quotaPeriods)[number]

export interface QuotaLimit {
  readonly units: number
  readonly per: QuotaPer
}

/** What was used in the period that began at `startMs`. */
export interface QuotaState {
  readonly startMs: number
  readonly used: number
}

export interface QuotaVerdict extends Omit<RateVerdict, 'state'> {
  readonly state: QuotaState
  /** The period that the call counts in. */
  readonly span: QuotaSpan
}

/** From `startMs` on, until before `endMs`. */
export interface QuotaSpan {
  readonly startMs: number
  readonly endMs: number
}

const dayMs = 86_400_000

/** The day or month of UTC that a moment is in. */
export function quotaSpan(per: QuotaPer, atMs: number): QuotaSpan {
  if (per === 'day') {
    const startMs = Math.floor(atMs / dayMs) * dayMs
    return { startMs, endMs: startMs + dayMs }
  }
  const at = new Date(atMs)
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()]
  return { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) }
}

/** Whether a period is later than the next one: a clock that was far ahead began it. */
export function isFarAhead(per: QuotaPer, startMs: number, nowMs: number): boolean {
  return startMs > quotaSpan(per, nowMs).endMs
}

/** What to remember once a charge is taken back that counted in the period which began at `startMs`. */
export function giveBackQuota(
  state: QuotaState,
  { cost, startMs }: { readonly cost: number; readonly startMs: number },
): QuotaState {
  return state.startMs === startMs ? { startMs, used: Math.max(0, state.used - cost) } : state
}

/** Decides about one call of `cost` units (default 1). A new period begins with nothing used. A clock that was set back
 *  into the period before neither restores nor takes: the later period goes on, and ends when it always did. What is used
 *  of a period further ahead counts in the one that is running: no wait is longer than two periods. */
export function decideQuota(
  state: QuotaState | undefined,
  quota: QuotaLimit & { readonly cost?: number },
  now: number,
): QuotaVerdict {
  const { units, per, cost = 1 } = quota
  const current = quotaSpan(per, now)
  const isLater = state !== undefined && state.startMs >= current.startMs
  const span = isLater && !isFarAhead(per, state.startMs, now) ? quotaSpan(per, state.startMs) : current
  const before = isLater ? state.used : 0
  const allowed = before + cost <= units
  const used = allowed ? before + cost : before
  const endsInMs = span.endMs - now
  return {
    allowed,
    state: { startMs: span.startMs, used },
    span,
    remaining: Math.max(0, units - used),
    retryAfterMs: allowed ? 0 : cost > units ? Infinity : endsInMs,
    nextUnitMs: used === 0 ? 0 : endsInMs,
    resetMs: used === 0 ? 0 : endsInMs,
  }
}

/** When a quota will be used up, from a forecast of the hours until its period ends. Pure. */
import type { ExpectedSum } from './forecast.ts'

const hourMs = 3_600_000

export interface QuotaFacts {
  readonly nowMs: number
  /** End of the quota's period. */
  readonly endMs: number
  readonly used: number
  readonly limit: number
  /** Expected from the beginning of the hour that it is on; at least until the period's end. */
  readonly sums: readonly ExpectedSum[]
}

export interface QuotaForecast {
  /** Units used at the period's end, were there no limit; with the bounds of the interval. */
  readonly expected: number
  readonly low: number
  readonly high: number
  /** When the limit is expected to be reached; undefined when it is not before the period's end. */
  readonly hitMs: number | undefined
  /** The same for the upper bound: the earliest that is plausible. */
  readonly earliestMs: number | undefined
}

/** Hours in which the forecast must tell something: the one that it is on, and all until the end. */
export function hoursUntil(endMs: number, nowMs: number): number {
  return Math.ceil(endMs / hourMs) - Math.floor(nowMs / hourMs)
}

export function decideQuotaForecast(facts: QuotaFacts): QuotaForecast {
  const { used, sums, nowMs, endMs } = facts
  const hours = hoursUntil(endMs, nowMs)
  const last = sums[hours - 1]
  const gone = goneOf(facts)
  return {
    expected: used + Math.max(0, (last?.expected ?? 0) - gone('expected')),
    low: used + Math.max(0, (last?.low ?? 0) - gone('low')),
    high: used + Math.max(0, (last?.high ?? 0) - gone('high')),
    hitMs: hitOf(facts, 'expected'),
    earliestMs: hitOf(facts, 'high'),
  }
}

type Bound = keyof ExpectedSum

/** What of the running hour was expected until now: it is used, or was not. */
function goneOf({ sums, nowMs }: QuotaFacts): (bound: Bound) => number {
  const share = (nowMs % hourMs) / hourMs
  return (bound) => share * (sums[0]?.[bound] ?? 0)
}

/** Within an hour units come evenly. */
function hitOf(facts: QuotaFacts, bound: Bound): number | undefined {
  const { used, limit, sums, nowMs, endMs } = facts
  if (used >= limit) return nowMs
  const left = limit - used + goneOf(facts)(bound)
  const firstHour = Math.floor(nowMs / hourMs)
  let before = 0
  for (const [hour, sum] of sums.entries()) {
    const until = sum[bound]
    if (until >= left) {
      const atMs = Math.ceil((firstHour + hour + (left - before) / (until - before)) * hourMs)
      return atMs < endMs ? Math.max(atMs, nowMs) : undefined
    }
    before = until
  }
  return undefined
}

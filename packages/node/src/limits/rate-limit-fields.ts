/** How the standing of a caller's limits is announced: the draft's two fields, the older `X-RateLimit-*` beside them
 *  for clients that know only those, and `Retry-After` with a refusal. */
import { rateLimitItem, rateLimitPolicyItem } from '@comity/core/limits/rate-limit-fields'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { largestCost, type LimiterVerdict, type LimitStanding } from './limit.ts'

const seconds = (ms: number) => Math.ceil(ms / 1_000)

/** Seconds until there is more; a refused call is never invited earlier than it would be admitted. */
function moreIn({ verdict }: LimitStanding): number {
  return seconds(verdict.allowed || verdict.retryAfterMs === Infinity ? verdict.nextUnitMs : verdict.retryAfterMs)
}

const isByTime = ({ limit }: LimitStanding) => limit.kind !== 'concurrency'

/** Units of a limit in its window, and in how many at once. */
function unitsOf({ limit }: LimitStanding): number {
  if (limit.kind === 'concurrency') return limit.slots
  return limit.kind === 'quota' ? limit.units : limit.limit
}

/** Part of what may come at once that is left; a refusal comes before everything. */
function left(standing: LimitStanding): number {
  const { limit, verdict } = standing
  if (!verdict.allowed) return -1
  return verdict.remaining / (limit.kind === 'concurrency' ? limit.slots : largestCost(limit))
}

/** The limit that the caller meets first: the least part of its burst left. Slots come back when calls end, which the
 *  older fields cannot say. */
function tightest(standings: readonly LimitStanding[]): LimitStanding | undefined {
  const byTime = standings.filter(isByTime)
  return byTime.length === 0
    ? undefined
    : byTime.reduce((least, standing) => (left(standing) < left(least) ? standing : least))
}

function policyItem(standing: LimitStanding): string {
  const { limit, partition, verdict } = standing
  if (limit.kind === 'concurrency')
    return rateLimitPolicyItem(limit.name, limit.slots, { unit: 'concurrent-requests', partition })
  const windowMs = limit.kind === 'quota' ? (verdict.period?.lengthMs ?? 0) : limit.periodMs
  return rateLimitPolicyItem(limit.name, unitsOf(standing), { windowSeconds: seconds(windowMs), partition })
}

function limitItem(standing: LimitStanding): string {
  const { limit, partition, verdict } = standing
  const resetSeconds = isByTime(standing) ? moreIn(standing) : undefined
  return rateLimitItem(limit.name, verdict.remaining, { resetSeconds, partition })
}

/** Header fields for the answer, name and value in turn. `X-RateLimit-Reset` counts seconds from now. */
export function rateLimitFields({ standings }: Pick<LimiterVerdict, 'standings'>): string[] {
  if (standings.length === 0) return []
  const fields = [
    'ratelimit-policy',
    standings.map(policyItem).join(', '),
    'ratelimit',
    standings.map(limitItem).join(', '),
  ]
  const first = tightest(standings)
  if (first === undefined) return fields
  fields.push('x-ratelimit-limit', String(unitsOf(first)))
  fields.push('x-ratelimit-remaining', String(first.verdict.remaining))
  fields.push('x-ratelimit-reset', String(moreIn(first)))
  return fields
}

/** The code of a refusal: of what lasts longest. */
function codeOf(violated: readonly LimitStanding[]): ProblemCode {
  if (violated.some(({ limit }) => limit.kind === 'quota')) return 'quota-exceeded'
  return violated.some(isByTime) ? 'rate-limited' : 'concurrency-limited'
}

/** The refusal of a call over its limit. `retryAfterSeconds` becomes `Retry-After`; `violated-policies` names the
 *  limits that were met. */
export function rateLimitedProblem(verdict: Pick<LimiterVerdict, 'standings' | 'retryAfterMs'>): Problem {
  const violated = verdict.standings.filter((standing) => !standing.verdict.allowed)
  const names = violated.map(({ limit }) => limit.name)
  const never = verdict.retryAfterMs === Infinity
  const list = names.map((name) => `\`${name}\``).join(', ')
  return new Problem(
    codeOf(violated),
    `the limit ${list} is ${never ? 'lower than what this call costs' : 'used up'}`,
    {
      members: {
        'violated-policies': names,
        ...(never ? {} : { retryAfterSeconds: Math.max(1, seconds(verdict.retryAfterMs)) }),
      },
    },
  )
}

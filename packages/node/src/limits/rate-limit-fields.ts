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

/** Units that are left of a limit; a refusal comes before everything. */
function left({ verdict }: LimitStanding): number {
  return verdict.allowed ? verdict.remaining : -1
}

/** Whether the caller meets a limit before another: it has fewer units left or, where as few, gets more of them later. */
function isFirst(one: LimitStanding, other: LimitStanding): boolean {
  return left(one) < left(other) || (left(one) === left(other) && moreIn(one) > moreIn(other))
}

/** The limit that the caller meets first. Slots come back when calls end, which the older fields cannot say. */
function tightest(standings: readonly LimitStanding[]): LimitStanding | undefined {
  const byTime = standings.filter(isByTime)
  return byTime.length === 0 ? undefined : byTime.reduce((least, next) => (isFirst(next, least) ? next : least))
}

function policyItem(standing: LimitStanding): string {
  const { limit, partition, verdict } = standing
  if (limit.kind === 'concurrency')
    return rateLimitPolicyItem(limit.name, limit.slots, { unit: 'concurrent-requests', partition })
  const windowMs = limit.kind === 'quota' ? (verdict.period?.lengthMs ?? 0) : limit.periodMs
  const burst = largestCost(limit) === unitsOf(standing) ? undefined : largestCost(limit)
  return rateLimitPolicyItem(limit.name, unitsOf(standing), { windowSeconds: seconds(windowMs), burst, partition })
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

/** The refusal of a call over its limits, which takes so many units in all. `retryAfterSeconds` becomes `Retry-After`;
 *  `violated-policies` names the limits that were met. A call that can never fit is told what would. */
export function rateLimitedProblem(verdict: Pick<LimiterVerdict, 'standings' | 'retryAfterMs'>, units = 1): Problem {
  const violated = verdict.standings.filter((standing) => !standing.verdict.allowed)
  if (verdict.retryAfterMs === Infinity) return tooLarge(verdict.standings, units)
  return new Problem(codeOf(violated), `the limit ${named(violated)} is used up`, {
    members: {
      'violated-policies': namesOf(violated),
      retryAfterSeconds: Math.max(1, seconds(verdict.retryAfterMs)),
    },
  })
}

/** However long the caller waits, some limit never has as many units at once. */
function tooLarge(standings: readonly LimitStanding[], cost: number): Problem {
  const tooSmall = standings.filter(({ limit }) => largestCost(limit) < cost)
  const largest = Math.min(...tooSmall.map(({ limit }) => largestCost(limit)))
  const detail = `the call costs ${cost} units, and the limit ${named(tooSmall)} admits ${largest} at once`
  return new Problem('batch-too-large', detail, { members: { 'violated-policies': namesOf(tooSmall), cost, largest } })
}

const namesOf = (standings: readonly LimitStanding[]) => standings.map(({ limit }) => limit.name)
const named = (standings: readonly LimitStanding[]) =>
  namesOf(standings)
    .map((name) => `\`${name}\``)
    .join(', ')

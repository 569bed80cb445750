/** How the standing of a caller's limits is announced: the draft's two fields, the older `X-RateLimit-*` beside them
 *  for clients that know only those, and `Retry-After` with a refusal. */
import { Problem } from '@comity/core/problems'
import { rateLimitItem, rateLimitPolicyItem } from '@comity/core/limits/rate-limit-fields'
import type { LimiterVerdict, LimitStanding } from './rate-limiter.ts'

const seconds = (ms: number) => Math.ceil(ms / 1_000)

/** Seconds until there is more; a refused call is never invited earlier than it would be admitted. */
function moreIn({ verdict }: LimitStanding): number {
  return seconds(verdict.allowed || verdict.retryAfterMs === Infinity ? verdict.nextUnitMs : verdict.retryAfterMs)
}

/** Part of the burst that is left; a refusal comes before everything. */
const left = ({ limit, verdict }: LimitStanding) =>
  verdict.allowed ? verdict.remaining / (limit.burst ?? limit.limit) : -1

/** The limit that the caller meets first: the least part of its burst left. */
function tightest(standings: readonly LimitStanding[]): LimitStanding {
  return standings.reduce((least, standing) => (left(standing) < left(least) ? standing : least))
}

/** Header fields for the answer, name and value in turn. `X-RateLimit-Reset` counts seconds from now. */
export function rateLimitFields({ standings }: LimiterVerdict): string[] {
  if (standings.length === 0) return []
  const policies = standings.map(({ limit }) => rateLimitPolicyItem(limit.name, limit.limit, seconds(limit.periodMs)))
  const limits = standings.map((standing) =>
    rateLimitItem(standing.limit.name, standing.verdict.remaining, moreIn(standing)),
  )
  const first = tightest(standings)
  return [
    ['ratelimit-policy', policies.join(', ')],
    ['ratelimit', limits.join(', ')],
    ['x-ratelimit-limit', String(first.limit.limit)],
    ['x-ratelimit-remaining', String(first.verdict.remaining)],
    ['x-ratelimit-reset', String(moreIn(first))],
  ].flat()
}

/** The refusal of a call over its limit. `retryAfterSeconds` becomes `Retry-After`; `violatedPolicies` names the
 *  limits that were met. */
export function rateLimitedProblem(verdict: LimiterVerdict): Problem {
  const violated = verdict.standings.filter((standing) => !standing.verdict.allowed).map(({ limit }) => limit.name)
  const never = verdict.retryAfterMs === Infinity
  return new Problem('rate-limited', `the limit ${violated.map((name) => `\`${name}\``).join(', ')} is used up`, {
    members: {
      violatedPolicies: violated,
      ...(never ? {} : { retryAfterSeconds: Math.max(1, seconds(verdict.retryAfterMs)) }),
    },
  })
}

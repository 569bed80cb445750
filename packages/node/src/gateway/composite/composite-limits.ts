/** How much may still be called, of several limits in one answer: of the products that a composite's parts call, or of
 *  the holders that answered it. */
import {
  parseRateLimit,
  parseRateLimitPolicy,
  rateLimitItem,
  rateLimitPolicyItem,
  type AnnouncedLimit,
  type AnnouncedPolicy,
} from '@comity/core/limits/rate-limit-fields'

/** A field of what was announced, by lower-case name. */
export type AnnouncedField = (name: string) => string | undefined

const writable = /^[ !#-[\]-~]{1,64}$/

/** Partitions of one limit are limits of their own. */
const nameOf = ({ name, partition }: { readonly name: string; readonly partition?: string }) =>
  partition === undefined ? name : `${name}\n${partition}`

interface Joined {
  readonly limit: AnnouncedLimit
  readonly policy: AnnouncedPolicy | undefined
}

/** Header fields for all of them, name and value in turn. Of a limit that is announced several times the least that is
 *  left counts; `X-RateLimit-*` are those of the limit of which the least is left, and never of slots, which come back
 *  when calls end. */
export function jointLimitFields(announced: readonly AnnouncedField[]): string[] {
  const told = joined(announced)
  if (told.length === 0) return []
  const policies = told.flatMap(({ policy }) => (policy === undefined ? [] : [policyItem(policy)]))
  const items = told.map(({ limit: { name, remaining, resetSeconds, partition } }) =>
    rateLimitItem(name, remaining, { resetSeconds, partition }),
  )
  return [
    ...(policies.length > 0 ? ['ratelimit-policy', policies.join(', ')] : []),
    'ratelimit',
    items.join(', '),
    ...olderFields(told),
  ]
}

function joined(announced: readonly AnnouncedField[]): Joined[] {
  const policies = new Map(
    announced
      .flatMap((field) => parseRateLimitPolicy(field('ratelimit-policy')))
      .map((policy) => [nameOf(policy), policy]),
  )
  const limits = new Map<string, AnnouncedLimit>()
  for (const limit of announced.flatMap((field) => parseRateLimit(field('ratelimit')))) {
    const known = limits.get(nameOf(limit))
    if (writable.test(limit.name) && !(known && known.remaining <= limit.remaining)) limits.set(nameOf(limit), limit)
  }
  return [...limits]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, limit]) => ({ limit, policy: policies.get(name) ?? policies.get(limit.name) }))
}

function policyItem({ name, quota, unit, windowSeconds, burst, partition }: AnnouncedPolicy): string {
  return rateLimitPolicyItem(name, quota, {
    windowSeconds,
    unit: writable.test(unit) && unit !== 'requests' ? unit : undefined,
    burst,
    partition,
  })
}

function olderFields(told: readonly Joined[]): string[] {
  const [first] = told
    .filter(({ policy }) => policy?.unit !== 'concurrent-requests')
    .toSorted((a, b) => a.limit.remaining - b.limit.remaining)
  if (first === undefined) return []
  const { limit, policy } = first
  return [
    ...(policy === undefined ? [] : ['x-ratelimit-limit', String(policy.quota)]),
    'x-ratelimit-remaining',
    String(limit.remaining),
    'x-ratelimit-reset',
    String(limit.resetSeconds ?? 0),
  ]
}

/** Of names and values in turn. */
export function announcedIn(fields: readonly string[]): AnnouncedField {
  return (name) => {
    const at = fields.findIndex((text, index) => index % 2 === 0 && text === name)
    return at < 0 ? undefined : fields[at + 1]
  }
}

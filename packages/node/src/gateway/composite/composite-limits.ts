/** How much may still be called, of several limits in one answer: of the products that a composite's parts call, or of
 *  the holders that answered it. */
import {
  parseRateLimit,
  parseRateLimitPolicy,
  rateLimitItem,
  rateLimitPolicyItem,
  type AnnouncedLimit,
} from '@comity/core/limits/rate-limit-fields'

/** A field of what was announced, by lower-case name. */
export type AnnouncedField = (name: string) => string | undefined

const writable = /^[ !#-[\]-~]{1,64}$/

/** Header fields for all of them, name and value in turn. Of a limit that is announced several times the least that is
 *  left counts; `X-RateLimit-*` are those of the limit of which the least is left. */
export function jointLimitFields(announced: readonly AnnouncedField[]): string[] {
  const policies = new Map(
    announced
      .flatMap((field) => parseRateLimitPolicy(field('ratelimit-policy')))
      .map((policy) => [policy.name, policy]),
  )
  const limits = new Map<string, AnnouncedLimit>()
  for (const limit of announced.flatMap((field) => parseRateLimit(field('ratelimit')))) {
    const known = limits.get(limit.name)
    if (writable.test(limit.name) && !(known && known.remaining <= limit.remaining)) limits.set(limit.name, limit)
  }
  const [first, ...others] = [...limits.values()].toSorted((a, b) => a.remaining - b.remaining)
  if (first === undefined) return []
  const told = [first, ...others].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const quotas = told.flatMap(({ name }) => {
    const { quota, windowSeconds } = policies.get(name) ?? {}
    return quota === undefined || windowSeconds === undefined ? [] : [rateLimitPolicyItem(name, quota, windowSeconds)]
  })
  const quota = policies.get(first.name)?.quota
  return [
    ...(quotas.length > 0 ? ['ratelimit-policy', quotas.join(', ')] : []),
    'ratelimit',
    told.map(({ name, remaining, resetSeconds }) => rateLimitItem(name, remaining, resetSeconds ?? 0)).join(', '),
    ...(quota === undefined ? [] : ['x-ratelimit-limit', String(quota)]),
    'x-ratelimit-remaining',
    String(first.remaining),
    'x-ratelimit-reset',
    String(first.resetSeconds ?? 0),
  ]
}

/** Of names and values in turn. */
export function announcedIn(fields: readonly string[]): AnnouncedField {
  return (name) => {
    const at = fields.findIndex((text, index) => index % 2 === 0 && text === name)
    return at < 0 ? undefined : fields[at + 1]
  }
}

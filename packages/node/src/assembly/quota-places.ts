/** Which quotas the callers of the last weeks have: what usage counted, looked at as the limits look at a call. */
import type { CalendarLimit } from '../limits/limit.ts'
import { keyOfRule, type CallFacts, type LimitRule } from '../limits/limit-rules.ts'
import type { CredentialKind, LimitDimension } from '../limits/limit-rule-config.ts'
import type { UsageFacts } from '../usage/usage-record.ts'

/** One quota of one of those that it is counted by. */
export interface QuotaPlace {
  readonly rule: LimitRule & { readonly limit: CalendarLimit }
  /** As the limiter keeps it. */
  readonly key: string
  /** Whose calls count in it. */
  readonly callers: readonly UsageFacts[]
}

/** What usage does not know of calls: nobody is told by it. */
const unknownToUsage: readonly LimitDimension[] = ['address', 'subject']
const ofSomebody: readonly LimitDimension[] = ['participant', 'client', 'key']

export interface KnownOfCallers {
  readonly aliasOf: (did: string) => string | undefined
  /** Id of the first key of the line that an API key is of; the same text for any other key. */
  readonly lineOf: (key: string) => string
}

/** By limit and key. Quotas by address or by whom calls are about are none of these. */
export function quotaPlaces(
  rules: readonly LimitRule[],
  callers: readonly UsageFacts[],
  { aliasOf, lineOf }: KnownOfCallers,
): QuotaPlace[] {
  const places = new Map<string, QuotaPlace & { readonly callers: UsageFacts[] }>()
  for (const rule of rules) {
    if (!isQuota(rule) || rule.by.some((name) => unknownToUsage.includes(name))) continue
    for (const caller of callers) {
      const key = keyFor(rule, { ...caller, key: lineOf(caller.key) }, aliasOf)
      if (key === undefined) continue
      const name = `${rule.limit.name} ${key}`
      const place = places.get(name) ?? { rule, key, callers: [] }
      place.callers.push(caller)
      places.set(name, place)
    }
  }
  return [...places].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place)
}

function isQuota(rule: LimitRule): rule is QuotaPlace['rule'] {
  return rule.limit.kind === 'quota'
}

function keyFor(rule: LimitRule, caller: UsageFacts, aliasOf: (did: string) => string | undefined) {
  const { participant, client, key, product, operation } = caller
  const isNobody = participant === '' && client === ''
  if (product === '' || (isNobody && rule.by.some((name) => ofSomebody.includes(name)))) return undefined
  const facts: CallFacts = {
    caller: participant === '' ? `client:${client}` : participant,
    alias: aliasOf(participant),
    address: '',
    key: key === '' ? undefined : key,
    client: client === '' ? undefined : client,
    credential: caller.credential as CredentialKind,
    product,
    operation: operation === '' ? undefined : operation,
    subject: undefined,
  }
  if (rule.needsOperation && facts.operation === undefined) return undefined
  if (!rule.isOf(product) || !rule.meets(facts)) return undefined
  return keyOfRule(rule, facts, (text) => text)
}

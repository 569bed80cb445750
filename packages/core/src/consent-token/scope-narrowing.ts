/** Whether a scope allows no more than another: what makes passing on a part of a consent safe without asking the
 *  holder. Every member of `ConsentScope` has a rule here, which the compiler checks; what cannot be compared for
 *  certain (a look-back with fixed dates, a month with thirty days) is refused. */
import { canonicalJson } from '../bytes/canonical-json.ts'
import type { ConsentScope } from '../consent/consent-scope.ts'
import { coversDomain } from '../consent/data-domain.ts'
import { coveredByAny } from '../consent/field-path.ts'
import { isPurposeWithin } from '../consent/purposes.ts'
import { isFetchWithin, isPeriodWithin, isRetentionWithin, isWithinNumber } from './limit-narrowing.ts'
import { isOnwardWithin } from './onward-sharing.ts'

type Rules = { readonly [M in keyof ConsentScope]-?: (child: ConsentScope[M], parent: ConsentScope[M]) => boolean }

/** INVARIANT: a rule is true only when each call that the child's member lets through, the parent's lets through. An
 *  absent member of the parent sets no limit, except `onward`. */
const rules: Rules = {
  grant: (child, parent) => child === parent,
  effect: (child, parent) => child === parent,
  purposes: (child, parent) => child.every((purpose) => isPurposeWithin(purpose, parent)),
  actions: isSubset,
  modes: isLimitedTo,
  products: isSubset,
  domains: (child, parent) => child.every((domain) => parent.some((wider) => coversDomain(wider, domain))),
  fields: isFieldsWithin,
  transforms: beginsWith,
  filters: holdsAll,
  dataPeriod: isPeriodWithin,
  fetch: isFetchWithin,
  maxUses: isWithinNumber,
  retention: isRetentionWithin,
  geo: (child, parent) => isLimitedTo(child?.allow, parent?.allow) && holdsAll(child?.deny, parent?.deny),
  onward: isOnwardWithin,
  obligations: holdsAll,
}

/** What of a permitting scope is wider than its parent: a sentence for each member, none when all is narrower or the
 *  same. */
export function scopeNarrowingFaults(child: ConsentScope, parent: ConsentScope): string[] {
  const members = Object.keys(rules) as (keyof ConsentScope)[]
  return members
    .filter((member) => !isNarrower(member, child, parent))
    .map((member) => `\`${member}\` of the grant \`${child.grant}\` is wider than its parent's, or cannot be compared`)
}

/** True when all that the scope releases, the other would release too, on no easier terms, whatever either is called
 *  and to whom it may be passed on. */
export function isReleaseWithin(scope: ConsentScope, other: ConsentScope): boolean {
  const members = Object.keys(rules) as (keyof ConsentScope)[]
  return members.every((member) => member === 'grant' || member === 'onward' || isNarrower(member, scope, other))
}

function isNarrower<M extends keyof ConsentScope>(member: M, child: ConsentScope, parent: ConsentScope): boolean {
  const rule = rules[member] as (child: ConsentScope[M], parent: ConsentScope[M]) => boolean
  return rule(child[member], parent[member])
}

function isSubset<T>(child: readonly T[], parent: readonly T[]): boolean {
  return child.every((item) => parent.includes(item))
}

/** For lists whose absence allows everything. */
function isLimitedTo<T>(child: readonly T[] | undefined, parent: readonly T[] | undefined): boolean {
  return parent === undefined || (child !== undefined && isSubset(child, parent))
}

/** For lists of restrictions: none of the parent's is missing. */
function holdsAll(child: readonly unknown[] = [], parent: readonly unknown[] = []): boolean {
  const held = new Set(child.map(canonicalJson))
  return parent.every((item) => held.has(canonicalJson(item)))
}

/** For lists whose order means something: the parent's come first, unchanged. */
function beginsWith(child: readonly unknown[] = [], parent: readonly unknown[] = []): boolean {
  return parent.every((item, index) => index < child.length && canonicalJson(child[index]) === canonicalJson(item))
}

function isFieldsWithin(child: ConsentScope['fields'], parent: ConsentScope['fields']): boolean {
  const { include, exclude = [] } = child ?? {}
  const { include: widest, exclude: barred = [] } = parent ?? {}
  if (!barred.every((path) => coveredByAny(exclude, path))) return false
  return widest === undefined || (include !== undefined && include.every((path) => coveredByAny(widest, path)))
}

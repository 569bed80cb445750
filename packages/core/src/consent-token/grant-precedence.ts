/** Grants that overlap. A field is released by the first grant that covers it (`decide-consent.ts`), so leaving that
 *  one out of a delegation, or narrowing it, would release the field on the terms of a later one. */
import { canonicalJson } from '../bytes/canonical-json.ts'
import type { ConsentScope } from '../consent/consent-scope.ts'
import { coversDomain } from '../consent/data-domain.ts'
import { dpvBroader } from '../consent/dpv-purposes.ts'
import { coveredByAny } from '../consent/field-path.ts'
import { isPurposeWithin } from '../consent/purposes.ts'
import { meets } from '../consent/released-fields.ts'
import { isReleaseWithin } from './scope-narrowing.ts'

/** Where a child would give fields that its parent withholds, or on easier terms: a sentence for each such pair of
 *  grants. A grant that precedes another which it overlaps must be kept before it with the same reach, unless what is
 *  left of the other is within the first. */
export function precedenceFaults(child: readonly ConsentScope[], parent: readonly ConsentScope[]): string[] {
  return child
    .filter(({ effect }) => effect === 'permit')
    .flatMap((scope, place) => {
      const before = child.slice(0, place)
      return precedingIn(parent, scope)
        .filter((first) => overlaps(first, scope) && !isReleaseWithin(scope, first) && !isKept(first, before))
        .map((first) => `the grant \`${scope.grant}\` needs \`${first.grant}\` before it as it is, which it overlaps`)
    })
}

function precedingIn(parent: readonly ConsentScope[], { grant }: ConsentScope): ConsentScope[] {
  const place = parent.findIndex((scope) => scope.grant === grant)
  return parent.slice(0, Math.max(0, place)).filter(({ effect }) => effect === 'permit')
}

const reach = ({ purposes, actions, products, domains, fields, geo }: ConsentScope): string =>
  canonicalJson({ purposes, actions, products, domains, fields, geo })

function isKept(first: ConsentScope, before: readonly ConsentScope[]): boolean {
  return before.some((scope) => scope.grant === first.grant && reach(scope) === reach(first))
}

/** True when one call could get the same field by either. */
function overlaps(a: ConsentScope, b: ConsentScope): boolean {
  return (
    a.products.some((product) => b.products.includes(product)) &&
    a.actions.some((action) => b.actions.includes(action)) &&
    a.domains.some((one) => b.domains.some((other) => coversDomain(one, other) || coversDomain(other, one))) &&
    fieldsOverlap(a.fields, b.fields) &&
    purposesOverlap(a.purposes, b.purposes)
  )
}

function fieldsOverlap(a: ConsentScope['fields'], b: ConsentScope['fields']): boolean {
  const [ofA, ofB] = [left(a, b?.exclude), left(b, a?.exclude)]
  if (ofA === undefined || ofB === undefined) return (ofA ?? ofB)?.length !== 0
  return ofA.some((one) => ofB.some((other) => meets(one, other)))
}

/** The fields that a scope names and the other does not exclude; undefined for all. */
function left(fields: ConsentScope['fields'], excluded: readonly string[] = []): readonly string[] | undefined {
  return fields?.include?.filter((path) => !coveredByAny(excluded, path))
}

/** True when a purpose can be stated that lies within both. */
function purposesOverlap(a: readonly string[], b: readonly string[]): boolean {
  return [...a, ...b, ...dpvBroader.keys()].some(
    (purpose) => isPurposeWithin(purpose, a) && isPurposeWithin(purpose, b),
  )
}

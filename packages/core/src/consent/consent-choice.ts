/** The part of a request that a person chose: never more than was asked, never for longer. */
import { formatDateTime } from '../agreement/date-time.ts'
import { Problem } from '../problems.ts'
import type { ConsentGrant } from './consent-record.ts'
import { momentMs } from './consent-texts.ts'
import { coversDomain } from './data-domain.ts'
import { addDuration, parseDuration } from './durations.ts'
import { coveredByAny } from './field-path.ts'
import type { FieldLabel } from './released-fields.ts'

/** What the person decided. A grant that is not listed is not given. */
export interface GrantChoice {
  readonly grants: readonly {
    readonly id: string
    /** The field paths that are given; all that were asked for when absent. */
    readonly fields?: readonly string[] | undefined
  }[]
  /** RFC 3339; as long as was asked for when absent. */
  readonly expires?: string | undefined
}

/** What there is to choose from. For a narrower revision: the grants and the end of the one before. */
export interface OfferedGrants {
  readonly grants: readonly ConsentGrant[]
  /** ISO 8601 duration, from the choice on. */
  readonly duration?: string | undefined
  /** RFC 3339. The consent ends at the first of the two; one must be there. */
  readonly expires?: string | undefined
}

/** A choice as the record states it. Moments are RFC 3339. */
export interface ChosenGrants {
  readonly grants: readonly ConsentGrant[]
  readonly notBefore: string
  readonly expires: string
}

/** Throws `consent-choice-invalid` for a choice that is not a part of what was asked. What a request refuses by itself
 *  (`effect` `deny`) stays, chosen or not. With `labels` (of all products of the request) every field must be one. */
export function applyChoice(
  offered: OfferedGrants,
  choice: GrantChoice,
  facts: { readonly nowMs: number; readonly labels?: readonly FieldLabel[] | undefined },
): ChosenGrants {
  const chosen = new Map(choice.grants.map((grant) => [grant.id, grant]))
  if (chosen.size < choice.grants.length) throw invalid('a grant is chosen twice')
  for (const id of chosen.keys()) {
    if (!offered.grants.some(({ grant }) => grant === id))
      throw notOffered(offered, `the grant ${named(id)}`, possibleGrants(offered))
  }

  const grants = offered.grants.flatMap((grant) => {
    const part = chosen.get(grant.grant)
    if (grant.effect === 'deny') return [keptRefusal(grant, part?.fields)]
    return part === undefined ? [] : [narrowedGrant(grant, part.fields, { offered, labels: facts.labels })]
  })
  if (!grants.some(({ effect }) => effect === 'permit')) throw invalid('no grant is chosen')

  const endMs = chosenEnd(offered, choice.expires, facts.nowMs)
  return { grants, notBefore: formatDateTime(facts.nowMs), expires: formatDateTime(endMs) }
}

function keptRefusal(grant: ConsentGrant, fields: readonly string[] | undefined): ConsentGrant {
  if (fields !== undefined) throw invalid('a refusal has no fields to choose')
  return grant
}

function narrowedGrant(
  grant: ConsentGrant,
  fields: readonly string[] | undefined,
  { offered, labels }: { readonly offered: OfferedGrants; readonly labels: readonly FieldLabel[] | undefined },
): ConsentGrant {
  if (fields === undefined) return grant
  if (fields.length === 0) throw invalid(`the grant ${named(grant.grant)} is chosen without a field`)
  const { include, exclude } = grant.fields ?? {}
  for (const field of fields) {
    const isOffered =
      (include === undefined || coveredByAny(include, field)) &&
      !coveredByAny(exclude ?? [], field) &&
      (labels === undefined || isOfDomains(field, grant.domains, labels))
    if (!isOffered) {
      const what = `the field ${named(field)} of the grant ${named(grant.grant)}`
      throw notOffered(offered, what, possibleFields(grant, labels))
    }
  }
  return { ...grant, fields: { include: [...new Set(fields)], ...(exclude !== undefined && { exclude }) } }
}

function isOfDomains(field: string, domains: readonly string[], labels: readonly FieldLabel[]): boolean {
  return labels.some(
    ({ path, domain }) => coveredByAny([path], field) && domains.some((granted) => coversDomain(granted, domain)),
  )
}

function chosenEnd(offered: OfferedGrants, expires: string | undefined, nowMs: number): number {
  const duration = offered.duration === undefined ? undefined : parseDuration(offered.duration)
  const latestMs = Math.min(
    duration === undefined ? Infinity : addDuration(nowMs, duration),
    offered.expires === undefined ? Infinity : momentMs(offered.expires),
  )
  if (!Number.isFinite(latestMs)) throw invalid('the request does not say how long')
  const endMs = expires === undefined ? latestMs : momentMs(expires)
  if (!(endMs > nowMs)) throw invalid('the end is not a moment that lies ahead')
  if (endMs > latestMs) throw invalid('the end lies beyond what was asked for')
  return endMs
}

/** What may be chosen of a grant, as far as it is known. */
function possibleFields({ fields, domains }: ConsentGrant, labels: readonly FieldLabel[] = []): readonly string[] {
  const { include, exclude = [] } = fields ?? {}
  const all = include ?? labels.flatMap(({ path }) => (isOfDomains(path, domains, labels) ? [path] : []))
  return all.filter((path) => !coveredByAny(exclude, path))
}

function possibleGrants({ grants }: OfferedGrants): readonly string[] {
  return grants.flatMap(({ grant, effect }) => (effect === 'permit' ? [grant] : []))
}

/** Most names that a refusal lists. */
const listed = 50

/** Of a consent that is in force only less can be given. */
function notOffered({ duration }: OfferedGrants, what: string, possible: readonly string[]): Problem {
  const why =
    duration === undefined ? 'is not in the consent as it stands, which can only be narrowed' : 'was not asked for'
  const names = possible.slice(0, listed).map(named).join(', ')
  return invalid(`${what} ${why}; there is ${names === '' ? 'nothing to choose' : names}`)
}

const named = (name: string): string => `\`${name.slice(0, 200)}\``

function invalid(detail: string): Problem {
  return new Problem('consent-choice-invalid', detail)
}

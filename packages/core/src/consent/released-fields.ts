/** Which fields each of several scopes gives, when none may be given by two and none that is refused. */
import type { ConsentScope } from './consent-scope.ts'
import { coversDomain } from './data-domain.ts'
import { coveredByAny, coversField } from './field-path.ts'

/** A product's field and the domain its data belong to. */
export interface FieldLabel {
  readonly path: string
  readonly domain: string
}

interface PlacedLabel extends FieldLabel {
  /** Labels of fields below this one, which decide for themselves. */
  readonly below: readonly FieldLabel[]
}

/** Scope → the fields it gives, in the order of the labels. INVARIANT: every field given lies at or below a label
 *  whose domain the scope covers, below no other label, and above none that the same scope does not give whole. */
export function releasedFields(
  permits: readonly ConsentScope[],
  refusals: readonly ConsentScope[],
  { labels, requested }: { readonly labels: readonly FieldLabel[]; readonly requested?: readonly string[] | undefined },
): Map<ConsentScope, string[]> {
  const given = new Map<ConsentScope, string[]>(permits.map((scope) => [scope, []]))
  for (const label of deepestFirst(labels)) {
    const asked = intersection([label.path], requested)
    for (const scope of asked.length === 0 ? [] : permits) {
      const fields = intersection(asked, fieldsOf(scope, label)).filter(
        (field) =>
          !label.below.some(({ path }) => coversField(path, field)) &&
          label.below.every(({ path }) => !coversField(field, path) || given.get(scope)?.includes(path) === true) &&
          !meetsAny(scope.fields?.exclude, field) &&
          !refusals.some((refusal) => isRefused(field, refusal, label)) &&
          !isTaken(field, scope, given),
      )
      given.get(scope)?.push(...fields)
    }
  }
  return new Map([...given].map(([scope, fields]) => [scope, inLabelOrder(fields, labels)]))
}

/** What two lists of fields have in common: of two where one lies below the other, the lower. All of `fields` when
 *  there is no second list. */
export function intersection(fields: readonly string[], others: readonly string[] | undefined): readonly string[] {
  if (others === undefined) return fields
  const common = fields.flatMap((field) =>
    coveredByAny(others, field) ? [field] : others.filter((other) => coversField(field, other)),
  )
  return [...new Set(common)].filter(
    (field, _, all) => !all.some((other) => other !== field && coversField(other, field)),
  )
}

/** True when one of the two is or lies below the other. */
export function meets(a: string, b: string): boolean {
  return coversField(a, b) || coversField(b, a)
}

/** The fields of all lists, by the order of the labels they lie at or below. */
export function inLabelOrder(fields: readonly string[], labels: readonly FieldLabel[]): string[] {
  const placed = new Set<string>()
  for (const label of labels) {
    for (const field of fields) if (ownerOf(field, labels) === label) placed.add(field)
  }
  return [...placed]
}

// The lowest label at or above the field: the one that says what it is.
function ownerOf(field: string, labels: readonly FieldLabel[]): FieldLabel | undefined {
  let owner: FieldLabel | undefined
  for (const label of labels) {
    if (coversField(label.path, field) && (owner === undefined || label.path.length > owner.path.length)) owner = label
  }
  return owner
}

function fieldsOf({ domains, fields }: ConsentScope, { path, domain }: FieldLabel): readonly string[] {
  return domains.some((granted) => coversDomain(granted, domain)) ? intersection([path], fields?.include) : []
}

function isRefused(field: string, refusal: ConsentScope, label: FieldLabel): boolean {
  return meetsAny(fieldsOf(refusal, label), field) && !coveredByAny(refusal.fields?.exclude ?? [], field)
}

function isTaken(field: string, by: ConsentScope, given: ReadonlyMap<ConsentScope, readonly string[]>): boolean {
  return [...given].some(([scope, fields]) => scope !== by && meetsAny(fields, field))
}

function meetsAny(fields: readonly string[] | undefined, field: string): boolean {
  return fields?.some((other) => meets(other, field)) ?? false
}

const placedLabels = new WeakMap<readonly FieldLabel[], readonly PlacedLabel[]>()

// A label below another has the longer path. A product's labels are one list that lives long, so this is done once.
function deepestFirst(labels: readonly FieldLabel[]): readonly PlacedLabel[] {
  const known = placedLabels.get(labels)
  if (known !== undefined) return known
  const placed = labels
    .map((label) => ({
      ...label,
      below: labels.filter(({ path }) => path !== label.path && coversField(label.path, path)),
    }))
    .toSorted((a, b) => b.path.length - a.path.length)
  placedLabels.set(labels, placed)
  return placed
}

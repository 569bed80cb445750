/** Which fields each of several scopes gives, when none may be given by two and none that is refused. */
import type { ConsentScope } from './consent-scope.ts'
import { coversDomain } from './data-domain.ts'
import { coveredByAny, coversField } from './field-path.ts'

/** A product's field and the domain its data belong to. */
export interface FieldLabel {
  readonly path: string
  readonly domain: string
}

/** What is given of each label, by the label's place in the product's list. */
export interface ReleasedFields {
  /** Scope → fields, in the order of the labels; scopes that give nothing are not in it. */
  readonly byScope: ReadonlyMap<ConsentScope, readonly string[]>
  /** All of them, in the order of the labels. */
  readonly released: readonly string[]
  /** What was asked for and is not given, in the order of the labels; last what has no label. */
  readonly withheld: readonly string[]
}

interface Asked {
  /** A list that stays the same object from call to call is prepared only once. */
  readonly labels: readonly FieldLabel[]
  /** All labelled fields when undefined. */
  readonly requested?: readonly string[] | undefined
}

interface PlacedLabel extends FieldLabel {
  readonly at: number
  /** Labels of fields below this one, which decide for themselves. */
  readonly below: readonly PlacedLabel[]
}

/** Fields by the place of their label. */
type Placed = (readonly string[])[]

const none: readonly string[] = []

/** What each scope gives. INVARIANT: every field given lies at or below a label whose domain the scope covers, below no
 *  other label, and above none that the same scope does not give whole; no two scopes give the same. */
export function releasedFields(
  permits: readonly ConsentScope[],
  refusals: readonly ConsentScope[],
  { labels, requested }: Asked,
): ReleasedFields {
  const given = new Map(permits.map((scope) => [scope, emptyPlaces(labels)]))
  const whole = emptyPlaces(labels)
  const asked = emptyPlaces(labels)
  for (const label of deepestFirst(labels)) {
    const { at, path } = label
    const wanted = requested === undefined ? [path] : intersection([path], requested)
    asked[at] = wanted
    let taken = none
    for (const [scope, fields] of wanted.length === 0 ? [] : given) {
      const own = fieldsOf(scope, labels)[at] ?? []
      const mine = (requested === undefined ? own : intersection(wanted, own)).filter(
        (field) =>
          isAloneOrWhole(field, label, fields) &&
          !meetsAny(taken, field) &&
          !refusals.some((refusal) => isRefused(field, refusal, fieldsOf(refusal, labels)[at])),
      )
      if (mine.length === 0) continue
      fields[at] = mine
      taken = taken.length === 0 ? mine : [...taken, ...mine]
    }
    whole[at] = taken
  }
  return {
    byScope: flattened(given),
    released: whole.flat(),
    withheld: withheldOf(asked, whole, { labels, requested }),
  }
}

function emptyPlaces(labels: readonly FieldLabel[]): Placed {
  return labels.map(() => none)
}

function isAloneOrWhole(field: string, { below }: PlacedLabel, given: Placed): boolean {
  return below.every(
    ({ path, at }) => !coversField(path, field) && (!coversField(field, path) || (given[at]?.includes(path) ?? false)),
  )
}

function flattened(given: ReadonlyMap<ConsentScope, Placed>): Map<ConsentScope, readonly string[]> {
  const lists = [...given].map(([scope, fields]) => [scope, fields.flat()] as const)
  return new Map(lists.filter(([, fields]) => fields.length > 0))
}

function withheldOf(asked: Placed, whole: Placed, { labels, requested = [] }: Asked): readonly string[] {
  const known = asked.flatMap((fields, at) => fields.filter((field) => !coveredByAny(whole[at] ?? [], field)))
  const unknown = requested.filter((path) => !labels.some((label) => meets(label.path, path)))
  return [...new Set([...known, ...unknown])]
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

// What a scope covers by itself is worked out once: tokens are verified once and used often.
const covered = new WeakMap<ConsentScope, WeakMap<readonly FieldLabel[], readonly (readonly string[])[]>>()

/** By the place of the label: what the scope includes of it, less what a permission excludes. */
function fieldsOf(scope: ConsentScope, labels: readonly FieldLabel[]): readonly (readonly string[])[] {
  let byLabels = covered.get(scope)
  if (byLabels === undefined) covered.set(scope, (byLabels = new WeakMap()))
  let fields = byLabels.get(labels)
  if (fields === undefined) byLabels.set(labels, (fields = labels.map((label) => fieldsOfLabel(scope, label))))
  return fields
}

function fieldsOfLabel({ effect, domains, fields }: ConsentScope, { path, domain }: FieldLabel): readonly string[] {
  if (!domains.some((granted) => coversDomain(granted, domain))) return []
  const included = intersection([path], fields?.include)
  return effect === 'deny' ? included : included.filter((field) => !meetsAny(fields?.exclude ?? [], field))
}

function isRefused(field: string, refusal: ConsentScope, own: readonly string[] | undefined): boolean {
  return own !== undefined && meetsAny(own, field) && !coveredByAny(refusal.fields?.exclude ?? [], field)
}

function meetsAny(fields: readonly string[], field: string): boolean {
  return fields.some((other) => meets(other, field))
}

const placedLabels = new WeakMap<readonly FieldLabel[], readonly PlacedLabel[]>()

// A label below another has the longer path, so those below are decided on first.
function deepestFirst(labels: readonly FieldLabel[]): readonly PlacedLabel[] {
  const known = placedLabels.get(labels)
  if (known !== undefined) return known
  const order = labels.map(({ path }, at) => ({ path, at })).toSorted((a, b) => b.path.length - a.path.length)
  const placed: PlacedLabel[] = []
  for (const { path, at } of order) {
    const below = placed.filter((other) => other.path !== path && coversField(path, other.path))
    placed.push({ path, domain: labels[at]?.domain ?? '', at, below })
  }
  placedLabels.set(labels, placed)
  return placed
}

/** What the holder's policies leave of a release: never more than it, and values changed at least as much. */
import { coversField } from '../consent/field-path.ts'
import type { FieldTransform } from '../consent/consent-scope.ts'
import type { Release, ReleasePart } from '../consent/release.ts'
import type { FieldMask, MaskedField } from '../policy/field-mask.ts'
import { isGrouped } from './row-groups.ts'

/** The release under a mask whose fields are those of the release, or lie below them. A field that the mask leaves only
 *  in part counts as withheld, as does one above a field that is not left whole. `labels` give the order of lists. */
export function maskRelease(release: Release, mask: FieldMask, labels: readonly { readonly path: string }[]): Release {
  const named = { fields: [...mask.fields, ...(mask.unasked ?? [])] }
  const left = new Map(release.released.map((field) => [field, leftOf(field, named, release.released)]))
  const parts = release.parts.map((part) => maskedPart(part, left, named)).filter(({ fields }) => fields.length > 0)
  const whole = (field: string) => left.get(field)?.some(({ path }) => path === field) ?? false
  const withheld = [...release.released.filter((field) => !whole(field)), ...release.withheld]
  return {
    parts,
    released: release.released.flatMap((field) => (left.get(field) ?? []).map(({ path }) => path)),
    withheld: inOrder([...new Set(withheld)], labels),
  }
}

type NamedFields = Pick<FieldMask, 'fields'>

/** Of one released field: itself, or what the mask names below it and below no other released field. */
function leftOf(field: string, { fields }: NamedFields, released: readonly string[]): readonly MaskedField[] {
  const below = released.filter((other) => other !== field && coversField(field, other))
  const whole = fields.find(({ path }) => path === field)
  if (whole !== undefined) {
    const isWhole = below.every((other) => fields.some(({ path }) => path === other))
    return isWhole ? [whole] : []
  }
  return fields.filter(({ path }) => coversField(field, path) && !below.some((other) => coversField(other, path)))
}

function maskedPart(
  part: ReleasePart,
  left: ReadonlyMap<string, readonly MaskedField[]>,
  named: NamedFields,
): ReleasePart {
  const kept = part.fields.flatMap((field) => left.get(field) ?? [])
  const fields = kept.map(({ path }) => path)
  if (!isGrouped(part) && !kept.some((field) => isGrouped(field))) {
    return { ...part, fields, transforms: changed(part, kept) }
  }
  // Whether rows leave in groups is up to what is asked for; which groups there are is not.
  const whole = givableUnder(named, part) ?? kept
  const sizes = [part, ...whole].flatMap(({ groupsOf }) => groupsOf ?? [])
  return {
    ...part,
    ...(sizes.length > 0 && { groupsOf: Math.max(...sizes) }),
    ...(part.givable && { givable: whole.map(({ path }) => path) }),
    fields,
    transforms: changed(part, whole),
  }
}

/** What the mask leaves of all that the part gives. What it says of parts of these fields, which only a call that asks
 *  for them is told, does not count. */
function givableUnder(
  { fields }: NamedFields,
  { givable }: Pick<ReleasePart, 'givable'>,
): readonly MaskedField[] | undefined {
  const own = fields.filter(({ path }) => givable?.includes(path))
  return givable?.flatMap((field) => leftOf(field, { fields: own }, givable))
}

function changed({ transforms }: ReleasePart, fields: readonly MaskedField[]): readonly FieldTransform[] {
  const more = fields.flatMap((field) => field.transforms)
  return more.length === 0 ? transforms : withoutRepeats([...transforms, ...more])
}

/** The same done twice to the same value would be another value, of a hash for example. */
function withoutRepeats(transforms: readonly FieldTransform[]): FieldTransform[] {
  return [...new Map(transforms.map((transform) => [JSON.stringify(sorted(transform)), transform])).values()]
}

const sorted = (transform: FieldTransform) => Object.entries(transform).toSorted(([a], [b]) => (a < b ? -1 : 1))

/** By the place of the label that a field is or lies below; what has none comes last. */
function inOrder(fields: readonly string[], labels: readonly { readonly path: string }[]): readonly string[] {
  const place = (field: string) => {
    const at = labels.findLastIndex(({ path }) => coversField(path, field))
    return at < 0 ? labels.length : at
  }
  return fields.toSorted((a, b) => place(a) - place(b))
}

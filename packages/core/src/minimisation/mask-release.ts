/** What the holder's policies leave of a release: never more than it, and values changed at least as much. */
import { coveredByAny, coversField } from '../consent/field-path.ts'
import type { FieldTransform } from '../consent/consent-scope.ts'
import type { Release, ReleasePart } from '../consent/release.ts'
import type { FieldMask, MaskedField } from '../policy/field-mask.ts'
import { isGrouped } from './row-groups.ts'

/** The release under a mask whose fields are those of the release, or lie below them. A field that the mask leaves only
 *  in part counts as withheld, as does one above a field that is not left whole. `labels` give the order of lists. */
export function maskRelease(release: Release, mask: FieldMask, labels: readonly { readonly path: string }[]): Release {
  return releaseUnder(mask, (part, kept) => maskedPart(part, kept, mask), { release, labels })
}

/** The release of a call that gets these fields at most, such as one with a key of such a scope. It is as if it asked for
 *  no more: rows that leave in groups leave in the same ones. */
export function narrowRelease(
  release: Release,
  mask: Pick<FieldMask, 'fields'>,
  labels: readonly { readonly path: string }[],
): Release {
  const narrowed = (part: ReleasePart, kept: readonly MaskedField[]) => ({
    givable: part.fields,
    ...part,
    fields: kept.map(({ path }) => path),
  })
  return releaseUnder(mask, narrowed, { release, labels })
}

function releaseUnder(
  mask: Pick<FieldMask, 'fields'>,
  partOf: (part: ReleasePart, kept: readonly MaskedField[]) => ReleasePart,
  { release, labels }: { readonly release: Release; readonly labels: readonly { readonly path: string }[] },
): Release {
  const left = new Map(release.released.map((field) => [field, leftOf(field, mask.fields, release.released)]))
  const keptOf = ({ fields }: ReleasePart) => fields.flatMap((field) => left.get(field) ?? [])
  const parts = release.parts.map((part) => partOf(part, keptOf(part))).filter(({ fields }) => fields.length > 0)
  const leaving = new Set(parts.flatMap(({ fields }) => fields))
  const withheld = [...release.released.filter((field) => !leaving.has(field)), ...release.withheld]
  return {
    parts,
    released: release.released
      .flatMap((field) => (left.get(field) ?? []).map(({ path }) => path))
      .filter((path) => leaving.has(path)),
    withheld: inOrder([...new Set(withheld)], labels),
  }
}

/** Of one released field: itself, or what the mask names below it, below no other released field and above none that
 *  the mask does not leave. */
function leftOf(field: string, fields: readonly MaskedField[], released: readonly string[]): readonly MaskedField[] {
  const below = released.filter((other) => other !== field && coversField(field, other))
  const isLeft = (path: string) => fields.some((each) => each.path === path)
  const isAlone = ({ path }: MaskedField) => below.every((other) => !coversField(path, other) || isLeft(other))
  const whole = fields.find(({ path }) => path === field)
  if (whole !== undefined) return isAlone(whole) ? [whole] : []
  return fields.filter((each) => coversField(field, each.path) && !coveredByAny(below, each.path) && isAlone(each))
}

function maskedPart(part: ReleasePart, kept: readonly MaskedField[], mask: FieldMask): ReleasePart {
  const fields = kept.map(({ path }) => path)
  if (!isGrouped(part) && !kept.some((field) => isGrouped(field))) {
    return { ...part, fields, transforms: changed(part, kept) }
  }
  // Whether rows leave in groups is up to what is asked for; which groups there are is not.
  const whole = part.givable?.flatMap((field) => leftOf(field, mask.givable ?? mask.fields, part.givable ?? [])) ?? kept
  const sizes = [part, ...whole].flatMap(({ groupsOf }) => groupsOf ?? [])
  const transforms = changed(part, whole)
  return {
    ...part,
    ...(sizes.length > 0 && { groupsOf: Math.max(...sizes) }),
    ...(part.givable && { givable: whole.map(({ path }) => path) }),
    fields: fields.filter((field) => isOfGroups(field, whole, transforms)),
    transforms,
  }
}

/** True when groups that are formed by `whole` have a column with the field. What a transform makes of something that
 *  holds the field has no such part. */
function isOfGroups(field: string, whole: readonly MaskedField[], transforms: readonly FieldTransform[]): boolean {
  if (!whole.some(({ path }) => coversField(path, field))) return false
  return !transforms.some(({ path }) => path !== field && coversField(path, field))
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

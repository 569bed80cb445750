/** What the holder's policies leave of a release: never more than it, and values changed at least as much. */
import { coversField } from '../consent/field-path.ts'
import type { FieldTransform } from '../consent/consent-scope.ts'
import type { Release, ReleasePart } from '../consent/release.ts'
import type { FieldMask, MaskedField } from '../policy/field-mask.ts'

/** The release under a mask whose fields are those of the release, or lie below them. A field that the mask leaves only
 *  in part counts as withheld, as does one above a field that is not left whole. `labels` give the order of lists. */
export function maskRelease(release: Release, mask: FieldMask, labels: readonly { readonly path: string }[]): Release {
  const left = new Map(release.released.map((field) => [field, leftOf(field, mask, release.released)]))
  const parts = release.parts.map((part) => maskedPart(part, left)).filter(({ fields }) => fields.length > 0)
  const whole = (field: string) => left.get(field)?.some(({ path }) => path === field) ?? false
  const withheld = [...release.released.filter((field) => !whole(field)), ...release.withheld]
  return {
    parts,
    released: release.released.flatMap((field) => (left.get(field) ?? []).map(({ path }) => path)),
    withheld: inOrder([...new Set(withheld)], labels),
  }
}

/** Of one released field: itself, or what the mask names below it and below no other released field. */
function leftOf(field: string, { fields }: FieldMask, released: readonly string[]): readonly MaskedField[] {
  const below = released.filter((other) => other !== field && coversField(field, other))
  const whole = fields.find(({ path }) => path === field)
  if (whole !== undefined) {
    const isWhole = below.every((other) => fields.some(({ path }) => path === other))
    return isWhole ? [whole] : []
  }
  return fields.filter(({ path }) => coversField(field, path) && !below.some((other) => coversField(other, path)))
}

function maskedPart(part: ReleasePart, left: ReadonlyMap<string, readonly MaskedField[]>): ReleasePart {
  const kept = part.fields.flatMap((field) => left.get(field) ?? [])
  const transforms = kept.flatMap((field) => field.transforms)
  const groups = [part, ...kept].flatMap(({ groupsOf }) => groupsOf ?? [])
  return {
    ...part,
    ...(groups.length > 0 && { groupsOf: Math.max(...groups) }),
    fields: kept.map(({ path }) => path),
    transforms: transforms.length === 0 ? part.transforms : withoutRepeats([...part.transforms, ...transforms]),
  }
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

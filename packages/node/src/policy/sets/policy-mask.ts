/** What a permit leaves of the fields that a call may have, said by annotations:
 *
 *      @fields("name, address.city")      these fields and all below them; of a labelled `address` the city alone
 *      @domains("identity, activity")     fields of these domains of data and all below them
 *      @sensitivity("internal")           fields up to this level
 *      @transforms("birthDate: year; weight: round 5; score: aggregate avg 5")
 *
 *  Annotations of one permit narrow each other; permits that decide together add. */
import type { FieldTransform } from '@comity/core/consent/consent-scope'
import { coversDomain, isDataDomain } from '@comity/core/consent/data-domain'
import { coveredByAny, coversField, isFieldPath } from '@comity/core/consent/field-path'
import { meets } from '@comity/core/consent/released-fields'
import { usualGroupSize } from '@comity/core/minimisation/row-groups'
import type { FieldMask, MaskedField } from '@comity/core/policy/field-mask'
import { sensitivities, sensitivityRank, type Sensitivity } from '@comity/core/policy/sensitivity'
import { readTransforms } from './mask-transforms.ts'
import type { PolicyLabel, PolicyQuestion } from '../policy-service.ts'

/** The mask of one permit. Without a member all fields leave as they are. */
export interface PermitMask {
  readonly fields?: readonly string[] | undefined
  readonly domains?: readonly string[] | undefined
  /** The highest level that may leave. */
  readonly sensitivity?: Sensitivity | undefined
  readonly transforms?: readonly FieldTransform[] | undefined
}

/** What the annotations of a policy say. */
export interface ReadAnnotations {
  readonly mask: PermitMask
  /** What a forbid tells the caller. */
  readonly advice?: string | undefined
  /** What cannot be read, one sentence each. */
  readonly faults: readonly string[]
}

const maskAnnotations = ['fields', 'domains', 'sensitivity', 'transforms'] as const
const otherAnnotations = ['id', 'description', 'advice']

/** Reads the annotations of a policy. One that is not known is a fault, since a mask whose name was misspelt would
 *  release everything; an organisation's own begin with `x_`. */
export function readMask(annotations: Readonly<Record<string, string>>, effect: 'permit' | 'forbid'): ReadAnnotations {
  const faults = Object.keys(annotations).flatMap((name) => misplaced(name, effect))
  const members: Partial<Record<(typeof maskAnnotations)[number], unknown>> = {}
  for (const name of maskAnnotations) {
    const text = annotations[name]
    if (text === undefined) continue
    const value = readers[name](text)
    if (typeof value === 'string') faults.push(`@${name}: ${value}`)
    else members[name] = value.value
  }
  const { advice } = annotations
  return { mask: members as PermitMask, ...(advice === undefined ? {} : { advice }), faults }
}

/** True when the permit says nothing of fields. */
export function isUnmasked({ fields, domains, sensitivity, transforms }: PermitMask): boolean {
  return fields === undefined && domains === undefined && sensitivity === undefined && transforms === undefined
}

/** What leaves under all permits that decided, which come in the order of their ids; undefined when one of them gives
 *  everything as it is. A field that one gives as it is leaves as it is; to any other, the transforms of all that give
 *  it are applied. What only permits with aggregates give leaves in groups. */
export function maskOf(
  permits: readonly PermitMask[],
  labels: readonly PolicyLabel[],
  {
    asked = [],
    unasked = [],
    parts = [],
    written,
  }: Pick<PolicyQuestion, 'asked' | 'unasked' | 'parts' | 'written'> = {},
): FieldMask | undefined {
  if (permits.some(isUnmasked)) return undefined
  const [inAnswer, inPart] = [new Set(asked), new Set(parts)]
  const givable = [...labels, ...unasked].filter(({ path }) => !inPart.has(path))
  return {
    // A change is judged by all labels; of what its answer may hold some may be parts of these.
    fields: leftOf(permits, [...labels, ...unasked.filter(({ path }) => inAnswer.has(path))]),
    ...(unasked.length > 0 && { givable: leftOf(permits, givable) }),
    ...(written && { written: leftOf(permits, written, 'written') }),
  }
}

/** What is done with a field: transforms are about what leaves. */
type Use = 'answered' | 'written'

/** What is left of these fields, each once. One that holds another which is not left whole is not given either; parts of
 *  it that hold nothing of the other may be. */
function leftOf(permits: readonly PermitMask[], labels: readonly PolicyLabel[], use: Use = 'answered'): MaskedField[] {
  const left = new Map<string, readonly MaskedField[]>()
  const notWhole = new Set<string>()
  for (const label of labels.toSorted((a, b) => b.path.length - a.path.length)) {
    const given = permits.flatMap((permit) => givenBy(permit, label, use)).filter(({ path }) => !notWhole.has(path))
    const fields = fieldsOf(given)
    if (!fields.some(({ path }) => path === label.path)) for (const path of upwards(label.path)) notWhole.add(path)
    left.set(label.path, fields)
  }
  const inOrder = labels.flatMap(({ path }) => left.get(path) ?? [])
  return [...new Map(inOrder.map((field) => [field.path, field])).values()]
}

/** `a.b[].c` and all paths that hold it: `a.b[]`, `a.b`, `a`. */
function upwards(path: string): string[] {
  return [path, ...[...path.matchAll(/[.[]/g)].map(({ index }) => path.slice(0, index))]
}

/** What one permit gives of a label: the labelled field, or a part of it. */
type Given = MaskedField

function fieldsOf(all: readonly Given[]): readonly MaskedField[] {
  const given = all.filter((each) => !isOfScalars(each) || !all.some((other) => isOfInside(other, each.path)))
  const isPart = ({ path }: Given) => given.some((other) => isBelow(path, other.path))
  const paths = new Set(given.filter((each) => !isPart(each)).map(({ path }) => path))
  return [...paths].map((path) => fieldAt(path, given))
}

/** True when the value itself leaves changed, which gives nothing of an object or a list: where another permit speaks of
 *  what is inside it, it is one of these, and that counts. */
function isOfScalars({ path, transforms }: Given): boolean {
  return transforms.some((transform) => transform.path === path)
}

function isOfInside(given: Given, path: string): boolean {
  if (isBelow(given.path, path)) return true
  return given.path === path && given.transforms.length > 0 && !isOfScalars(given)
}

const isBelow = (path: string, other: string) => path !== other && coversField(other, path)

/** One field of those that are given, its parts with it: one that a permit gives as it is leaves as it is. */
function fieldAt(path: string, given: readonly Given[]): MaskedField {
  const here = given.filter((each) => each.path === path)
  const alone = here.filter((each) => each.groupsOf === undefined)
  if (alone.some((each) => each.transforms.length === 0)) return { path, transforms: [] }
  const plain = given.filter((each) => each.groupsOf === undefined && each.transforms.length === 0)
  const own = here.flatMap((each) => each.transforms)
  const ofParts = given.flatMap((part) =>
    part.path !== path && own.some((each) => meets(each.path, part.path)) ? part.transforms : [],
  )
  const once = new Map([...own, ...ofParts].map((each) => [JSON.stringify(each), each]))
  const transforms = [...once.values()].filter((each) => !plain.some((part) => coversField(part.path, each.path)))
  if (alone.length > 0) return { path, transforms }
  return { path, transforms, groupsOf: Math.max(...here.map((each) => each.groupsOf ?? 0)) }
}

/** The labelled field where the permit names it or what it is in; else the parts of it that the permit names. */
function givenBy(permit: PermitMask, label: PolicyLabel, use: Use): readonly Given[] {
  const { fields } = permit
  const isWhole = fields === undefined || coveredByAny(fields, label.path)
  const paths = isWhole ? [label.path] : fields.filter((field) => coversField(label.path, field))
  const size = groupsOf(permit)
  return paths.flatMap((path) => {
    const transforms = transformsOf(permit, { ...label, path }, use)
    return transforms === undefined ? [] : [{ path, transforms, ...(size !== undefined && { groupsOf: size }) }]
  })
}

/** Least rows of a group: what a permit with an aggregate gives of rows, it gives of groups of rows. */
function groupsOf({ transforms = [] }: PermitMask): number | undefined {
  const sizes = transforms.flatMap(({ op, arg }) => (op === 'aggregate' ? [arg ?? usualGroupSize] : []))
  return sizes.length === 0 ? undefined : Math.max(...sizes)
}

/** What happens to the field before it leaves; undefined when this permit does not give it. What is done to something
 *  that holds the field gives nothing of an object or a list, so no part of it either. */
function transformsOf(
  permit: PermitMask,
  { path, domain, sensitivity }: PolicyLabel,
  use: Use,
): readonly FieldTransform[] | undefined {
  const { domains, transforms = [] } = permit
  if (domains !== undefined && (domain === undefined || !domains.some((each) => coversDomain(each, domain))))
    return undefined
  if (permit.sensitivity !== undefined && sensitivityRank(sensitivity) > sensitivityRank(permit.sensitivity))
    return undefined
  const above = transforms.filter((transform) => isBelow(path, transform.path))
  if (above.some(({ op }) => use === 'answered' || op === 'drop')) return undefined
  const own = transforms.filter((transform) => coversField(path, transform.path))
  return own.some((transform) => transform.op === 'drop' && transform.path === path) ? undefined : own
}

function misplaced(name: string, effect: 'permit' | 'forbid'): string[] {
  if ((maskAnnotations as readonly string[]).includes(name))
    return effect === 'permit' ? [] : [`@${name} stands on permits only; a forbid releases nothing`]
  if (name === 'advice' && effect === 'permit')
    return ['@advice stands on forbids only; it tells a caller why it was refused']
  if (otherAnnotations.includes(name) || name.startsWith('x_')) return []
  const known = [...otherAnnotations, ...maskAnnotations].map((each) => `@${each}`).join(', ')
  return [`@${name} is not known here: known are ${known}, and your own begin with @x_`]
}

type Read<T> = { readonly value: T } | string

/** A wrapper around what was read, or what is wrong with it. */
const readers = {
  fields: (text: string): Read<readonly string[]> => readList(text, isFieldPath, 'a field path'),
  domains: (text: string): Read<readonly string[]> => readList(text, isDataDomain, 'a data domain'),
  sensitivity: (text: string): Read<Sensitivity> => {
    const level = sensitivities.find((each) => each === text.trim())
    return level === undefined ? `\`${text}\` is none of ${sensitivities.join(', ')}` : { value: level }
  },
  transforms: (text: string): Read<readonly FieldTransform[]> => {
    const transforms = readTransforms(text)
    return typeof transforms === 'string' ? transforms : { value: transforms }
  },
}

function readList(text: string, fits: (entry: string) => boolean, what: string): Read<readonly string[]> {
  const entries = text.split(',').map((entry) => entry.trim())
  const wrong = entries.filter((entry) => !fits(entry)).map((entry) => `\`${entry}\` is not ${what}`)
  return wrong.length === 0 ? { value: entries } : wrong.join('; ')
}

/** What a change of a schema breaks, by who writes the value and who reads it. Schemas are closed here: a member that is
 *  not declared is refused, so a member that is gone breaks in both directions. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { member, type Located } from '../openapi/references.ts'
import { isBareReference, resolveReference, schemaParts } from '../schemas/schema-parts.ts'

/** Whether callers write the values (`request`) or read them (`answer`). */
export type Direction = 'request' | 'answer'

/** A change at a place in the value: `/items/[]/born`. */
export interface SchemaChange {
  readonly pointer: string
  readonly detail: string
}

/** A schema in the document that it stands in. */
export interface PlacedSchema {
  readonly root: JsonObject
  readonly schema: Located
}

interface Comparison {
  readonly direction: Direction
  readonly pointer: string
  /** Pairs of places that are being compared, for schemas that hold themselves. */
  readonly seen: Set<string>
}

/** Everything that breaks, in the order of the old schema. */
export function schemaChanges(before: PlacedSchema, after: PlacedSchema, direction: Direction): SchemaChange[] {
  return compare(before, after, { direction, pointer: '', seen: new Set() })
}

type Parts = readonly Located<JsonObject>[]

/** What a schema that is nothing but a reference refers to. */
function dereferenced({ root, schema }: PlacedSchema): PlacedSchema {
  let found = schema
  for (let hops = 0; hops < 32 && isObject(found.value) && isBareReference(found.value); hops++) {
    found = resolveReference(root, member(found, '$ref'))
  }
  return { root, schema: found }
}

function compare(referring: PlacedSchema, referringNext: PlacedSchema, comparison: Comparison): SchemaChange[] {
  const [before, after] = [dereferenced(referring), dereferenced(referringNext)]
  const key = `${before.schema.pointer} ${after.schema.pointer}`
  if (comparison.seen.has(key)) return []
  comparison.seen.add(key)
  const [old, next] = [schemaParts(before.root, before.schema), schemaParts(after.root, after.schema)]
  const own = [
    ...typeChanges(old, next, comparison.direction),
    ...enumChanges(old, next, comparison.direction),
    ...(comparison.direction === 'request' ? limitChanges(old, next) : []),
    ...formatChanges(old, next),
  ]
  return [
    ...own.map((detail) => ({ pointer: comparison.pointer, detail })),
    ...memberChanges({ root: before.root, parts: old }, { root: after.root, parts: next }, comparison),
    ...itemChanges({ root: before.root, parts: old }, { root: after.root, parts: next }, comparison),
  ]
}

/** The types that a value may have; undefined for any. */
function typesOf(parts: Parts): Set<string> | undefined {
  const named = parts.flatMap(({ value: { type } }) => (Array.isArray(type) ? type : type === undefined ? [] : [type]))
  return named.length === 0 ? undefined : new Set(named.map(String))
}

/** Whole numbers are numbers. */
const allows = (types: Set<string>, type: string) => types.has(type) || (type === 'integer' && types.has('number'))

function typeChanges(old: Parts, next: Parts, direction: Direction): string[] {
  const [before, after] = [typesOf(old), typesOf(next)]
  if (direction === 'request') {
    if (after === undefined) return []
    if (before === undefined) return [`takes only the type ${[...after].join(', ')} now`]
    const lost = [...before].filter((type) => !allows(after, type))
    return lost.length === 0 ? [] : [`the type ${lost.join(', ')} is no longer taken`]
  }
  if (before === undefined) return []
  if (after === undefined) return ['may be of any type now']
  const added = [...after].filter((type) => !allows(before, type))
  return added.length === 0 ? [] : [`may be of the type ${added.join(', ')} now`]
}

/** The values that are allowed, as JSON; undefined for any. */
function valuesOf(parts: Parts): Set<string> | undefined {
  const lists = parts.flatMap(({ value }) =>
    Array.isArray(value.enum) ? [value.enum as unknown[]] : 'const' in value ? [[value.const]] : [],
  )
  return lists.length === 0 ? undefined : new Set(lists.flat().map((value) => JSON.stringify(value)))
}

function enumChanges(old: Parts, next: Parts, direction: Direction): string[] {
  const [before, after] = [valuesOf(old), valuesOf(next)]
  if (direction === 'request') {
    if (after === undefined) return []
    if (before === undefined) return [`takes only ${[...after].join(', ')} now`]
    const lost = [...before].filter((value) => !after.has(value))
    return lost.length === 0 ? [] : [`the value ${lost.join(', ')} is no longer taken`]
  }
  if (before === undefined) return []
  if (after === undefined) return ['may have other values now']
  const added = [...after].filter((value) => !before.has(value))
  return added.length === 0 ? [] : [`may have the value ${added.join(', ')} now`]
}

const upperLimits = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
const lowerLimits = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']

function limitChanges(old: Parts, next: Parts): string[] {
  const changed = (
    name: string,
    pick: (...limits: number[]) => number,
    isTighter: (a: number, b: number) => boolean,
  ) => {
    const [before, after] = [limitOf(old, name, pick), limitOf(next, name, pick)]
    if (after === undefined || (before !== undefined && !isTighter(after, before))) return []
    return [`\`${name}\` is ${after} now${before === undefined ? '' : `, was ${before}`}`]
  }
  return [
    ...upperLimits.flatMap((name) => changed(name, Math.min, (after, before) => after < before)),
    ...lowerLimits.flatMap((name) => changed(name, Math.max, (after, before) => after > before)),
    ...textChange(old, next, 'pattern'),
  ]
}

function limitOf(parts: Parts, name: string, pick: (...limits: number[]) => number): number | undefined {
  const limits = parts.flatMap(({ value }) => (typeof value[name] === 'number' ? [value[name]] : []))
  return limits.length === 0 ? undefined : pick(...limits)
}

/** A keyword whose value cannot be called narrower or wider. One that is gone breaks nothing for who writes. */
function textChange(old: Parts, next: Parts, name: string): string[] {
  const textOf = (parts: Parts) => JSON.stringify(parts.flatMap(({ value }) => (name in value ? [value[name]] : [])))
  const [before, after] = [textOf(old), textOf(next)]
  return before === after || after === '[]' ? [] : [`\`${name}\` is another`]
}

function formatChanges(old: Parts, next: Parts): string[] {
  return textChange(old, next, 'format')
}

interface PlacedParts {
  readonly root: JsonObject
  readonly parts: Parts
}

function memberChanges(before: PlacedParts, after: PlacedParts, comparison: Comparison): SchemaChange[] {
  const [old, next] = [membersOf(before.parts), membersOf(after.parts)]
  const [mustOld, mustNext] = [requiredOf(before.parts), requiredOf(after.parts)]
  const at = (name: string) => `${comparison.pointer}/${name}`
  const kept = [...old].flatMap(([name, schema]): SchemaChange[] => {
    const same = next.get(name)
    if (same === undefined) return isOpen(after.parts) ? [] : [{ pointer: at(name), detail: 'is gone' }]
    const inner = { ...comparison, pointer: at(name) }
    return compare({ root: before.root, schema }, { root: after.root, schema: same }, inner)
  })
  if (comparison.direction === 'request') {
    const demanded = [...mustNext].filter((name) => !mustOld.has(name))
    return [...kept, ...demanded.map((name) => ({ pointer: at(name), detail: 'is required now' }))]
  }
  const optional = [...mustOld].filter((name) => !mustNext.has(name) && next.has(name))
  return [...kept, ...optional.map((name) => ({ pointer: at(name), detail: 'may be missing now' }))]
}

function membersOf(parts: Parts): Map<string, Located> {
  const members = parts.flatMap((part) => {
    const properties = member(part, 'properties')
    return isObject(properties.value)
      ? Object.keys(properties.value).map((name) => [name, member(properties, name)] as const)
      : []
  })
  return new Map(members)
}

function requiredOf(parts: Parts): Set<string> {
  return new Set(parts.flatMap(({ value }) => (Array.isArray(value.required) ? value.required.map(String) : [])))
}

/** True when members that are not declared are taken. */
function isOpen(parts: Parts): boolean {
  return parts.some(({ value }) => value.additionalProperties === true || value.unevaluatedProperties === true)
}

function itemChanges(before: PlacedParts, after: PlacedParts, comparison: Comparison): SchemaChange[] {
  const [old, next] = [itemsOf(before.parts), itemsOf(after.parts)]
  if (old === undefined || next === undefined) return []
  const inner = { ...comparison, pointer: `${comparison.pointer}/[]` }
  return compare({ root: before.root, schema: old }, { root: after.root, schema: next }, inner)
}

function itemsOf(parts: Parts): Located | undefined {
  return parts.map((part) => member(part, 'items')).find(({ value }) => value !== undefined)
}

/** A schema as a choice among alternatives: what `oneOf`, `anyOf`, `if` and lists of types leave open is written out, what
 *  `allOf` and references add up to is put together. So that two schemas can be compared piece by piece. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { member, type Located } from '../openapi/references.ts'
import { annotations, objectKeywords } from '../schemas/schema-keywords.ts'
import { isBareReference, resolveReference } from '../schemas/schema-parts.ts'

/** Schemas that hold together for one value, in the document that they stand in. */
export interface PlacedSchemas {
  readonly root: JsonObject
  readonly places: readonly Located[]
}

/** Parts that all hold for a value. */
export type Parts = readonly Located<JsonObject>[]

/** One of the shapes that a value may have. */
export interface Alternative {
  /** Undefined for any. */
  readonly type: string | undefined
  /** As JSON; undefined for any. */
  readonly values: ReadonlySet<string> | undefined
  readonly parts: Parts
  /** Whether members that nothing is said of are refused: a schema about objects lets none in. */
  readonly isClosed: boolean
  /** What tells it from the others: the name of its schema, a value that only it has; empty where there is one. */
  readonly label: string
}

/** More are not written out. */
const maxAlternatives = 64

/** All of them, none for what no value satisfies; undefined when there are too many to write out. */
export function alternativesOf(schemas: PlacedSchemas): Alternative[] | undefined {
  const shapes = expand(schemas)
  if (shapes === undefined) return undefined
  // What closes one alternative closes them all (`closed-schema.ts`).
  const isClosed = shapes.some(({ parts }) => parts.some(({ value }) => isAboutObjects(value)))
  return mergeValues(shapes.flatMap((shape) => ofEachType(shape).map((one) => ({ ...one, isClosed }))))
}

function isAboutObjects(schema: JsonObject): boolean {
  return [schema.type].flat().includes('object') || closing.some((keyword) => keyword in schema)
}

const closing = [...objectKeywords, 'unevaluatedProperties']

/** What schemas that are nothing but references refer to. */
export function dereferenced({ root, places }: PlacedSchemas): PlacedSchemas {
  const follow = (place: Located) => {
    let found = place
    for (let hops = 0; hops < 32 && isObject(found.value) && isBareReference(found.value); hops++) {
      found = resolveReference(root, member(found, '$ref'))
    }
    return found
  }
  return { root, places: places.map(follow) }
}

interface Shape {
  readonly parts: Parts
  readonly label: string
}

/** One way to choose: a schema that holds too, or none. */
interface Choice {
  readonly place?: Located
  readonly label: string
}

function expand(schemas: PlacedSchemas): Shape[] | undefined {
  const { parts, groups, isNever } = conjunction(schemas)
  if (isNever) return []
  let chosen: { readonly places: readonly Located[]; readonly label: string }[] = [{ places: [], label: '' }]
  for (const group of groups) {
    chosen = chosen.flatMap(({ places, label }) =>
      group.map((choice) => ({
        places: choice.place === undefined ? places : [...places, choice.place],
        label: joined(label, choice.label),
      })),
    )
    if (chosen.length > maxAlternatives) return undefined
  }
  if (groups.length === 0) return [{ parts, label: '' }]
  const shapes: Shape[] = []
  for (const { places, label } of chosen) {
    const inner = expand({ root: schemas.root, places })
    if (inner === undefined || shapes.length + inner.length > maxAlternatives) return undefined
    shapes.push(...inner.map((shape) => ({ parts: [...parts, ...shape.parts], label: joined(label, shape.label) })))
  }
  return shapes
}

const joined = (one: string, other: string) => [one, other].filter((label) => label !== '').join(' ')

interface Conjunction {
  readonly parts: Located<JsonObject>[]
  readonly groups: Choice[][]
  isNever: boolean
}

/** What holds in any case, and what is to be chosen beside it. */
function conjunction({ root, places }: PlacedSchemas): Conjunction {
  const found: Conjunction = { parts: [], groups: [], isNever: false }
  const done = new Set<string>()
  const walk = ({ value, pointer }: Located): void => {
    if (value === false) found.isNever = true
    if (!isObject(value) || done.has(pointer)) return
    done.add(pointer)
    const part = { value, pointer }
    found.parts.push(part)
    if ('$ref' in value) walk(resolveReference(root, member(part, '$ref')))
    for (const each of listAt(part, 'allOf')) walk(each)
    for (const keyword of ['oneOf', 'anyOf']) {
      const variants = listAt(part, keyword)
      if (variants.length > 0)
        found.groups.push(variants.map((place, at) => ({ place, label: labelOf(root, place, at) })))
    }
    found.groups.push(...conditions(part))
  }
  for (const place of places) walk(place)
  return found
}

function listAt(owner: Located, keyword: string): Located[] {
  const list = member(owner, keyword)
  return Array.isArray(list.value) ? list.value.map((_, at) => member(list, at)) : []
}

/** `if` and `dependentSchemas`: what is asked for decides nothing here, only what follows from it. */
function conditions(part: Located<JsonObject>): Choice[][] {
  const branch = (keyword: string): Choice =>
    keyword in part.value ? { place: member(part, keyword), label: keyword } : { label: keyword }
  const dependent = member(part, 'dependentSchemas')
  return [
    ...('if' in part.value ? [[branch('then'), branch('else')]] : []),
    ...(isObject(dependent.value) ? Object.keys(dependent.value) : []).map((name) => [
      { place: member(dependent, name), label: `with ${name}` },
      { label: `without ${name}` },
    ]),
  ]
}

/** The name of the schema, its title, the value of a member that has only one, its place in the list. */
function labelOf(root: JsonObject, place: Located, at: number): string {
  const { value } = place
  if (!isObject(value)) return String(at + 1)
  if (typeof value.$ref === 'string') return value.$ref.slice(value.$ref.lastIndexOf('/') + 1)
  if (typeof value.title === 'string') return value.title
  const properties = member(place, 'properties')
  for (const name of isObject(properties.value) ? Object.keys(properties.value) : []) {
    const [only] = dereferenced({ root, places: [member(properties, name)] }).places
    const values = only && isObject(only.value) ? valuesOf([{ value: only.value, pointer: '' }]) : undefined
    if (values?.size === 1) return `${name} ${[...values].join('')}`
  }
  return String(at + 1)
}

function ofEachType({ parts, label }: Shape): Omit<Alternative, 'isClosed'>[] {
  const values = valuesOf(parts)
  const types = typesOf(parts) ?? (values && new Set([...values].map((text) => typeOf(JSON.parse(text)))))
  if (types === undefined) return [{ type: undefined, values, parts, label }]
  return [...types].flatMap((type) => {
    const ofType = values && new Set([...values].filter((text) => covers(type, typeOf(JSON.parse(text)))))
    return ofType?.size === 0 ? [] : [{ type, values: ofType, parts, label }]
  })
}

/** The types that a value may have; undefined for any. */
function typesOf(parts: Parts): Set<string> | undefined {
  const lists = parts.flatMap(({ value: { type } }) => (type === undefined ? [] : [[type].flat().map(String)]))
  const [first, ...others] = lists
  if (first === undefined) return undefined
  const left = others.reduce(
    (types, list) => [
      ...types.filter((type) => list.some((other) => covers(other, type))),
      ...list.filter((other) => !types.includes(other) && types.some((type) => covers(type, other))),
    ],
    first,
  )
  return new Set(left.filter((type) => type !== 'integer' || !left.includes('number')))
}

/** Whole numbers are numbers. */
export function covers(type: string, other: string): boolean {
  return type === other || (type === 'number' && other === 'integer')
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

/** The values that all parts allow, as JSON; undefined for any. */
function valuesOf(parts: Parts): ReadonlySet<string> | undefined {
  const sets = parts.flatMap(({ value }) => [
    ...(Array.isArray(value.enum) ? [new Set(value.enum.map((one) => JSON.stringify(one)))] : []),
    ...('const' in value ? [new Set([JSON.stringify(value.const)])] : []),
  ])
  return sets.length === 0
    ? undefined
    : new Set([...(sets[0] ?? [])].filter((text) => sets.every((set) => set.has(text))))
}

const saysValuesOnly = new Set([...annotations, 'type', 'enum', 'const', 'oneOf', 'anyOf', 'allOf', '$ref'])

/** Alternatives that are nothing but values are one: a list of values is often written as `oneOf` with titles. */
function mergeValues(alternatives: readonly Alternative[]): Alternative[] {
  const isPlain = ({ values, parts }: Alternative) =>
    values !== undefined &&
    parts.every(({ value }) => Object.keys(value).every((name) => saysValuesOnly.has(name) || name.startsWith('x-')))
  const plain = Map.groupBy(alternatives.filter(isPlain), ({ type }) => type)
  const merged = [...plain].map(([type, same]) => ({
    type,
    values: new Set(same.flatMap(({ values }) => [...(values ?? [])])),
    parts: [],
    isClosed: false,
    label: '',
  }))
  return [...merged, ...alternatives.filter((one) => !isPlain(one))]
}

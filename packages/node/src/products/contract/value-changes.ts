/** What a change of the rules about a single value breaks: types, values, limits, formats. */
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { resolveReference } from '../schemas/schema-parts.ts'
import { covers, type Alternative, type Parts } from './schema-alternatives.ts'

/** Whether callers write the values (`request`) or read them (`answer`). */
export type Direction = 'request' | 'answer'

/** Nothing breaks when everything that `given` allows is allowed by `taken` too. Of a request `given` is the old version
 *  and `taken` the new one, of an answer the other way round. */
export interface Sides<T> {
  readonly given: T
  readonly taken: T
}

/** The types of all alternatives, any where one may be of any; sentences of what breaks. */
export function typeChanges(sides: Sides<readonly Alternative[]>, direction: Direction): string[] {
  const [given, taken] = [typesOf(sides.given), typesOf(sides.taken)]
  if (taken === undefined || sides.given.length === 0) return []
  if (sides.taken.length === 0) return [direction === 'request' ? 'is no longer taken' : 'may have values now']
  if (given === undefined) {
    return [direction === 'request' ? `takes only the type ${[...taken].join(', ')} now` : 'may be of any type now']
  }
  const lost = [...given].filter((type) => ![...taken].some((other) => covers(other, type)))
  if (lost.length === 0) return []
  const types = lost.join(', ')
  return [direction === 'request' ? `the type ${types} is no longer taken` : `may be of the type ${types} now`]
}

function typesOf(alternatives: readonly Alternative[]): Set<string> | undefined {
  const types = alternatives.map(({ type }) => type)
  const named = types.filter((type) => type !== undefined)
  return named.length < types.length ? undefined : new Set(named)
}

/** A pair of alternatives, and the documents that they stand in. */
export interface AlternativePair {
  readonly sides: Sides<Alternative>
  readonly roots: Sides<JsonObject>
  readonly direction: Direction
}

/** Everything else that is said of the value itself; sentences of what breaks. */
export function valueChanges({ sides, roots, direction }: AlternativePair): string[] {
  const { type } = sides.given
  const parts = { given: sides.given.parts, taken: sides.taken.parts }
  return [
    ...enumChanges({ given: sides.given.values, taken: sides.taken.values }, direction),
    ...limits
      .filter(({ types }) => type === undefined || types.includes(type))
      .flatMap((limit) => limitChange(parts, limit, direction)),
    ...(type === undefined || numbers.includes(type) ? multipleChange(parts, direction) : []),
    ...(type === undefined || type === 'array' ? repetitionChange(parts, direction) : []),
    ...demands
      .filter(({ types }) => type === undefined || types === undefined || types.includes(type))
      .flatMap(({ keyword }) => demandChange({ sides: parts, roots, direction }, keyword)),
  ]
}

type Values = ReadonlySet<string> | undefined

function enumChanges({ given, taken }: Sides<Values>, direction: Direction): string[] {
  if (taken === undefined) return []
  if (given === undefined) {
    return [direction === 'request' ? `takes only ${[...taken].join(', ')} now` : 'may have other values now']
  }
  const lost = [...given].filter((text) => !taken.has(text)).join(', ')
  if (lost === '') return []
  return [direction === 'request' ? `the value ${lost} is no longer taken` : `may have the value ${lost} now`]
}

interface LimitRule {
  /** Of which the tightest counts. */
  readonly keywords: readonly string[]
  readonly types: readonly string[]
  readonly isUpper: boolean
}

const numbers = ['number', 'integer']
const limits: readonly LimitRule[] = [
  { keywords: ['maximum', 'exclusiveMaximum'], types: numbers, isUpper: true },
  { keywords: ['maxLength'], types: ['string'], isUpper: true },
  { keywords: ['maxItems'], types: ['array'], isUpper: true },
  { keywords: ['maxProperties'], types: ['object'], isUpper: true },
  { keywords: ['minimum', 'exclusiveMinimum'], types: numbers, isUpper: false },
  { keywords: ['minLength'], types: ['string'], isUpper: false },
  { keywords: ['minItems'], types: ['array'], isUpper: false },
  { keywords: ['minProperties'], types: ['object'], isUpper: false },
]

interface Limit {
  readonly keyword: string
  readonly value: number
}

function limitChange(parts: Sides<Parts>, rule: LimitRule, direction: Direction): string[] {
  const [given, taken] = [tightest(parts.given, rule), tightest(parts.taken, rule)]
  if (taken === undefined || (given !== undefined && isWithin(given, taken, rule))) return []
  const [before, now] = direction === 'request' ? [given, taken] : [taken, given]
  if (now === undefined) return before === undefined ? [] : [`\`${before.keyword}\` is gone, was ${before.value}`]
  const former = before?.keyword === now.keyword ? before.value : before && `\`${before.keyword}\` ${before.value}`
  return [`\`${now.keyword}\` is ${now.value} now${former === undefined ? '' : `, was ${former}`}`]
}

function tightest(parts: Parts, rule: LimitRule): Limit | undefined {
  const found = parts.flatMap(({ value }) =>
    rule.keywords.flatMap((keyword) => {
      const limit = value[keyword]
      // No length is below none.
      return typeof limit === 'number' && (limit > 0 || numbers === rule.types || rule.isUpper)
        ? [{ keyword, value: limit }]
        : []
    }),
  )
  return found.reduce<Limit | undefined>(
    (one, other) => (one !== undefined && isWithin(one, other, rule) ? one : other),
    undefined,
  )
}

function isWithin(one: Limit, other: Limit, { isUpper }: LimitRule): boolean {
  if (one.value === other.value) return isExclusive(one) || !isExclusive(other)
  return isUpper ? one.value < other.value : one.value > other.value
}

const isExclusive = ({ keyword }: Limit) => keyword.startsWith('exclusive')

function multipleChange(parts: Sides<Parts>, direction: Direction): string[] {
  const stepOf = (of: Parts) => of.map(({ value }) => value.multipleOf).find((step) => typeof step === 'number')
  const [given, taken] = [stepOf(parts.given), stepOf(parts.taken)]
  if (taken === undefined || (given !== undefined && Number.isInteger(given / taken))) return []
  const now = direction === 'request' ? taken : given
  return [now === undefined ? '`multipleOf` is gone' : `\`multipleOf\` is ${now} now`]
}

function repetitionChange(parts: Sides<Parts>, direction: Direction): string[] {
  const isUnique = (of: Parts) => of.some(({ value }) => value.uniqueItems === true)
  if (!isUnique(parts.taken) || isUnique(parts.given)) return []
  return [direction === 'request' ? 'must hold no value twice now' : 'may hold a value twice now']
}

/** Keywords of which nobody can tell whether one is narrower than another: they are the same, or they are not. */
const demands: readonly { readonly keyword: string; readonly types?: readonly string[] }[] = [
  { keyword: 'pattern', types: ['string'] },
  { keyword: 'format', types: ['string', ...numbers] },
  { keyword: 'contains', types: ['array'] },
  { keyword: 'propertyNames', types: ['object'] },
  { keyword: 'dependentRequired', types: ['object'] },
  { keyword: 'dependentSchemas', types: ['object'] },
  { keyword: 'not' },
  { keyword: 'if' },
]

/** Formats whose values are all values of another. */
const wider = new Map([
  ['"int32"', '"int64"'],
  ['"float"', '"double"'],
])

interface Demanded {
  readonly sides: Sides<Parts>
  readonly roots: Sides<JsonObject>
  readonly direction: Direction
}

function demandChange({ sides, roots, direction }: Demanded, keyword: string): string[] {
  const [given, taken] = [demanded(sides.given, roots.given, keyword), demanded(sides.taken, roots.taken, keyword)]
  const isMet = (text: string) => given.has(text) || [...given].some((other) => wider.get(other) === text)
  if ([...taken].every(isMet)) return []
  const now = direction === 'request' ? taken : given
  return [now.size === 0 ? `\`${keyword}\` is gone` : `\`${keyword}\` is another`]
}

const saidTogether = new Map([
  ['contains', ['contains', 'minContains', 'maxContains']],
  ['if', ['if', 'then', 'else']],
])

function demanded(parts: Parts, root: JsonObject, keyword: string): Set<string> {
  const texts = parts.flatMap(({ value, pointer }) => {
    if (!(keyword in value)) return []
    const whole = saidTogether.get(keyword)?.map((name) => value[name] ?? null) ?? value[keyword]
    return [canonicalJson(JSON.parse(JSON.stringify(writtenOut(root, whole, [pointer]))))]
  })
  return new Set(texts)
}

/** A schema with what its references refer to in their place, as deep as it goes without coming back. */
function writtenOut(root: JsonObject, value: unknown, inside: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => writtenOut(root, one, inside))
  if (!isObject(value)) return value
  const members = Object.entries(value).map(([name, one]) => {
    if (name !== '$ref' || typeof one !== 'string' || inside.length > 8) return [name, writtenOut(root, one, inside)]
    const found = resolveReference(root, { value: one, pointer: '' })
    return [name, inside.includes(found.pointer) ? one : writtenOut(root, found.value, [...inside, found.pointer])]
  })
  return Object.fromEntries(members) as JsonObject
}

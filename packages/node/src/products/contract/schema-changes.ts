/** What a change of a schema breaks, by who writes the value and who reads it. Schemas are closed here: a member that is
 *  not declared is refused, so a member that is gone breaks in both directions. */
import type { JsonObject } from '../openapi/openapi.ts'
import type { Located } from '../openapi/references.ts'
import { itemChanges, memberChanges } from './inner-changes.ts'
import { alternativesOf, covers, dereferenced, type Alternative, type PlacedSchemas } from './schema-alternatives.ts'
import { typeChanges, valueChanges, type AlternativePair, type Direction, type Sides } from './value-changes.ts'

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
  /** Pairs of places that are being compared, for schemas that hold themselves. Each is told of once. */
  readonly seen: Set<string>
  /** Pairs of alternatives of which the one is known not to take the other whole. */
  readonly unlike: Set<string>
}

/** Everything that breaks, in the order of the old schema. */
export function schemaChanges(before: PlacedSchema, after: PlacedSchema, direction: Direction): SchemaChange[] {
  const [old, next] = [before, after].map(({ root, schema }) => ({ root, places: [schema] }))
  if (old === undefined || next === undefined) return []
  const sides = direction === 'request' ? { given: old, taken: next } : { given: next, taken: old }
  return compare(sides, { direction, pointer: '', seen: new Set(), unlike: new Set() })
}

function compare(referring: Sides<PlacedSchemas>, comparison: Comparison): SchemaChange[] {
  // What takes anything breaks nothing.
  if (referring.taken.places.length === 0) return []
  const sides = { given: dereferenced(referring.given), taken: dereferenced(referring.taken) }
  const key = [sides.given, sides.taken].map(({ places }) => places.map(({ pointer }) => pointer).join('+')).join(' ')
  if (comparison.seen.has(key)) return []
  comparison.seen.add(key)
  const [given, taken] = [alternativesOf(sides.given), alternativesOf(sides.taken)]
  if (given === undefined || taken === undefined) {
    return [{ pointer: comparison.pointer, detail: 'has too many alternatives to compare: look at it yourself' }]
  }
  const roots = { given: sides.given.root, taken: sides.taken.root }
  const types = typeChanges({ given, taken }, comparison.direction)
  const found = given.flatMap((alternative) => {
    const candidates = taken.filter((other) => mayCover(other, alternative))
    return alternativeChanges(alternative, candidates, { roots, comparison, isOnly: given.length === 1 })
  })
  const all = [...types.map((detail) => ({ pointer: comparison.pointer, detail })), ...found]
  return [...new Map(all.map((change) => [`${change.pointer} ${change.detail}`, change])).values()]
}

function mayCover({ type: taken }: Alternative, { type: given }: Alternative): boolean {
  return taken === undefined || given === undefined || covers(taken, given)
}

interface Among {
  readonly roots: Sides<JsonObject>
  readonly comparison: Comparison
  readonly isOnly: boolean
}

/** Held against the one that takes it whole, else against the one of the same name, else against the only one. */
function alternativeChanges(
  given: Alternative,
  candidates: readonly Alternative[],
  { roots, comparison, isOnly }: Among,
): SchemaChange[] {
  const { direction, pointer } = comparison
  const pairWith = (taken: Alternative) => ({ sides: { given, taken }, roots, direction })
  const [first, ...others] = candidates
  // Of another type than all: told with the types.
  if (first === undefined) return []
  if (others.length === 0 && isOnly) return pairChanges(pairWith(first), comparison)
  const ofItsType = candidates.filter(({ type }) => type === undefined || given.type !== undefined)
  // That it was of any type is told with the types.
  if (ofItsType.length === 0) return []
  if (ofItsType.some((taken) => isTakenWhole(pairWith(taken), comparison))) return []
  const same =
    candidates.find(({ label }) => label === given.label) ??
    (others.length === 0 && [first.label, given.label].includes('') ? first : undefined)
  if (same === undefined) return [{ pointer, detail: withoutCounterpart(given, { candidates, direction }) }]
  const changes = pairChanges(pairWith(same), comparison)
  if (given.label === '') return changes
  return changes.map((change) => ({ ...change, detail: `${change.detail} (alternative \`${given.label}\`)` }))
}

interface Counterparts {
  readonly candidates: readonly Alternative[]
  readonly direction: Direction
}

function withoutCounterpart({ label }: Alternative, { candidates, direction }: Counterparts): string {
  if (label !== '') {
    return direction === 'request'
      ? `the alternative \`${label}\` is no longer taken`
      : `the alternative \`${label}\` is new`
  }
  const labels = candidates.map((other) => `\`${other.label}\``).join(', ')
  const words = direction === 'request' ? 'must be one of the alternatives' : 'may be other than the alternatives'
  return `${words} ${labels} now`
}

function isTakenWhole(pair: AlternativePair, comparison: Comparison): boolean {
  const key = [pair.sides.given, pair.sides.taken].map(nameOf).join(' | ')
  if (comparison.unlike.has(key)) return false
  const seen = new Set(comparison.seen)
  const isWhole = pairChanges(pair, { ...comparison, seen }).length === 0
  if (isWhole) for (const pairs of seen) comparison.seen.add(pairs)
  else comparison.unlike.add(key)
  return isWhole
}

function nameOf({ type, values, parts, label }: Alternative): string {
  return [type, label, ...(values ?? []), ...parts.map(({ pointer }) => pointer)].join(' ')
}

function pairChanges(pair: AlternativePair, comparison: Comparison): SchemaChange[] {
  const { direction, roots, sides } = pair
  const { type } = sides.given
  const parts = { given: sides.given.parts, taken: sides.taken.parts }
  const inner = [
    ...(type === undefined || type === 'object' ? memberChanges(sides, direction) : []),
    ...(type === undefined || type === 'array' ? itemChanges(parts) : []),
  ]
  return [
    ...valueChanges(pair).map((detail) => ({ pointer: comparison.pointer, detail })),
    ...inner.flatMap((found) => {
      const pointer = found.step === undefined ? comparison.pointer : `${comparison.pointer}/${found.step}`
      if ('detail' in found) return [{ pointer, detail: found.detail }]
      const { given, taken } = found.sides
      const placed = { given: { root: roots.given, places: given }, taken: { root: roots.taken, places: taken } }
      return compare(placed, { ...comparison, pointer })
    }),
  ]
}

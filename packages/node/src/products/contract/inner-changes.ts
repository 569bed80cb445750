/** What a change of the members of an object or the items of a list breaks. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { member, pointerStep, type Located } from '../openapi/references.ts'
import type { Alternative, Parts } from './schema-alternatives.ts'
import type { Direction, Sides } from './value-changes.ts'

/** A change of what is inside; of the value itself where there is no step. */
export interface InnerChange {
  readonly step: string | undefined
  readonly detail: string
}

/** Where to look deeper: schemas that hold together, on each side. None of them let anything in. */
export interface InnerPair {
  readonly step: string
  readonly sides: Sides<Schemas>
}

/** What was found at once, and what is to be compared in turn. */
export type Inner = InnerChange | InnerPair

type Schemas = readonly Located[]

const anything: Schemas = []

/** In the order of the old version's members, then what is new. */
export function memberChanges(sides: Sides<Alternative>, direction: Direction): Inner[] {
  const [given, taken] = [objectOf(sides.given), objectOf(sides.taken)]
  const [old, next] = direction === 'request' ? [given, taken] : [taken, given]
  const deeper = (step: string, before: Schemas, after: Schemas): InnerPair => ({
    step,
    sides: direction === 'request' ? { given: before, taken: after } : { given: after, taken: before },
  })
  const kept = [...old.members].map(([name, schemas]): Inner => {
    // Of one that is not declared any more counts what is said of members without a name.
    const same = next.members.get(name) ?? next.rest
    return same === 'closed' ? { step: pointerStep(name), detail: 'is gone' } : deeper(pointerStep(name), schemas, same)
  })
  const patterns = [...old.patterns].map(([pattern, schemas]): Inner => {
    const same = next.patterns.get(pattern) ?? next.rest
    return same === 'closed' ? { step: `{${pattern}}`, detail: 'is gone' } : deeper(`{${pattern}}`, schemas, same)
  })
  // Where members without a name were let in, one that has got a name may have been sent or read before.
  const named = [...next.members].flatMap(([name, schemas]): Inner[] =>
    old.rest === 'closed' || old.members.has(name) ? [] : [deeper(pointerStep(name), old.rest, schemas)],
  )
  return [...kept, ...named, ...patterns, ...restChanges(old, next), ...demandedMembers({ given, taken }, direction)]

  function restChanges({ rest: before }: ObjectRules, { rest: after }: ObjectRules): Inner[] {
    if (before === 'closed') return []
    if (after !== 'closed') return [deeper('*', before, after)]
    const detail = direction === 'request' ? 'takes no other members now' : 'holds no other members now'
    return [{ step: undefined, detail }]
  }
}

/** Members that must be there now, or need not be there any more. */
function demandedMembers({ given, taken }: Sides<ObjectRules>, direction: Direction): InnerChange[] {
  const missing = [...taken.required].filter((name) => !given.required.has(name))
  if (direction === 'request') return missing.map((name) => ({ step: pointerStep(name), detail: 'is required now' }))
  // One that is gone is told as that.
  const left = missing.filter((name) => given.members.has(name) || given.rest !== 'closed')
  return left.map((name) => ({ step: pointerStep(name), detail: 'may be missing now' }))
}

interface ObjectRules {
  readonly members: ReadonlyMap<string, Schemas>
  readonly patterns: ReadonlyMap<string, Schemas>
  readonly required: ReadonlySet<string>
  /** Of members that are not declared. */
  readonly rest: Schemas | 'closed'
}

function objectOf(alternative: Alternative): ObjectRules {
  const { parts } = alternative
  return {
    members: schemasByName(parts, 'properties'),
    patterns: schemasByName(parts, 'patternProperties'),
    required: new Set(parts.flatMap(({ value }) => (Array.isArray(value.required) ? value.required.map(String) : []))),
    rest: restOf(alternative),
  }
}

function schemasByName(parts: Parts, keyword: string): Map<string, Schemas> {
  const found = new Map<string, Located[]>()
  for (const part of parts) {
    const map = member(part, keyword)
    if (!isObject(map.value)) continue
    for (const name of Object.keys(map.value)) found.set(name, [...(found.get(name) ?? []), member(map, name)])
  }
  return found
}

function restOf({ parts, isClosed }: Alternative): Schemas | 'closed' {
  if (parts.some(({ value }) => value.additionalProperties === false)) return 'closed'
  const said = parts.flatMap((part) =>
    ['additionalProperties', 'unevaluatedProperties']
      .map((keyword) => member(part, keyword))
      .filter(({ value }) => value !== undefined && value !== false),
  )
  if (said.length > 0) return said
  return isClosed ? 'closed' : anything
}

/** The places of a tuple by their numbers, then all other items. */
export function itemChanges({ given, taken }: Sides<Parts>): InnerPair[] {
  const length = Math.max(...[...given, ...taken].map(prefixLength), 0)
  return [...Array(length).keys(), Infinity].map((at) => ({
    step: at === Infinity ? '[]' : String(at),
    sides: { given: itemsAt(given, at), taken: itemsAt(taken, at) },
  }))
}

function prefixLength({ value: { prefixItems } }: Located<JsonObject>): number {
  return Array.isArray(prefixItems) ? prefixItems.length : 0
}

function itemsAt(parts: Parts, at: number): Schemas {
  const rest = parts.some(({ value }) => 'items' in value) ? 'items' : 'unevaluatedItems'
  return parts.flatMap((part) => {
    const schema = at < prefixLength(part) ? member(member(part, 'prefixItems'), at) : member(part, rest)
    return schema.value === undefined ? [] : [schema]
  })
}

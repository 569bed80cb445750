/** Whether a schema has something at a path, as far as it can be told: what is nowhere in a schema cannot be labelled,
 *  and a label that is misspelt would withhold a field for ever without anybody knowing why. */
import { eachElement } from '@comity/core/minimisation/answer-path'
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { member, type Located } from '../openapi/references.ts'
import * as keywords from '../schemas/schema-keywords.ts'
import { schemaParts } from '../schemas/schema-parts.ts'

/** `unknown` where the schema is open: free members, or no word on the kind of value. */
export type Presence = 'yes' | 'no' | 'unknown'

/** Looks for the steps (`stepsOf`) in values of the schema at a place. */
export function presenceAt(root: JsonObject, place: Located, steps: readonly string[]): Presence {
  const [step, ...rest] = steps
  if (step === undefined) return 'yes'
  if (!isObject(place.value)) return place.value === false ? 'no' : 'unknown'
  const parts = schemaParts(root, place)
  const { children, isOpen } = step === eachElement ? elementSchemas(parts) : memberSchemas(parts, step)
  const found = children.map((child) => presenceAt(root, child, rest))
  if (found.includes('yes')) return 'yes'
  return isOpen || found.includes('unknown') ? 'unknown' : 'no'
}

/** The types that a schema states for values at the steps; none where it states none. */
export function typesAt(root: JsonObject, place: Located, steps: readonly string[]): ReadonlySet<unknown> {
  return new Set(
    schemasAt(root, place, steps).flatMap((each) => schemaParts(root, each).flatMap(({ value }) => typesOf(value))),
  )
}

/** The schemas of values at the steps. */
export function schemasAt(root: JsonObject, place: Located, steps: readonly string[]): readonly Located[] {
  const [step, ...rest] = steps
  if (step === undefined) return [place]
  if (!isObject(place.value)) return []
  const parts = schemaParts(root, place)
  const { children } = step === eachElement ? elementSchemas(parts) : memberSchemas(parts, step)
  return children.flatMap((child) => schemasAt(root, child, rest))
}

interface Children {
  readonly children: readonly Located[]
  readonly isOpen: boolean
}

function memberSchemas(parts: readonly Located<JsonObject>[], name: string): Children {
  const named = parts.map((part) => member(member(part, 'properties'), name)).filter(isPresent)
  if (named.length > 0) return { children: named, isOpen: false }
  const isFree = parts.some(({ value }) =>
    [value.additionalProperties, value.unevaluatedProperties, value.patternProperties].some(
      (content) => content === true || isObject(content),
    ),
  )
  return { children: [], isOpen: isFree || saysNothing(parts) }
}

function elementSchemas(parts: readonly Located<JsonObject>[]): Children {
  const items = parts.map((part) => member(part, 'items')).filter(isPresent)
  if (items.length > 0) return { children: items, isOpen: false }
  const mayBeList = parts.some(({ value }) => 'prefixItems' in value || typesOf(value).includes('array'))
  return { children: [], isOpen: mayBeList || saysNothing(parts) }
}

const isPresent = ({ value }: Located) => value !== undefined

function typesOf({ type }: JsonObject): readonly unknown[] {
  return Array.isArray(type) ? type : type === undefined ? [] : [type]
}

const limiting = ['type', 'enum', 'const', 'items', 'prefixItems', ...keywords.objectKeywords]

/** No part limits what kind of value it is. */
function saysNothing(parts: readonly Located<JsonObject>[]): boolean {
  return parts.every(({ value }) => !limiting.some((keyword) => keyword in value))
}

/** Whether every value of the schema has a member of each name, one inside the other. */
export function isRequiredAt(root: JsonObject, place: Located, names: readonly string[]): boolean {
  const [name, ...rest] = names
  if (name === undefined) return true
  if (!isObject(place.value)) return false
  const parts = schemaParts(root, place)
  const demanding = parts.some(({ value }) => Array.isArray(value.required) && value.required.includes(name))
  const inner = memberSchemas(parts, name).children
  return demanding && (rest.length === 0 ? inner.length > 0 : inner.some((child) => isRequiredAt(root, child, rest)))
}

/** Names of the members that every value of the schema has. */
export function requiredNames(root: JsonObject, place: Located): ReadonlySet<string> {
  const required = isObject(place.value) ? schemaParts(root, place).flatMap(({ value }) => value.required) : []
  return new Set(required.flat().filter((name) => typeof name === 'string'))
}

/** Turns the schemas of a document into ones that refuse what they do not name. A schema about objects that says
 *  nothing itself of additional or unevaluated properties gets `unevaluatedProperties: false`, wherever an instance
 *  stands on its own: the root, members, items. Its parts (`allOf`, `oneOf`, `$ref` …) stay open and are judged
 *  together. Two parts that describe the same member must agree on it: each part closes that member for itself.
 *  Whoever wants free members writes `additionalProperties: true`. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { DocumentFault, member, pointerStep, type Located } from '../openapi/references.ts'
import * as keywords from './schema-keywords.ts'
import { isBareReference, resolveReference, schemaParts } from './schema-parts.ts'

/** `closed`: stands on its own. `open`: a part of another. `asWritten`: a question, never changed. */
type Mode = 'closed' | 'open' | 'asWritten'

const maxSchemaDepth = 100

/** A document and the forms of its schemas made so far. */
export interface SchemaClosing {
  readonly root: JsonObject
  /** Transformed schemas by name; they refer to each other as `#/$defs/{name}`. */
  readonly definitions: Record<string, unknown>
  /** Names by mode and pointer. */
  readonly names: Map<string, string>
}

/** A closing for the document `root`, empty at first. */
export function createSchemaClosing(root: JsonObject): SchemaClosing {
  return { root, definitions: {}, names: new Map() }
}

/** Adds the closed form of the schema at a place and all it refers to; tells its name. Throws `DocumentFault` for
 *  what cannot be followed and for what is not a keyword. */
export function closeSchema(closing: SchemaClosing, place: Located): string {
  return define(closing, place, { mode: 'closed', depth: 0 })
}

interface Step {
  readonly mode: Mode
  readonly depth: number
}

const inner = (step: Step, mode: Mode): Step => ({
  mode: step.mode === 'asWritten' ? step.mode : mode,
  depth: step.depth + 1,
})

function define(closing: SchemaClosing, place: Located, step: Step): string {
  const key = `${step.mode} ${place.pointer}`
  const known = closing.names.get(key)
  if (known !== undefined) return known
  const name = `${step.mode}${closing.names.size}`
  closing.names.set(key, name)
  schemaParts(closing.root, place)
  closing.definitions[name] = transform(closing, place, step)
  return name
}

function transform(closing: SchemaClosing, place: Located, step: Step): unknown {
  const { value, pointer } = place
  if (typeof value === 'boolean') return value
  if (!isObject(value)) throw new DocumentFault(pointer, 'is not a schema')
  if (step.depth > maxSchemaDepth) throw new DocumentFault(pointer, 'is nested too deeply')
  const result: Record<string, unknown> = {}
  for (const keyword of Object.keys(value)) {
    if (keywords.annotations.has(keyword) || keyword.startsWith('x-')) continue
    const content = { value: value[keyword], pointer: `${pointer}/${pointerStep(keyword)}` }
    result[keyword] =
      keyword === '$ref' ? reference(closing, content, { value, step }) : keyworded(closing, content, { keyword, step })
  }
  if (step.mode === 'closed' && mustClose(closing.root, { value, pointer })) result.unevaluatedProperties = false
  return result
}

/** A reference that stands alone takes over the whole judgement; beside other keywords it is one part of it. */
function reference(
  closing: SchemaClosing,
  content: Located,
  { value, step }: { value: JsonObject; step: Step },
): string {
  const mode = step.mode === 'closed' && !isBareReference(value) ? 'open' : step.mode
  return `#/$defs/${define(closing, resolveReference(closing.root, content), { mode, depth: step.depth + 1 })}`
}

function keyworded(
  closing: SchemaClosing,
  content: Located,
  { keyword, step }: { keyword: string; step: Step },
): unknown {
  if (keywords.assertions.has(keyword)) return content.value
  if (keywords.partLists.has(keyword)) return list(closing, content, inner(step, 'open'))
  if (keywords.partMaps.has(keyword)) return map(closing, content, inner(step, 'open'))
  if (keywords.parts.has(keyword)) return transform(closing, content, inner(step, 'open'))
  if (keywords.predicates.has(keyword)) return transform(closing, content, inner(step, 'asWritten'))
  if (keywords.childMaps.has(keyword)) return map(closing, content, inner(step, 'closed'))
  if (keywords.childLists.has(keyword)) return list(closing, content, inner(step, 'closed'))
  if (keywords.children.has(keyword)) return transform(closing, content, inner(step, 'closed'))
  throw new DocumentFault(content.pointer, 'is not a keyword that the node checks; remarks are written as `x-…`')
}

function list(closing: SchemaClosing, content: Located, step: Step): unknown[] {
  if (!Array.isArray(content.value)) throw new DocumentFault(content.pointer, 'is not a list of schemas')
  return content.value.map((_, index) => transform(closing, member(content, index), step))
}

function map(closing: SchemaClosing, content: Located, step: Step): Record<string, unknown> {
  if (!isObject(content.value)) throw new DocumentFault(content.pointer, 'is not a map of schemas')
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(content.value)) {
    const place = member(content, name)
    if (name === '__proto__') throw new DocumentFault(place.pointer, 'is a name that cannot be checked')
    result[name] = transform(closing, place, step)
  }
  return result
}

function mustClose(root: JsonObject, schema: Located<JsonObject>): boolean {
  const { value } = schema
  if ('additionalProperties' in value || 'unevaluatedProperties' in value || isBareReference(value)) return false
  return schemaParts(root, schema).some(({ value: part }) => {
    const { type } = part
    const typed = type === 'object' || (Array.isArray(type) && type.includes('object'))
    return typed || keywords.objectKeywords.some((keyword) => keyword in part)
  })
}

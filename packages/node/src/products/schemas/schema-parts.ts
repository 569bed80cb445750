/** Which schemas of a document judge the same instance as a given one: itself, its parts, what it refers to. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import {
  DocumentFault,
  member,
  pointerStep,
  referencePointer,
  resolvePointer,
  type Located,
} from '../openapi/references.ts'
import * as keywords from './schema-keywords.ts'

/** What a `$ref` leads to. Throws `DocumentFault`. */
export function resolveReference(root: JsonObject, reference: Located): Located {
  const pointer = referencePointer(reference.value, reference.pointer)
  return { value: resolvePointer(root, pointer, reference.pointer), pointer }
}

/** True when the schema is a reference and nothing else but remarks. */
export function isBareReference(schema: JsonObject): boolean {
  const meaningful = Object.keys(schema).filter((name) => !keywords.annotations.has(name) && !name.startsWith('x-'))
  return meaningful.length === 1 && meaningful[0] === '$ref'
}

function directParts(root: JsonObject, schema: Located<JsonObject>): Located[] {
  const found: Located[] = []
  for (const keyword of Object.keys(schema.value)) {
    const content = member(schema, keyword)
    if (keyword === '$ref') found.push(resolveReference(root, content))
    else if (keywords.partLists.has(keyword) && Array.isArray(content.value)) {
      content.value.forEach((_, index) => found.push(member(content, index)))
    } else if (keywords.partMaps.has(keyword) && isObject(content.value)) {
      for (const name of Object.keys(content.value)) found.push(member(content, name))
    } else if (keywords.parts.has(keyword) || keyword === 'if' || keyword === 'not') found.push(content)
  }
  return found
}

const isQuestion = (pointer: string, parent: string) =>
  pointer === `${parent}/${pointerStep('if')}` || pointer === `${parent}/${pointerStep('not')}`

/** All of them, the given one first; not those that are only asked (`if`, `not`).
 *  Throws `DocumentFault` when one leads back to itself, which no instance could ever satisfy or fail. */
export function schemaParts(root: JsonObject, place: Located): Located<JsonObject>[] {
  const found: Located<JsonObject>[] = []
  const done = new Set<string>()
  const walking = new Set<string>()

  function walk({ value, pointer }: Located, counted: boolean): void {
    if (walking.has(pointer)) throw new DocumentFault(pointer, 'is a schema that refers to itself')
    if (!isObject(value) || done.has(pointer)) return
    walking.add(pointer)
    const schema = { value, pointer }
    if (counted) found.push(schema)
    for (const part of directParts(root, schema)) walk(part, counted && !isQuestion(part.pointer, pointer))
    walking.delete(pointer)
    if (counted) done.add(pointer)
  }

  walk(place, true)
  return found
}

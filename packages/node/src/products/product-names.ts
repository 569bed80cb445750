/** What a product's fields and domains of data are called: by its settings, else by the titles of its OpenAPI document. */
import { eachElement, stepsOf } from '@comity/core/minimisation/answer-path'
import { isObject, type JsonObject, type OpenApiDocument } from './openapi/openapi.ts'
import { DocumentFault, member, type Located } from './openapi/references.ts'
import type { PersonalConfig } from './personal-config.ts'
import { resolveReference, schemaParts } from './schemas/schema-parts.ts'

/** In whatever language, or by language tag. */
export type GivenName = string | Readonly<Record<string, string>>

/** Longer texts describe; they are no names. */
const maxNameLength = 80

interface NamedProduct {
  readonly document: OpenApiDocument
  readonly settings: { readonly personal?: PersonalConfig | undefined }
}

/** The name of a field by its path in the product's rows; undefined when it has none. */
export function nameOfField({ document, settings: { personal } }: NamedProduct, path: string): GivenName | undefined {
  if (personal === undefined) return undefined
  const given = personal.names.fields
  if (Object.hasOwn(given, path)) return given[path]
  const layouts = [personal.rows, ...Object.values(personal.operations).flatMap(({ rows }) => rows ?? [])]
  const places = [...new Set(layouts)].map((rows) => [...stepsOf(rows), ...stepsOf(path)])
  return firstOf(answersOf(document.root), (schema) =>
    firstOf(places, (steps) => titleAt(document.root, schema, steps)),
  )
}

/** The name of a domain of data. */
export function nameOfDomain({ settings: { personal } }: NamedProduct, domain: string): GivenName | undefined {
  const given = personal?.names.domains ?? {}
  return Object.hasOwn(given, domain) ? given[domain] : undefined
}

/** The schemas of all answers of success. */
function* answersOf(root: JsonObject): Generator<Located> {
  for (const path of membersOf(root, member({ value: root, pointer: '' }, 'paths'))) {
    for (const operation of membersOf(root, path)) {
      for (const answer of membersOf(root, member(operation, 'responses'), /^(?:2|default)/)) {
        for (const content of membersOf(root, member(answer, 'content'))) yield member(content, 'schema')
      }
    }
  }
}

function membersOf(root: JsonObject, place: Located, names = /^/): Located[] {
  const { value } = place
  if (!isObject(value)) return []
  return Object.keys(value)
    .filter((name) => names.test(name))
    .map((name) => referred(root, member(place, name)))
}

function referred(root: JsonObject, place: Located): Located {
  const reference = member(place, '$ref')
  if (reference.value === undefined) return place
  try {
    return resolveReference(root, reference)
  } catch (error) {
    if (error instanceof DocumentFault) return { value: undefined, pointer: place.pointer }
    throw error
  }
}

/** The title at the steps in values of the schema, else its description if that is short. */
function titleAt(root: JsonObject, place: Located, steps: readonly string[]): string | undefined {
  const [step, ...rest] = steps
  const parts = partsOf(root, place)
  if (step === undefined) return nameIn(parts, 'title') ?? nameIn(parts, 'description')
  const children = parts.map((part) =>
    step === eachElement ? member(part, 'items') : member(member(part, 'properties'), step),
  )
  return firstOf(children, (child) => titleAt(root, child, rest))
}

/** A schema that cannot be followed has no title. */
function partsOf(root: JsonObject, place: Located): readonly Located<JsonObject>[] {
  try {
    return schemaParts(root, place)
  } catch (error) {
    if (error instanceof DocumentFault) return []
    throw error
  }
}

function nameIn(parts: readonly Located<JsonObject>[], keyword: 'title' | 'description'): string | undefined {
  return firstOf(parts, ({ value: { [keyword]: text } }) => {
    const name = typeof text === 'string' ? text.trim().replace(/\.$/, '') : ''
    return name !== '' && name.length <= maxNameLength && !name.includes('\n') ? name : undefined
  })
}

function firstOf<T, R>(items: Iterable<T>, find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

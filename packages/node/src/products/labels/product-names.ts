/** What a product's fields and domains of data are called: by its settings, else by the titles of its OpenAPI document. */
import { eachElement, stepsOf } from '@comity/core/minimisation/answer-path'
import { isObject, type JsonObject, type OpenApiDocument } from '../openapi/openapi.ts'
import { DocumentFault, member, type Located } from '../openapi/references.ts'
import type { PersonalConfig } from './personal-config.ts'
import { resolveReference, schemaParts } from '../schemas/schema-parts.ts'

/** In whatever language, or by language tag. */
export type GivenName = string | Readonly<Record<string, string>>

/** Longer texts describe; they are no names. Nor are descriptions: many tell the unit, or whom to ask. */
const maxNameLength = 80

interface NamedProduct {
  readonly document: OpenApiDocument
  readonly settings: { readonly personal?: PersonalConfig | undefined }
}

/** What people read for a product's labelled fields, and for what holds them (`address` of `address.city`), by path. Looks
 *  through the whole document: to be asked once. */
export function namesOfFields({ document, settings: { personal } }: NamedProduct): ReadonlyMap<string, GivenName> {
  if (personal === undefined) return new Map()
  const labels = Object.values(personal.domains).flat()
  const open = new Set(labels.flatMap((path) => [path, ...holdersOf(path)]))
  const names = new Map<string, GivenName>(Object.entries(personal.names.fields))
  for (const path of names.keys()) open.delete(path)
  const layouts = [personal.rows, ...Object.values(personal.operations).flatMap(({ rows }) => rows ?? [])]
  const rowSteps = [...new Set(layouts)].map(stepsOf)
  for (const schema of answersOf(document.root)) {
    for (const path of open) {
      const title = firstOf(rowSteps, (rows) => titleAt(document.root, schema, [...rows, ...stepsOf(path)]))
      if (title === undefined) continue
      names.set(path, title)
      open.delete(path)
    }
  }
  return names
}

/** `a.b[].c` lies in `a.b[]`, `a.b` and `a`. */
function holdersOf(path: string): string[] {
  const end = path.endsWith('[]') ? path.length - 2 : path.lastIndexOf('.')
  if (end <= 0) return []
  const holder = path.slice(0, end)
  return [holder, ...holdersOf(holder)]
}

/** The name of a domain of data. */
export function nameOfDomain({ settings: { personal } }: NamedProduct, domain: string): GivenName | undefined {
  const given = personal?.names.domains ?? {}
  return Object.hasOwn(given, domain) ? given[domain] : undefined
}

/** The schemas of all answers of success, each once. */
function* answersOf(root: JsonObject): Generator<Located> {
  const done = new Set<string>()
  for (const path of membersOf(root, member({ value: root, pointer: '' }, 'paths'))) {
    for (const operation of membersOf(root, path)) {
      for (const answer of membersOf(root, member(operation, 'responses'), /^(?:2|default)/)) {
        for (const content of membersOf(root, member(answer, 'content'))) {
          const schema = referred(root, member(content, 'schema'))
          if (!done.has(schema.pointer)) yield schema
          done.add(schema.pointer)
        }
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

/** The title at the steps in values of the schema. */
function titleAt(root: JsonObject, place: Located, steps: readonly string[]): string | undefined {
  const [step, ...rest] = steps
  const parts = partsOf(root, place)
  if (step === undefined) return firstOf(parts, titleOf)
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

function titleOf({ value: { title } }: Located<JsonObject>): string | undefined {
  const name = typeof title === 'string' ? title.trim() : ''
  return name !== '' && name.length <= maxNameLength && !name.includes('\n') ? name : undefined
}

function firstOf<T, R>(items: Iterable<T>, find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

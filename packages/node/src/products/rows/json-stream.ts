/** Whether a JSON answer can be read row by row, and how its rows and what is around them are checked then. On the way
 *  to the rows there must be plain objects and one list in another: what can only be judged of the whole cannot be
 *  streamed. */
import { declaredNames } from '../operations/declared-names.ts'
import { legiblePointer } from '../operations/legible-pointer.ts'
import { eachElement, stepsOf } from '@comity/core/minimisation/answer-path'
import type { EnvelopeShape } from '@comity/core/minimisation/rows/json-rows'
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { member, type Located } from '../openapi/references.ts'
import * as keywords from '../schemas/schema-keywords.ts'
import type { SchemaCompiler, ValueCheck } from '../schemas/schema-compiler.ts'
import { isBareReference, resolveReference } from '../schemas/schema-parts.ts'

/** How a streamed JSON answer is checked. */
export interface JsonStream {
  /** By step of the path to the rows (`EnvelopeShape`). */
  readonly shapes: readonly (EnvelopeShape | undefined)[]
  readonly row: ValueCheck
  /** Names of members that its document declares. */
  readonly declared: () => ReadonlySet<string>
}

/** The checks, or why there are none, said of the answer. */
export type JsonStreamVerdict =
  { readonly stream: JsonStream; readonly fault?: never } | { readonly stream?: never; readonly fault: string }

const objectWords = new Set(['type', 'properties', 'required', 'additionalProperties', 'unevaluatedProperties'])
const listWords = new Set(['type', 'items'])

/** Plans the streaming of answers of a schema whose rows are at `rows` (answer path). */
export function planJsonStream(
  { root, compiler }: { readonly root: JsonObject; readonly compiler: SchemaCompiler },
  schema: Located,
  rows: string,
): JsonStreamVerdict {
  const steps = stepsOf(rows)
  if (steps.at(-1) !== eachElement) return { fault: 'has no list of rows: `rows` must end in `[]`' }
  const declared = () => declaredNames(root)
  const shapes: (EnvelopeShape | undefined)[] = []
  let place = plain(root, schema)
  for (const step of steps) {
    const fault = faultOf(place, step)
    if (fault !== undefined) return { fault }
    shapes.push(step === eachElement ? undefined : shapeOf(place, { compiler, declared }))
    place = plain(root, step === eachElement ? member(place, 'items') : member(member(place, 'properties'), step))
  }
  return { stream: { shapes, row: compiler.check(place), declared } }
}

/** What a reference that says nothing itself leads to. */
function plain(root: JsonObject, place: Located): Located {
  let found = place
  while (isObject(found.value) && isBareReference(found.value)) found = resolveReference(root, member(found, '$ref'))
  return found
}

function faultOf({ value, pointer }: Located, step: string): string | undefined {
  const isList = step === eachElement
  if (!isObject(value)) return `says nothing of \`${pointer}\`, on the way to its rows`
  const known = isList ? listWords : objectWords
  const word = Object.keys(value).find(
    (name) => !known.has(name) && !keywords.annotations.has(name) && !name.startsWith('x-'),
  )
  if (word !== undefined) return `can only be judged as a whole: \`${word}\` stands at \`${pointer}\``
  const isOpen = [value.additionalProperties, value.unevaluatedProperties].some(
    (content) => (content ?? false) !== false,
  )
  if (isOpen) return `has undeclared members at \`${pointer}\`, beside its rows`
  const inner = isList ? value.items : isObject(value.properties) ? value.properties[step] : undefined
  return inner === undefined ? `does not say what is at \`${step}\` in \`${pointer}\`` : undefined
}

function shapeOf(
  place: Located,
  { compiler, declared }: Pick<JsonStream, 'declared'> & { readonly compiler: SchemaCompiler },
): EnvelopeShape {
  const { properties, required } = place.value as JsonObject
  const members = new Map<string, (value: unknown) => string | undefined>()
  for (const name of Object.keys(properties as JsonObject)) {
    const check = compiler.check(member(member(place, 'properties'), name))
    members.set(name, (value) => faultText({ check, declared }, value))
  }
  return { members, required: Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [] }
}

/** What is wrong with a value, as a sentence's end that names declared members and no values. */
export function faultText(
  { check, declared }: Pick<JsonStream, 'declared'> & { readonly check: ValueCheck },
  value: unknown,
): string | undefined {
  try {
    const error = check(value)
    return (
      error &&
      (error.pointer === '' ? error.detail : `\`${legiblePointer(error.pointer, declared())}\` ${error.detail}`)
    )
  } catch (error) {
    // A schema that refers to itself is followed as deep as the value goes.
    if (error instanceof RangeError) return 'is nested too deeply'
    throw error
  }
}

/** The parameters of an operation (OpenAPI 3.1 §4.8.12): read by their style, turned into the type that their schema
 *  names, checked. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { DocumentFault, member, resolveObject, type Located } from '../openapi/references.ts'
import { decodePathText, decodeQueryText } from './query.ts'
import type { SchemaCompiler, ValueCheck } from '../schemas/schema-compiler.ts'
import { schemaParts } from '../schemas/schema-parts.ts'

export type ParameterPlace = 'path' | 'query' | 'header'

export interface Parameter {
  readonly name: string
  readonly place: ParameterPlace
  readonly required: boolean
  /** True for a list; otherwise a single value. */
  readonly list: boolean
  /** What stands between the values of a list in one text; undefined when each has a pair of its own. */
  readonly delimiter: string | undefined
  /** Types that a value may have, for turning text into a number or a boolean. */
  readonly types: ReadonlySet<string>
  readonly check: ValueCheck
}

/** A parameter's value as the schema sees it, and as texts to be written on. */
export interface ParameterValue {
  readonly texts: readonly string[]
  readonly error: string | undefined
}

/** Header parameters that OpenAPI says to ignore (§4.8.12.1); other fields say these things. */
const ignoredHeaders = new Set(['accept', 'content-type', 'authorization'])

/** Fields that never go on to an upstream: the connection's, the caller's credentials, the exchange's own. */
const keptHeaders =
  /^(host|cookie2?|authorization|x-api-key|proxy-.*|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|signature|signature-input|accept-signature|comity-.*|forwarded|x-forwarded-.*|via|dpop|traceparent|tracestate)$/

const delimiters: Readonly<Record<string, string>> = { spaceDelimited: ' ', pipeDelimited: '|' }

/** The parameters of an operation: those of its path item, replaced by its own of the same name and place.
 *  Optional cookie parameters are left out: no cookie reaches an upstream. Throws `DocumentFault`. */
export function compileParameters(
  root: JsonObject,
  { pathItem, operation }: { pathItem: Located; operation: Located },
  compiler: SchemaCompiler,
): Parameter[] {
  const found = new Map<string, Parameter | undefined>()
  for (const owner of [pathItem, operation]) {
    const { value, pointer } = member(owner, 'parameters')
    if (value === undefined) continue
    if (!Array.isArray(value)) throw new DocumentFault(pointer, 'is not a list')
    const seen = new Set<string>()
    value.forEach((_, index) => {
      const place = resolveObject(root, member({ value, pointer }, index))
      const key = `${String(place.value.in)} ${String(place.value.name)}`
      if (seen.has(key)) throw new DocumentFault(place.pointer, 'is declared twice')
      seen.add(key)
      found.set(key, compileParameter(root, place, compiler))
    })
  }
  return [...found.values()].filter((parameter) => parameter !== undefined)
}

function compileParameter(
  root: JsonObject,
  place: Located<JsonObject>,
  compiler: SchemaCompiler,
): Parameter | undefined {
  const { value, pointer } = place
  const name = value.name
  const required = value.required === true
  if (typeof name !== 'string' || name === '') throw new DocumentFault(pointer, 'has no name')
  if (value.in === 'cookie') {
    if (required) throw new DocumentFault(pointer, 'is a required cookie, but no cookie reaches an upstream')
    return undefined
  }
  if (value.in !== 'path' && value.in !== 'query' && value.in !== 'header') {
    throw new DocumentFault(`${pointer}/in`, 'must be `path`, `query` or `header`')
  }
  if (value.in === 'header' && ignoredHeaders.has(name.toLowerCase())) return undefined
  if (value.in === 'header' && keptHeaders.test(name.toLowerCase())) {
    throw new DocumentFault(pointer, `the field \`${name}\` never reaches an upstream`)
  }
  if (!('schema' in value)) throw new DocumentFault(pointer, 'has no `schema`; `content` is not taken here')
  const schema = member(place, 'schema')
  const shape = shapeOf(root, schema)
  return {
    name: value.in === 'header' ? name.toLowerCase() : name,
    place: value.in,
    required: required || value.in === 'path',
    list: shape.list,
    delimiter: delimiterOf(place),
    types: shape.types,
    check: compiler.check(schema),
  }
}

function delimiterOf({ value, pointer }: Located<JsonObject>): string | undefined {
  const usual = value.in === 'query' ? 'form' : 'simple'
  const style = value.style ?? usual
  const special = value.in === 'query' && typeof style === 'string' ? delimiters[style] : undefined
  if (style !== usual && special === undefined) {
    throw new DocumentFault(`${pointer}/style`, `the style \`${String(style)}\` is not taken here`)
  }
  const exploded = typeof value.explode === 'boolean' ? value.explode : style === 'form'
  return exploded && value.in === 'query' ? undefined : (special ?? ',')
}

/** Whether a schema is one of lists, and the types of a single value. Throws `DocumentFault` for objects. */
function shapeOf(root: JsonObject, schema: Located): { list: boolean; types: Set<string> } {
  const types = typesOf(root, schema)
  if (types.has('object')) throw new DocumentFault(schema.pointer, 'objects are not taken as parameters')
  if (!types.has('array')) return { list: false, types }
  if (types.size > 1) throw new DocumentFault(schema.pointer, 'may be a list or not, which cannot be told apart')
  const items = new Set<string>()
  for (const part of schemaParts(root, schema)) {
    if (!isObject(part.value.items)) continue
    for (const type of typesOf(root, member(part, 'items'))) items.add(type)
  }
  if (items.has('object') || items.has('array')) {
    throw new DocumentFault(schema.pointer, 'lists of lists or objects are not taken as parameters')
  }
  return { list: true, types: items }
}

function typesOf(root: JsonObject, schema: Located): Set<string> {
  const types = new Set<string>()
  for (const { value } of schemaParts(root, schema)) {
    const named: readonly unknown[] = Array.isArray(value.type) ? value.type : [value.type]
    for (const type of named) if (typeof type === 'string') types.add(type)
    if (value.type !== undefined) continue
    const examples: readonly unknown[] = Array.isArray(value.enum) ? value.enum : [value.const]
    for (const example of examples) if (example !== undefined) types.add(typeof example)
  }
  return types
}

/** Reads and checks a parameter from the texts it was sent as, still escaped unless it is a header. */
export function readParameter(parameter: Parameter, rawValues: readonly string[]): ParameterValue {
  const single = !parameter.list || parameter.delimiter !== undefined
  if (single && rawValues.length > 1) return { texts: [], error: 'is repeated' }
  const texts: string[] = []
  for (const raw of parameter.list ? splitList(parameter, rawValues) : rawValues) {
    const text = decodeText(parameter.place, raw)
    if (text === undefined) return { texts: [], error: 'holds a broken escape or a control character' }
    texts.push(text)
  }
  const values = texts.map((text) => convert(text, parameter.types))
  const fault = parameter.check(parameter.list ? values : values[0])
  return { texts, error: fault === undefined ? undefined : fault.detail }
}

function splitList({ delimiter }: Parameter, rawValues: readonly string[]): readonly string[] {
  if (delimiter === undefined) return rawValues
  const raw = rawValues[0] as string
  if (raw === '') return []
  return raw.split(delimiter === ' ' ? /%20|\+/ : delimiter === '|' ? /%7C|\|/i : delimiter)
}

function decodeText(place: ParameterPlace, raw: string): string | undefined {
  if (place === 'header') return raw.trim()
  return place === 'query' ? decodeQueryText(raw) : decodePathText(raw)
}

/** The text as the JSON value that the schema wants to see; the text itself when it is not one. */
function convert(text: string, types: ReadonlySet<string>): unknown {
  if (types.has('integer') && /^-?(0|[1-9]\d{0,18})$/.test(text)) return Number(text)
  if (types.has('number') && /^-?(0|[1-9]\d{0,18})(\.\d{1,20})?([eE][+-]?\d{1,2})?$/.test(text)) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

/** The parameter as it is written to the upstream's query: `name=value`, escaped, in the parameter's own style. */
export function writeQueryParameter({ name, list, delimiter }: Parameter, texts: readonly string[]): string {
  const key = encodeURIComponent(name)
  const values = texts.map(encodeURIComponent)
  if (list && delimiter !== undefined) return `${key}=${values.join(encodeURIComponent(delimiter).replace('%2C', ','))}`
  return values.map((value) => `${key}=${value}`).join('&')
}

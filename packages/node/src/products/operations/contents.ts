/** The bodies that an operation takes and gives, by content type (OpenAPI 3.1 §4.8.14). */
import type { CsvColumn } from '@comity/core/minimisation/rows/csv-rows'
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { DocumentFault, member, type Located } from '../openapi/references.ts'
import { declaredNames } from './declared-names.ts'
import { isJson, rowFormat } from './media-types.ts'
import { csvColumn } from '../rows/csv-columns.ts'
import type { SchemaCompiler, ValueCheck } from '../schemas/schema-compiler.ts'
import { schemaParts } from '../schemas/schema-parts.ts'

/** How a body of one content type is checked. */
export type ContentCheck =
  | { readonly kind: 'json'; readonly check: ValueCheck; readonly schema: Located }
  | { readonly kind: 'text'; readonly check: ValueCheck; readonly schema: Located }
  | RowsContent
  /** Declared without a schema: goes on as it is. */
  | { readonly kind: 'opaque' }

/** A body that is rows and nothing else: the schema is the one of a row. */
export interface RowsContent {
  readonly kind: 'rows'
  readonly format: 'ndjson' | 'csv'
  readonly check: ValueCheck
  readonly schema: Located
  /** How a column of a table is read; undefined for one that the schema does not have. */
  readonly column: (name: string) => CsvColumn | undefined
  /** Names of members that its document declares. */
  readonly declared: () => ReadonlySet<string>
}

/** Declared content by lower-case media type or range. */
export type Contents = ReadonlyMap<string, ContentCheck>

/** Reads a `content` map. Throws `DocumentFault` for a schema on a type that cannot be checked by it. */
export function compileContents(root: JsonObject, content: Located, compiler: SchemaCompiler): Contents {
  const contents = new Map<string, ContentCheck>()
  if (content.value === undefined) return contents
  if (!isObject(content.value)) throw new DocumentFault(content.pointer, 'is not an object')
  for (const name of Object.keys(content.value)) {
    const place = member(content, name)
    if (!isObject(place.value)) throw new DocumentFault(place.pointer, 'is not an object')
    const type = (name.toLowerCase().split(';')[0] ?? '').trim()
    if (contents.has(type)) throw new DocumentFault(place.pointer, 'is declared twice')
    contents.set(type, compileContent(root, { place, type }, compiler))
  }
  return contents
}

function compileContent(
  root: JsonObject,
  { place, type }: { place: Located; type: string },
  compiler: SchemaCompiler,
): ContentCheck {
  const schema = member(place, 'schema')
  if (schema.value === undefined) return { kind: 'opaque' }
  if (isJson(type)) return { kind: 'json', check: compiler.check(schema), schema }
  const format = rowFormat(type)
  if (format !== undefined && !describesText(root, schema)) {
    const column = (name: string) => csvColumn(root, schema, name)
    return { kind: 'rows', format, check: compiler.check(schema), schema, column, declared: () => declaredNames(root) }
  }
  // `format: binary` says that the bytes are not text (OpenAPI 3.0 habit, still widespread).
  const isText = schemaParts(root, schema).every(({ value }) => value.type === undefined || value.type === 'string')
  if (!isText) throw new DocumentFault(schema.pointer, `bodies of \`${type}\` cannot be checked by a schema`)
  const binary = isObject(schema.value) && schema.value.format === 'binary'
  return type.startsWith('text/') && !binary
    ? { kind: 'text', check: compiler.check(schema), schema }
    : { kind: 'opaque' }
}

/** A schema of text is one of the whole body, whatever its type. */
function describesText(root: JsonObject, schema: Located): boolean {
  return schemaParts(root, schema).some(({ value }) => value.type === 'string')
}

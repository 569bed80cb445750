/** Reading an OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.1): JSON or YAML, one self-contained file. Here only
 *  its outer shape is checked, which is fast; `openapi-validation.ts` checks the whole of it. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { Problem } from '@comity/core/problems'

/** Larger documents are refused: they cost memory for as long as the node runs. */
export const maxOpenApiBytes = 4 * 1_048_576

export type JsonObject = Readonly<Record<string, unknown>>

/** A document that has the outer shape of OpenAPI 3.1. */
export interface OpenApiDocument {
  /** Where it came from, for messages. */
  readonly source: string
  /** SHA-256 of the text, in hex: what a validation is remembered by. */
  readonly hash: string
  readonly root: JsonObject
}

/** One thing that is wrong with a document. `pointer` is a JSON pointer (RFC 6901) into it. */
export interface DocumentError {
  readonly pointer: string
  readonly detail: string
}

/** The problem that lists what is wrong with a document. */
export function openApiProblem(source: string, errors: readonly DocumentError[]): Problem {
  const first = errors[0]
  const where = first === undefined ? '' : `: ${first.pointer === '' ? '' : `\`${first.pointer}\` `}${first.detail}`
  return new Problem('openapi-invalid', `the OpenAPI document \`${source}\` cannot be used${where}`, {
    members: { errors },
  })
}

/** True for a JSON object, not for null and arrays. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a document from a file. Throws `openapi-invalid`. */
export async function loadOpenApi(path: string): Promise<OpenApiDocument> {
  let bytes: Buffer
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > maxOpenApiBytes) throw tooLarge(path)
    bytes = await file.readFile()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw openApiProblem(path, [{ pointer: '', detail: 'the file cannot be read' }])
  }
  return parseOpenApi(bytes, path)
}

/** Reads a document from its text. Throws `openapi-invalid`. */
export function parseOpenApi(content: string | Uint8Array, source: string): OpenApiDocument {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  if (bytes.byteLength > maxOpenApiBytes) throw tooLarge(source)
  const root = parseText(bytes, source)
  const errors = outerErrors(root)
  if (errors.length > 0) throw openApiProblem(source, errors)
  return { source, hash: createHash('sha256').update(bytes).digest('hex'), root: root as JsonObject }
}

function tooLarge(source: string): Problem {
  return openApiProblem(source, [{ pointer: '', detail: `the document is larger than ${maxOpenApiBytes} bytes` }])
}

// The YAML parser is loaded when the first YAML document is: a node whose documents are JSON starts without it.
const require = createRequire(import.meta.url)

function parseText(bytes: Uint8Array, source: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (text.trimStart().startsWith('{')) return JSON.parse(text) as unknown
    const { parse } = require('yaml') as typeof Yaml
    return parse(text, { maxAliasCount: 100, uniqueKeys: true, logLevel: 'error' })
  } catch (cause) {
    const line = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
    throw openApiProblem(source, [{ pointer: '', detail: `the text is neither JSON nor YAML (${line})` }])
  }
}

/** Cheap checks that give a clear sentence before anything deeper is looked at. */
function outerErrors(root: unknown): DocumentError[] {
  if (!isObject(root)) return [{ pointer: '', detail: 'is not an object' }]
  if (root.swagger !== undefined) return [{ pointer: '/swagger', detail: 'is Swagger 2; only OpenAPI 3.1 is taken' }]
  if (typeof root.openapi !== 'string') return [{ pointer: '/openapi', detail: 'is missing; it must be `3.1.x`' }]
  if (!/^3\.1\.\d+$/.test(root.openapi)) {
    return [{ pointer: '/openapi', detail: `is \`${root.openapi.slice(0, 20)}\`; only OpenAPI 3.1 is taken` }]
  }
  if (!isObject(root.paths)) return [{ pointer: '/paths', detail: 'is missing' }]
  if (Object.keys(root.paths).length === 0) return [{ pointer: '/paths', detail: 'declares no operation' }]
  return []
}

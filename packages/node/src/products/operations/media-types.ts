/** Content types (RFC 9110 §8.3.1) of bodies and answers, and which declared one covers them. */

/** A content type that was read: in lower case but for the values of its parameters. */
export interface ContentType {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

const typePattern = /[\w!#$&^.+-]+\/[\w!#$&^.+-]+/y
/** One parameter, or none: nothing may stand around its `=` (RFC 9110 §5.6.6), and no backslash within its quotes. */
const parameterPattern =
  /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"([\t \x21\x23-\x5b\x5d-\x7e]*)"))?/y

/** Reads a `Content-Type`; undefined when the field cannot be read in one way only: it is not written as RFC 9110 §8.3.1
 *  says, has a parameter twice or in pieces (RFC 2231), or names a charset other than UTF-8. */
export function parseContentType(field: string | undefined): ContentType | undefined {
  if (field === undefined || field.length > 256) return undefined
  const text = field.trim()
  typePattern.lastIndex = 0
  const type = typePattern.exec(text)?.[0]
  if (type === undefined) return undefined
  const parameters = new Map<string, string>()
  for (let at = type.length; at < text.length; at = parameterPattern.lastIndex) {
    parameterPattern.lastIndex = at
    const found = parameterPattern.exec(text)
    if (found === null) return undefined
    const [, rawName, token, quoted] = found
    if (rawName === undefined) continue
    const name = rawName.toLowerCase()
    if (parameters.has(name) || name.includes('*')) return undefined
    parameters.set(name, token ?? quoted ?? '')
  }
  return isReadable(parameters.get('charset')) ? { type: type.toLowerCase(), parameters } : undefined
}

function isReadable(charset: string | undefined): boolean {
  return charset === undefined || /^(?:utf-8|us-ascii)$/i.test(charset)
}

/** Type and subtype in lower case; undefined when the field cannot be read (`parseContentType`). */
export function readMediaType(field: string | undefined): string | undefined {
  return parseContentType(field)?.type
}

/** The content type of a body that was judged, as it goes to the upstream: it says what the body was judged as, and
 *  nothing else. Undefined for one with a parameter of which the judgement knows nothing. */
export function judgedContentType(
  { type, parameters }: ContentType,
  content: { readonly kind: string; readonly format?: 'ndjson' | 'csv' },
): string | undefined {
  // Nothing of it was judged: the parameters are the upstream's to read, written in one way.
  if (content.kind === 'opaque') return [type, ...[...parameters].map(parameterText)].join('; ')
  const isTable = content.kind === 'rows' && content.format === 'csv'
  const isKnown = ([name, value]: readonly [string, string]) =>
    name === 'charset' || (isTable && name === 'header' && value.toLowerCase() === 'present')
  if (![...parameters].every(isKnown)) return undefined
  // JSON is UTF-8 always (RFC 8259 §8.1); of other text an upstream may think what it likes.
  return content.kind === 'text' || isTable ? `${type}; charset=utf-8` : type
}

function parameterText([name, value]: readonly [string, string]): string {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(value) ? `${name}=${value}` : `${name}="${value}"`
}

/** True for types whose bodies are JSON. */
export function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType.endsWith('+json')
}

const rowTypes: ReadonlyMap<string, 'ndjson' | 'csv'> = new Map([
  ['application/x-ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['text/csv', 'csv'],
])

/** The format of types whose bodies are rows and nothing else; undefined for other types. */
export function rowFormat(mediaType: string): 'ndjson' | 'csv' | undefined {
  return rowTypes.get(mediaType)
}

/** What is declared for a type: by its own name, then `type/*`, then the one for all. */
export function declaredFor<T>(declared: ReadonlyMap<string, T>, mediaType: string): T | undefined {
  return (
    declared.get(mediaType) ?? declared.get(`${mediaType.slice(0, mediaType.indexOf('/'))}/*`) ?? declared.get('*/*')
  )
}

/** Content types (RFC 9110 §8.3.1) of bodies and answers, and which declared one covers them. */

/** Type and subtype in lower case; undefined when the field cannot be read, or names a charset other than UTF-8. */
export function readMediaType(field: string | undefined): string | undefined {
  if (field === undefined || field.length > 256) return undefined
  const [essence = '', ...parameters] = field.toLowerCase().split(';')
  const type = essence.trim()
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type)) return undefined
  const foreign = parameters.some(
    (parameter) => /^\s*charset=/.test(parameter) && !/=\s*"?(utf-8|us-ascii)"?\s*$/.test(parameter),
  )
  return foreign ? undefined : type
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

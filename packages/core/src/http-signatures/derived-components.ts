/** Derived components (RFC 9421 §2.2): values taken from a message's control data rather than from its fields. */
import { Problem } from '../problems.ts'
import type { RequestParts, ResponseParts } from './message.ts'

type Derive = (request: RequestParts, params: ReadonlyMap<string, string | true>) => string | undefined

const targetOf = ({ path, query }: RequestParts) => (query === '?' ? path : path + query)

const derivations: ReadonlyMap<string, Derive> = new Map<string, Derive>([
  ['@method', ({ method }) => method],
  ['@authority', ({ authority }) => authority],
  ['@scheme', ({ scheme }) => scheme],
  ['@target-uri', (request) => request.scheme && `${request.scheme}://${request.authority}${targetOf(request)}`],
  ['@request-target', (request) => request.requestTarget ?? targetOf(request)],
  ['@path', ({ path }) => path],
  ['@query', ({ query }) => query],
  ['@query-param', queryParam],
])

/** Whether `name` is a derived component of RFC 9421. `@signature-params` is none: it may not be covered. */
export function isDerivedName(name: string): boolean {
  return name === '@status' || derivations.has(name)
}

/** Value of a derived component; undefined when the message has none. Throws `signature-malformed` when it is not
 *  defined for this kind of message. */
export function derivedValue(
  name: string,
  params: ReadonlyMap<string, string | true>,
  source: RequestParts | ResponseParts,
): string | undefined {
  const isResponse = 'status' in source
  if (isResponse !== (name === '@status')) {
    throw new Problem('signature-malformed', `\`${name}\` is not defined for a ${isResponse ? 'response' : 'request'}`)
  }
  return isResponse ? String(source.status) : derivations.get(name)?.(source, params)
}

/** RFC 9421 §2.2.8: names and values compared and written in the form encoding of the URL standard, `%20` for a
 *  space. A parameter that occurs twice has no value here. */
function queryParam({ query }: RequestParts, params: ReadonlyMap<string, string | true>): string | undefined {
  const wanted = params.get('name')
  const found = [...new URLSearchParams(query.slice(1))].filter(([name]) => formEncode(name) === wanted)
  if (found.length > 1) throw new Problem('signature-malformed', `the query parameter \`${wanted}\` occurs twice`)
  return found[0] && formEncode(found[0][1])
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1).replaceAll('+', '%20')
}

/** API keys in what a caller sends: where they may stand, and where they must not. */
import { Problem } from '@comity/core/problems'
import type { ReceivedRequest } from '../http/received-request.ts'

const bearer = /^Bearer +(cmty_.*)$/i

/** A key, whole or cut off, with whatever of it is escaped. */
const keyInAddress = /cmty(?:_|%5f)(?:live|test)(?:_|%5f)[0-9a-z%]+(?:_|%5f)/i

/** The key that a request presents in `Authorization: Bearer` or `X-API-Key`, not judged; undefined for none. Throws
 *  `credential-duplicated` for two. */
export function presentedKey({ header }: Pick<ReceivedRequest, 'header'>): string | undefined {
  const authorization = header('authorization')
  const asBearer = authorization === undefined ? undefined : bearer.exec(authorization)?.[1]
  const named = header('x-api-key')
  if (asBearer === undefined) return named
  if (named !== undefined) throw duplicated('the request presents an API key in two header fields')
  return asBearer
}

/** The refusal of a request with two credentials. */
export function duplicated(detail: string): Problem {
  return new Problem('credential-duplicated', detail)
}

/** Throws `key-in-query`: an address is written to logs all along its way. */
export function refuseKeyInAddress({ path, query }: Pick<ReceivedRequest, 'path' | 'query'>): void {
  if (!isSuspect(query) && !isSuspect(path)) return
  if (keyInAddress.test(query) || keyInAddress.test(path) || keyInAddress.test(unescaped(path + query))) {
    throw new Problem('key-in-query', 'the address of the request holds an API key')
  }
}

/** Quickly true for what may hold one: most addresses hold neither such a word nor an escape. */
function isSuspect(text: string): boolean {
  return text.length > 1 && (text.includes('%') || text.toLowerCase().includes('cmty'))
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** The request without the credential: nothing after this sees the key. */
export function withoutKey(request: ReceivedRequest): ReceivedRequest {
  const headers = new Map(request.headers)
  headers.delete('x-api-key')
  if (bearer.test(headers.get('authorization') ?? '')) headers.delete('authorization')
  return { ...request, headers, header: (name) => headers.get(name) }
}

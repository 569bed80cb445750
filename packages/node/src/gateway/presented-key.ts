/** API keys in what a caller sends: where they may stand, and where they must not. */
import { apiKeyPattern, parseApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import type { ReceivedRequest } from '../http/received-request.ts'

const bearer = /^Bearer +(cmty_.*)$/i

/** Where a key begins, escaped once or more often, or not: in a field it is meant as one, however it is written. Longer
 *  than the prefix alone, which a consent token could hold by chance. */
const keyStart = /cmty(?:_|%(?:25){0,8}5f)(?:live|test)/i

/** The secret of a key's text, without the checksum behind it, which anybody can compute. */
export function secretOf(key: string): string {
  return key.slice(-38, -6)
}

/** A key, whole or cut off behind its id, with whatever of it is escaped. */
const keyInAddress = /cmty(?:_|%5f)(?:live|test)(?:_|%5f)(?:[0-9a-z]|%[0-9a-f]{2}){8}(?:_|%5f)/i

/** The key that a request presents in `Authorization: Bearer` or `X-API-Key`, not judged; undefined for none. Throws
 *  `credential-duplicated` for two, `key-malformed` for one that is written in another way: who sends a key is not
 *  anonymous. */
export function presentedKey({ header }: Pick<ReceivedRequest, 'header'>): string | undefined {
  const authorization = header('authorization') ?? ''
  const asBearer = bearer.exec(authorization)?.[1]
  // A variable that was not set: nothing is presented.
  const named = header('x-api-key') || undefined
  if (asBearer === undefined && (keyStart.test(authorization) || keyStart.test(basicCredentials(authorization)))) {
    throw new Problem(
      'key-malformed',
      'the field `authorization` holds an API key, but is not `Bearer`, a space and the key',
    )
  }
  if (named !== undefined && !named.startsWith('cmty_') && keyStart.test(named)) {
    throw new Problem('key-malformed', 'the field `x-api-key` holds more than an API key')
  }
  if (asBearer === undefined) return named
  if (named !== undefined) throw duplicated('the request presents an API key in two header fields')
  return asBearer
}

/** Throws `key-malformed` for a request without a credential that has a whole API key, with the checksum of one, in another
 *  field: it is no stranger's. */
export function refuseMisplacedKey({ headers }: Pick<ReceivedRequest, 'headers'>): void {
  for (const [name, value] of headers) {
    if (!value.includes('cmty_') || !(value.match(wholeKeys) ?? []).some(isApiKey)) continue
    const detail = `the field \`${name}\` holds an API key, which is sent as \`Authorization: Bearer\` or \`X-API-Key\` only`
    throw new Problem('key-malformed', detail)
  }
}

const wholeKeys = new RegExp(apiKeyPattern, 'g')

function isApiKey(text: string): boolean {
  try {
    parseApiKey(text)
    return true
  } catch {
    return false
  }
}

/** True for a field value in which `presentedKey` may see a key. */
export function mayHoldKey(value: string): boolean {
  return /cmty(?:_|%)|^Basic /i.test(value)
}

/** Name and password of the `Basic` scheme (RFC 7617), under which some tools send keys; empty for other schemes. */
function basicCredentials(authorization: string): string {
  const [, encoded = ''] = /^Basic +([\w+/=-]+)$/i.exec(authorization) ?? []
  return Buffer.from(encoded, 'base64').toString('latin1')
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

/** Throws `credential-duplicated` for a request that has the secret of its key once more: what is kept of a request must
 *  not hold it, nor what goes on to an API. Give the request without the field in which the key was presented. */
export function refuseRepeated(
  { path, query, headers }: Pick<ReceivedRequest, 'path' | 'query' | 'headers'>,
  secret: string,
  body: Uint8Array = new Uint8Array(),
): void {
  const places = [
    path,
    query,
    ...(isSuspect(path) || isSuspect(query) ? [unescaped(path + query)] : []),
    ...headers.values(),
  ]
  const isInBody = Buffer.from(body.buffer, body.byteOffset, body.length).includes(secret)
  if (isInBody || places.some((text) => text.includes(secret))) {
    throw duplicated('the request has the API key in another place too')
  }
}

/** Quickly true for what may hold one: most addresses hold neither such a word nor an escape. */
function isSuspect(text: string): boolean {
  return text.length > 1 && (text.includes('%') || text.toLowerCase().includes('cmty'))
}

/** What is escaped more often than this no server reads as a key. */
const maxEscapes = 8

function unescaped(text: string): string {
  let plain = text
  for (let round = 0; round < maxEscapes; round++) {
    const next = plain.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    if (next === plain) break
    plain = next
  }
  return plain
}

/** The request without the credential: nothing after this sees the key. */
export function withoutKey(request: ReceivedRequest): ReceivedRequest {
  const headers = new Map(request.headers)
  headers.delete('x-api-key')
  if (bearer.test(headers.get('authorization') ?? '')) headers.delete('authorization')
  return { ...request, headers, header: (name) => headers.get(name) }
}

/** One HTTP request as the node's own code sees it: header fields once each, lower case, the target split. */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { Problem } from '@comity/core/problems'
import { parseTarget } from '@comity/core/exchange/path'

export interface ReceivedRequest {
  /** Upper case, as sent. */
  readonly method: string
  /** `Host` in lower case without the scheme's default port, as RFC 9421 §2.2.3 wants it. */
  readonly authority: string
  /** Path exactly as sent, at least `/`. */
  readonly path: string
  /** `?` and the raw query; `?` alone when there is none (RFC 9421 §2.2.7). */
  readonly query: string
  /** Field value by lower-case name; repeated list fields are joined by `, ` (RFC 9110 §5.3). */
  readonly headers: ReadonlyMap<string, string>
  /** The peer's IP address. */
  readonly remoteAddress: string
  /** `sha256:…` of the client certificate's public key, when one was presented and its handshake succeeded. */
  readonly clientKeyFingerprint: string | undefined
  header(name: string): string | undefined
}

/** Fields whose repetition is an error rather than a list: two of them mean two readings of one message. */
const singleFields = new Set([
  'host',
  'content-type',
  'content-length',
  'transfer-encoding',
  'content-digest',
  'authorization',
  'idempotency-key',
  'comity-agreement',
  'comity-purpose',
  'comity-subject',
  'comity-actor',
  'comity-accept-sealing',
  'comity-consent',
  'comity-replica',
  'comity-sequence',
])

/** True for a field whose repetition is a second API key. */
function isCredential(name: string, value: string): boolean {
  return name === 'x-api-key' || (name === 'authorization' && /^Bearer +cmty_/i.test(value))
}

function duplicatedCredential(name: string): Problem {
  return new Problem('credential-duplicated', `the field \`${name}\` is repeated`)
}

/** Reads header fields from Node's flat list. Throws `header-duplicated`. */
function readHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase()
    const value = raw[index + 1] as string
    const earlier = headers.get(name)
    if (earlier === undefined) headers.set(name, value)
    else if (isCredential(name, value) || isCredential(name, earlier)) throw duplicatedCredential(name)
    else if (singleFields.has(name)) throw new Problem('header-duplicated', `the field \`${name}\` is repeated`)
    else headers.set(name, `${earlier}, ${value}`)
  }
  return headers
}

function normaliseAuthority(host: string, secure: boolean): string {
  const lower = host.toLowerCase()
  const defaultPort = secure ? ':443' : ':80'
  return lower.endsWith(defaultPort) ? lower.slice(0, -defaultPort.length) : lower
}

/** Tells the fingerprint of a connection's client key; remembered per connection by the listener. */
export type ClientKeyOf = (socket: TLSSocket) => string | undefined

/** Reads the head of a request. Throws `malformed-request` or `header-duplicated`. */
export function readRequest(message: IncomingMessage, secure: boolean, clientKeyOf?: ClientKeyOf): ReceivedRequest {
  const headers = readHeaders(message.rawHeaders)
  const host = headers.get('host')
  if (host === undefined || host === '') throw new Problem('malformed-request', 'the `host` field is missing')
  const target = parseTarget(message.url ?? '')
  return {
    method: message.method ?? 'GET',
    authority: normaliseAuthority(host, secure),
    path: target.path,
    query: target.query,
    headers,
    remoteAddress: message.socket.remoteAddress ?? '',
    clientKeyFingerprint: clientKeyOf?.(message.socket as TLSSocket),
    header: (name) => headers.get(name),
  }
}

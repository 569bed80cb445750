/** Compact JSON Web Signatures (RFC 7515) with the two algorithms of Comity's keys. Everything that RFC 8725 calls
 *  a trap is refused: `none`, an algorithm that is not the key's, `crit`, `b64`, loose base64url, repeated members. */
import { decodeBase64url, encodeBase64url, encodeBase64urlText } from '../bytes/base64url.ts'
import { parseJson } from '../bytes/json.ts'
import { utf8Text } from '../bytes/utf8.ts'
import type { SignatureAlgorithm, SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'

/** Longest compact JWS that is read, in characters, unless the caller says otherwise. */
export const defaultMaxJwsLength = 64 * 1024

/** Protected header. Members beside these are carried and signed, and mean nothing here. */
export interface JwsHeader {
  readonly alg: 'ES256' | 'EdDSA' | 'Ed25519'
  /** DID URL of the key, where the header says. A claim until the signature was verified with that key. */
  readonly kid?: string
  readonly typ?: string
  readonly [member: string]: unknown
}

/** Header members that a signer gives. `alg` follows from the key; what readers here refuse cannot be written. */
export interface JwsHeaderMembers {
  readonly kid?: string
  readonly typ?: string
  readonly alg?: never
  readonly crit?: never
  readonly b64?: never
  readonly [member: string]: unknown
}

/** A JWS taken apart. Nothing in it is proven before `verifyCompactJws`. */
export interface ParsedJws {
  readonly header: JwsHeader
  readonly payload: Uint8Array
  /** The payload as text; throws `malformed-jws` when it is not UTF-8. */
  readonly payloadText: string
  readonly signature: Uint8Array
  /** The signed characters: header, dot, payload, as they were received. */
  readonly signingInput: string
}

/** What a reader insists on. */
export interface JwsExpectations {
  /** Longest text in characters. Default 64 KiB. */
  readonly maxLength?: number
  /** The `typ` that must be there (RFC 8725 §3.11), compared without case and without `application/`. */
  readonly typ?: string
}

const algorithms: Readonly<Record<JwsHeader['alg'], SignatureAlgorithm>> = {
  ES256: 'ecdsa-p256-sha256',
  EdDSA: 'ed25519',
  Ed25519: 'ed25519',
}

/** Makes a signer whose header is encoded once, for whoever signs often with one key. */
export function compactJwsSigner(key: SigningKey, header: JwsHeaderMembers): (payload: string | Uint8Array) => string {
  const prefix = `${encodeHeader(key, header)}.`
  return (payload) => {
    const signingInput = prefix + encodePayload(payload)
    return `${signingInput}.${encodeBase64url(key.sign(signingInput))}`
  }
}

/** Signs: `<header>.<payload>.<signature>`. Ed25519 signs as `EdDSA`, which more verifiers know than `Ed25519`. */
export function signCompactJws(options: {
  readonly key: SigningKey
  readonly header: JwsHeaderMembers
  readonly payload: string | Uint8Array
}): string {
  return compactJwsSigner(options.key, options.header)(options.payload)
}

/** Takes a compact JWS apart. Throws `malformed-jws` for anything but one canonical spelling within the limits, and
 *  `signature-algorithm` for an algorithm that is not `ES256`, `EdDSA` or `Ed25519`. */
export function parseCompactJws(text: string, expectations: JwsExpectations = {}): ParsedJws {
  const maxLength = expectations.maxLength ?? defaultMaxJwsLength
  if (text.length > maxLength) throw malformed(`the JWS is longer than ${maxLength} characters`)
  const [encodedHeader, encodedPayload, encodedSignature, ...rest] = text.split('.', 4)
  if (
    encodedHeader === undefined ||
    encodedPayload === undefined ||
    encodedSignature === undefined ||
    rest.length > 0
  ) {
    throw malformed('a compact JWS has three parts between two dots')
  }
  const header = parseHeader(decodePart(encodedHeader, 'header'))
  if (expectations.typ !== undefined) requireType(header, expectations.typ)
  const payload = decodePart(encodedPayload, 'payload')
  return {
    header,
    payload,
    get payloadText() {
      return textOf(payload, 'payload')
    },
    signature: decodePart(encodedSignature, 'signature'),
    signingInput: `${encodedHeader}.${encodedPayload}`,
  }
}

/** Returns when the signature is the key's. Throws `signature-algorithm` when the header's algorithm is not the
 *  key's own, `signature-invalid` when the signature does not verify. */
export function verifyCompactJws(parsed: ParsedJws, key: VerifyingKey): void {
  if (algorithms[parsed.header.alg] !== key.algorithm) {
    throw new Problem('signature-algorithm', `\`${parsed.header.alg}\` is not the algorithm of the key`)
  }
  if (!key.verify(parsed.signingInput, parsed.signature)) {
    throw new Problem('signature-invalid', 'the signature of the JWS does not verify')
  }
}

/** The protected header in base64url: `alg` of the key first, then the members as given. */
export function encodeHeader(key: SigningKey, members: JwsHeaderMembers): string {
  const alg = key.algorithm === 'ed25519' ? 'EdDSA' : 'ES256'
  return encodeBase64urlText(JSON.stringify({ alg, ...members }))
}

/** The payload in base64url; text as its UTF-8 bytes. */
export function encodePayload(payload: string | Uint8Array): string {
  return typeof payload === 'string' ? encodeBase64urlText(payload) : encodeBase64url(payload)
}

function parseHeader(bytes: Uint8Array): JwsHeader {
  const header = headerObject(textOf(bytes, 'header'))
  for (const name of ['crit', 'b64', 'zip', 'enc']) {
    if (Object.hasOwn(header, name)) throw malformed(`the header member \`${name}\` is not taken`)
  }
  for (const name of ['kid', 'typ']) {
    if (Object.hasOwn(header, name) && typeof header[name] !== 'string') throw malformed(`\`${name}\` is not a string`)
  }
  if (typeof header.alg !== 'string') throw malformed('the header has no `alg`')
  if (!Object.hasOwn(algorithms, header.alg)) {
    throw new Problem('signature-algorithm', 'the JWS algorithm is not `ES256`, `EdDSA` or `Ed25519`')
  }
  return header as unknown as JwsHeader
}

function headerObject(text: string): Readonly<Record<string, unknown>> {
  const value = asMalformedJws('the header is not JSON with distinct members', () => parseJson(text))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('the header is not an object')
  return value as Record<string, unknown>
}

function requireType(header: JwsHeader, expected: string): void {
  const typ = header.typ?.toLowerCase().replace(/^application\//, '')
  if (typ !== expected.toLowerCase()) throw malformed(`the \`typ\` of the JWS is not \`${expected}\``)
}

function decodePart(text: string, part: string): Uint8Array {
  return asMalformedJws(`the ${part} is not canonical base64url`, () => decodeBase64url(text))
}

function textOf(bytes: Uint8Array, part: string): string {
  return asMalformedJws(`the ${part} is not UTF-8`, () => utf8Text(bytes))
}

function asMalformedJws<T>(detail: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw malformed(detail, cause)
  }
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('malformed-jws', detail, { cause })
}

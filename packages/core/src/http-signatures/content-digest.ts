/** The field `Content-Digest` (RFC 9530): a digest of the content exactly as sent.
 *
 *      Content-Digest: sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:
 */
import { sha256, sha256Text } from '#crypto'
import { sha512 } from '@noble/hashes/sha2.js'
import { encodeBase64 } from '../bytes/base64.ts'
import { equalBytes } from '../bytes/bytes.ts'
import { Problem } from '../problems.ts'
import { parseStrictDictionary } from './structured-fields.ts'

/** The field's value for a body. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${sha256Text(body, 'base64')}:`
}

/** The field's value for a SHA-256 that was computed while the body passed by. */
export function formatContentDigest(sha256OfBody: Uint8Array): string {
  return `sha-256=:${encodeBase64(sha256OfBody)}:`
}

/** The field's value for a SHA-256 that is known already, in base64url. */
export function contentDigestOfHash(base64urlHash: string): string {
  return `sha-256=:${base64urlHash.replaceAll('-', '+').replaceAll('_', '/')}=:`
}

/** The digests of the active algorithms (RFC 9530 §5) that a field states; at least one. */
export interface StatedDigests {
  readonly sha256?: Uint8Array
  readonly sha512?: Uint8Array
}

const digestLengths: ReadonlyMap<string, number> = new Map([
  ['sha-256', 32],
  ['sha-512', 64],
])

/** Reads the field. Deprecated and unknown algorithms count for nothing. Throws `malformed-request` when it is no
 *  dictionary of byte sequences of the right length, `digest-mismatch` when no active algorithm is there. */
export function parseContentDigest(header: string): StatedDigests {
  const stated = new Map<string, Uint8Array>()
  for (const [algorithm, [value]] of parseStrictDictionary('content-digest', header, 'malformed-request')) {
    if (!(value instanceof ArrayBuffer)) throw malformed(`the digest \`${algorithm}\` is not a byte sequence`)
    const length = digestLengths.get(algorithm)
    if (length === undefined) continue
    if (value.byteLength !== length) throw malformed(`the digest \`${algorithm}\` must have ${length} bytes`)
    stated.set(algorithm, new Uint8Array(value))
  }
  if (stated.size === 0) throw mismatch('`Content-Digest` has neither `sha-256` nor `sha-512`')
  const [first, second] = [stated.get('sha-256'), stated.get('sha-512')]
  return { ...(first && { sha256: first }), ...(second && { sha512: second }) }
}

/** Verifies the body against the field; every active algorithm must agree, and a body without the field is refused.
 *  Throws `digest-mismatch` or `malformed-request`. */
export function verifyContentDigest(header: string | undefined, body: Uint8Array): void {
  if (header === undefined) {
    if (body.length === 0) return
    throw mismatch('the body has no `Content-Digest`')
  }
  if (header === contentDigest(body)) return
  const stated = parseContentDigest(header)
  if (stated.sha256 && !equalBytes(stated.sha256, sha256(body))) throw mismatch('the body does not have this `sha-256`')
  if (stated.sha512 && !equalBytes(stated.sha512, sha512(body))) throw mismatch('the body does not have this `sha-512`')
}

const malformed = (detail: string) => new Problem('malformed-request', detail)
const mismatch = (detail: string) => new Problem('digest-mismatch', detail)

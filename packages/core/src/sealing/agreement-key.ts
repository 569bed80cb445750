/** Public key agreement keys as DID documents publish them: X25519 (RFC 8037) and MLKEM768-X25519, whose JWK is of type
 *  `AKP` with the algorithm that it is for (draft-ietf-jose-hpke-pq-pqt). */
import { z } from 'zod'
import { decodeBase64url } from '../bytes/base64url.ts'
import { verificationMethods, type DidDocument, type VerificationMethod } from '../identity/did-document.ts'
import { Problem } from '../problems.ts'
import { keyKindOf, type AgreementKeyKind, type SealingAlgorithm } from './sealing-algorithms.ts'

/** Bytes of public keys: X25519's point; ML-KEM-768's key and then X25519's point. */
export const agreementKeyBytes: Readonly<Record<AgreementKeyKind, number>> = { X25519: 32, 'MLKEM768-X25519': 1216 }

/** A public key, ready for use. */
export interface AgreementKey {
  /** DID URL. */
  readonly keyid: string
  readonly kind: AgreementKeyKind
  readonly bytes: Uint8Array
  /** Milliseconds since the epoch; Infinity when its document names no end. */
  readonly endsAtMs: number
}

const text = z.string().min(1).max(2048)
const jwkSchema = z.union([
  z.object({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: text, d: z.undefined().optional() }),
  z.object({ kty: z.literal('AKP'), alg: z.literal('HPKE-9'), pub: text, priv: z.undefined().optional() }),
])

/** The kind and bytes of a public JWK. Throws `malformed-key` for one of another kind, with a private part, of another
 *  length, or that no sender may use: an X25519 point of small order. */
export function parseAgreementJwk(value: unknown): Pick<AgreementKey, 'kind' | 'bytes'> {
  const parsed = jwkSchema.safeParse(value)
  if (!parsed.success) throw new Problem('malformed-key', 'the key is not an X25519 or MLKEM768-X25519 public key')
  const jwk = parsed.data
  const kind = jwk.kty === 'AKP' ? 'MLKEM768-X25519' : 'X25519'
  const bytes = bytesOf(jwk.kty === 'AKP' ? jwk.pub : jwk.x)
  if (bytes.length !== agreementKeyBytes[kind]) throw new Problem('malformed-key', `the ${kind} key has another length`)
  if (isSmallOrder(bytes.subarray(-32))) throw new Problem('malformed-key', `the ${kind} key is of small order`)
  return { kind, bytes }
}

function bytesOf(encoded: string): Uint8Array {
  try {
    return decodeBase64url(encoded)
  } catch (cause) {
    throw new Problem('malformed-key', 'the key is not base64url', { cause })
  }
}

/** The points of small order on curve25519 and its twist, little-endian, without the top bit, which RFC 7748 §5 masks:
 *  with one of them the shared secret is known to everybody. */
const smallOrder = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

function isSmallOrder(point: Uint8Array): boolean {
  const hex = Array.from(point, (byte, index) => (index === 31 ? byte & 0x7f : byte).toString(16).padStart(2, '0'))
  return smallOrder.has(hex.join(''))
}

/** The key agreement keys of a document that are in use at a time, the one to seal to first: keys that do not end before
 *  keys that do, later ones of the document before earlier ones. Keys that cannot be read are left out, so that a kind
 *  of key which this version does not know hurts nobody. */
export function agreementKeysOf(document: DidDocument, atMs: number): AgreementKey[] {
  const keys = verificationMethods(document, 'keyAgreement').flatMap((method) => readable(method))
  return keys
    .filter(({ endsAtMs }) => atMs < endsAtMs)
    .toReversed()
    .toSorted((a, b) => (a.endsAtMs === b.endsAtMs ? 0 : b.endsAtMs - a.endsAtMs))
}

function readable({ id, publicKeyJwk, expires, revoked }: VerificationMethod): AgreementKey[] {
  try {
    const ends = [expires, revoked].flatMap((time) => (time === undefined ? [] : [Date.parse(time)]))
    return [{ keyid: id, ...parseAgreementJwk(publicKeyJwk), endsAtMs: Math.min(Infinity, ...ends) }]
  } catch {
    return []
  }
}

/** The key to seal to with an algorithm. */
export function keyFor(algorithm: SealingAlgorithm, keys: readonly AgreementKey[]): AgreementKey | undefined {
  const kind = keyKindOf(algorithm)
  return keys.find((key) => key.kind === kind)
}

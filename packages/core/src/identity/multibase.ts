/** Public keys as Multikey text (W3C CID 1.0 §2.2.2): multibase base58btc (`z…`) over a multicodec prefix and the
 *  raw key. Ed25519 is `z6Mk…` (32 bytes), P-256 is `zDn…` (33 bytes, compressed point), X25519 `z6LS…`. */
import { base58 } from '@scure/base'
import { p256 } from '@noble/curves/nist.js'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import type { PublicJwk } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'

const ed25519Prefix = [0xed, 0x01]
const p256Prefix = [0x80, 0x24]
/** Base58 decoding is quadratic; the longest key here is 48 characters. */
const maxMultibaseLength = 128

/** Multikey text of a public key. Throws `malformed-key` when a coordinate is not base64url of its size. */
export function encodeMultikey(jwk: PublicJwk): string {
  if (jwk.kty === 'OKP') return multibase(ed25519Prefix, coordinate(jwk.x))
  const y = coordinate(jwk.y)
  const parity = (y[31] ?? 0) & 1
  return multibase(p256Prefix, Uint8Array.of(2 + parity, ...coordinate(jwk.x)))
}

/** The Ed25519 or P-256 key of a Multikey text. Throws `malformed-key` when the text is not canonical base58btc,
 *  the key is of another kind, has the wrong size or is not a point of its curve. */
export function decodeMultikey(text: string): PublicJwk {
  const bytes = decodeMultibase(text)
  const key = bytes.subarray(2)
  if (startsWith(bytes, ed25519Prefix) && key.length === 32) {
    return { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(key) }
  }
  if (startsWith(bytes, p256Prefix) && key.length === 33) return decompressP256(key)
  throw new Problem('malformed-key', 'the multikey is neither Ed25519 nor P-256')
}

/** Bytes of a base58btc multibase text. Throws `malformed-key`. */
export function decodeMultibase(text: string): Uint8Array {
  if (!text.startsWith('z') || text.length > maxMultibaseLength) {
    throw new Problem('malformed-key', 'the key is not multibase base58btc of a known size')
  }
  try {
    return base58.decode(text.slice(1))
  } catch (cause) {
    throw new Problem('malformed-key', 'the key is not base58btc', { cause })
  }
}

function multibase(prefix: readonly number[], key: Uint8Array): string {
  return `z${base58.encode(Uint8Array.of(...prefix, ...key))}`
}

function decompressP256(compressed: Uint8Array): PublicJwk {
  try {
    const point = p256.Point.fromBytes(compressed).toBytes(false)
    const [x, y] = [point.subarray(1, 33), point.subarray(33)]
    return { kty: 'EC', crv: 'P-256', x: encodeBase64url(x), y: encodeBase64url(y) }
  } catch (cause) {
    throw new Problem('malformed-key', 'the P-256 key is not a point of the curve', { cause })
  }
}

function coordinate(text: string): Uint8Array {
  const bytes = decodeBase64url(text)
  if (bytes.length !== 32) throw new Problem('malformed-key', 'a coordinate of the key is not 32 bytes')
  return bytes
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte)
}

/** Public keys as Multikey text (W3C CID 1.0 §2.2.2): multibase base58btc (`z…`) over a multicodec prefix and the
 *  raw key. Ed25519 is `z6Mk…` (32 bytes), P-256 is `zDn…` (33 bytes, compressed point), X25519 `z6LS…`. */
import { base58 } from '@scure/base'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { decodeHex, encodeHex } from '../bytes/hex.ts'
import type { PublicJwk } from '../crypto/crypto.ts'
import { parsePublicJwk } from '../crypto/jwk.ts'
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
    return parsePublicJwk({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(key) })
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

const p256Prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const p256B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn

/** SEC 1 §2.3.4: y² = x³ - 3x + b, and the root whose parity the first byte tells. `parsePublicJwk` checks that it is
 *  a root. All numbers are public, so time may depend on them. */
function decompressP256(compressed: Uint8Array): PublicJwk {
  const [form = 0] = compressed
  const xBytes = compressed.subarray(1)
  const x = BigInt(`0x${encodeHex(xBytes)}`)
  if ((form !== 2 && form !== 3) || x >= p256Prime) throw new Problem('malformed-key', 'the P-256 point is malformed')
  // The prime is 3 modulo 4, so this power is a square root if there is one.
  const root = powerModPrime((x * x * x - 3n * x + p256B) % p256Prime, (p256Prime + 1n) / 4n)
  const y = (root & 1n) === BigInt(form & 1) ? root : p256Prime - root
  const yBytes = decodeHex(y.toString(16).padStart(64, '0'))
  return parsePublicJwk({ kty: 'EC', crv: 'P-256', x: encodeBase64url(xBytes), y: encodeBase64url(yBytes) })
}

function powerModPrime(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % p256Prime
    square = (square * square) % p256Prime
  }
  return result
}

function coordinate(text: string): Uint8Array {
  const bytes = decodeBase64url(text)
  if (bytes.length !== 32) throw new Problem('malformed-key', 'a coordinate of the key is not 32 bytes')
  return bytes
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte)
}

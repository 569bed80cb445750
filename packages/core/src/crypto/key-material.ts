/** What a JWK must be before any library sees it, so that every implementation takes exactly the same keys:
 *  right members, canonical base64url, 32-byte coordinates, and a point that is on its curve and not degenerate. */
import { decodeBase64url } from '../bytes/base64url.ts'
import { encodeHex } from '../bytes/hex.ts'
import { Problem } from '../problems.ts'
import type { PrivateJwk, PublicJwk } from './crypto.ts'

/** A checked key: the JWK with its defined members only, and the same as bytes (32 each). */
export interface PublicMaterial {
  readonly jwk: PublicJwk
  readonly x: Uint8Array
  /** Empty for Ed25519, whose point is `x` alone. */
  readonly y: Uint8Array
}

const ed25519Prime = 2n ** 255n - 19n
const ed25519D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n
// The y coordinate of the points of order 8; the other such points have its negative.
const orderEightY = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n
// The y coordinates of the points whose order divides the cofactor 8: with such a key one signature fits all texts.
const smallOrderY = new Set([0n, 1n, ed25519Prime - 1n, orderEightY, ed25519Prime - orderEightY])
const p256Prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const p256B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** Checks a public JWK and gives its coordinates. Members beside `kty`, `crv`, `x`, `y` are dropped; a private
 *  member, or a key that may not verify by its `use` or `key_ops`, throws `malformed-key` like every other fault. */
export function publicMaterial(value: unknown): PublicMaterial {
  const members = jwkMembers(value)
  if (members.d !== undefined) throw malformed('a private key stands where a public one belongs')
  if (members.use !== undefined && members.use !== 'sig') throw malformed('the key is not for signatures')
  if (Array.isArray(members.key_ops) && !members.key_ops.includes('verify')) {
    throw malformed('the key is not for verifying')
  }
  return pointOf(members)
}

/** Checks a private JWK likewise and gives `d` too: a P-256 scalar in 1…n-1, or an Ed25519 seed. Whether it
 *  belongs to the public members is for the implementation to check. */
export function privateMaterial(value: unknown): PublicMaterial & { readonly d: Uint8Array } {
  const members = jwkMembers(value)
  const point = pointOf(members)
  const d = coordinate(members, 'd')
  if (point.jwk.kty === 'EC') {
    const scalar = bigEndian(d)
    if (scalar === 0n || scalar >= p256Order) throw malformed('`d` is out of range')
  }
  return { ...point, d }
}

/** The problem of a private JWK whose `d` is of another key than its public members. */
export function mismatchedKey(): Problem {
  return malformed('`d` does not belong to the public key')
}

/** The public part of a private JWK. */
export function publicPart(jwk: PrivateJwk): PublicJwk {
  return jwk.kty === 'EC' ? { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y } : { kty: 'OKP', crv: 'Ed25519', x: jwk.x }
}

function jwkMembers(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('a JWK is a JSON object')
  return value as Record<string, unknown>
}

function pointOf(members: Readonly<Record<string, unknown>>): PublicMaterial {
  if (members.kty === 'OKP' && members.crv === 'Ed25519') {
    const x = coordinate(members, 'x')
    if (!isEd25519Key(x)) throw malformed('`x` is not a point of Ed25519 that may be a key')
    return { jwk: { kty: 'OKP', crv: 'Ed25519', x: members.x as string }, x, y: new Uint8Array(0) }
  }
  if (members.kty === 'EC' && members.crv === 'P-256') {
    const x = coordinate(members, 'x')
    const y = coordinate(members, 'y')
    if (!isP256Point(bigEndian(x), bigEndian(y))) throw malformed('`x` and `y` are not a point of P-256')
    return { jwk: { kty: 'EC', crv: 'P-256', x: members.x as string, y: members.y as string }, x, y }
  }
  throw malformed('only keys of Ed25519 and P-256 are taken')
}

function coordinate(members: Readonly<Record<string, unknown>>, name: 'x' | 'y' | 'd'): Uint8Array {
  const text = members[name]
  // 43 characters are 32 bytes; RFC 7518 §6.2.1.2 demands the full length, leading zeros included.
  if (typeof text !== 'string' || text.length !== 43) throw malformed(`\`${name}\` is not 32 bytes in base64url`)
  try {
    return decodeBase64url(text)
  } catch (cause) {
    throw malformed(`\`${name}\` is not canonical base64url`, cause)
  }
}

// RFC 8032 §5.1.3: x² = (y²-1)/(dy²+1) must have a root. Quotient and product of two numbers are squares alike.
function isEd25519Key(bytes: Uint8Array): boolean {
  const y = bigEndian(bytes.toReversed()) & (2n ** 255n - 1n)
  if (y >= ed25519Prime || smallOrderY.has(y)) return false
  const ySquared = (y * y) % ed25519Prime
  const product = ((ySquared - 1n) * (ed25519D * ySquared + 1n)) % ed25519Prime
  return power(product, (ed25519Prime - 1n) / 2n, ed25519Prime) === 1n
}

function isP256Point(x: bigint, y: bigint): boolean {
  if (x >= p256Prime || y >= p256Prime) return false
  return (y * y - (x * x * x - 3n * x + p256B)) % p256Prime === 0n
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

function bigEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(bytes)}`)
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('malformed-key', detail, { cause })
}

/** `CryptoProvider` on noble, for browsers: slower, the same answers, bit for bit, as `crypto-node.ts`. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256, sha512 } from '@noble/hashes/sha2.js'
import { encodeBase64 } from '../bytes/base64.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, equalBytes } from '../bytes/bytes.ts'
import { encodeHex } from '../bytes/hex.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import type { PrivateJwk, PublicJwk, SignatureAlgorithm, SigningKey, VerifyingKey } from './crypto.ts'
import { mismatchedKey, privateMaterial, publicMaterial } from './key-material.ts'

const signatureLength = 64
// OpenSSL takes signatures with either s; so does everything that verifies Comity's.
const ecdsaOptions = { lowS: false, prehash: true } as const
const encoders = { base64: encodeBase64, base64url: encodeBase64url, hex: encodeHex }

/** SHA-256, 32 bytes. */
export function sha256(data: Uint8Array | string): Uint8Array {
  return nobleSha256(bytesOf(data))
}

/** SHA-256 as text. */
export function sha256Text(data: Uint8Array | string, encoding: 'base64' | 'base64url' | 'hex'): string {
  return encoders[encoding](sha256(data))
}

/** HMAC-SHA-256, 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array | string): Uint8Array {
  return hmac(nobleSha256, key, bytesOf(data))
}

/** A key that verifies; throws `malformed-key`. */
export function importVerifyingKey(jwk: PublicJwk): VerifyingKey {
  const material = publicMaterial(jwk)
  const check = material.jwk.kty === 'EC' ? ecdsaVerifier(p256Point(material)) : ed25519Verifier(material.x)
  return {
    algorithm: algorithmOf(material.jwk),
    jwk: material.jwk,
    verify: (data, signature) => signature.length === signatureLength && check(bytesOf(data), signature),
  }
}

/** A key that signs; throws `malformed-key`, also when `d` is not of the public key beside it. */
export function importSigningKey(jwk: PrivateJwk): SigningKey {
  const material = privateMaterial(jwk)
  const { d } = material
  const isEc = material.jwk.kty === 'EC'
  const derived = isEc ? p256.getPublicKey(d, false) : ed25519.getPublicKey(d)
  if (!equalBytes(derived, isEc ? p256Point(material) : material.x)) throw mismatchedKey()
  return {
    algorithm: algorithmOf(material.jwk),
    publicJwk: material.jwk,
    sign: (data) => (isEc ? p256.sign(bytesOf(data), d, ecdsaOptions) : ed25519.sign(bytesOf(data), d)),
  }
}

/** A fresh key pair. */
export function generatePrivateJwk(algorithm: SignatureAlgorithm): PrivateJwk {
  if (algorithm === 'ed25519') {
    const { secretKey, publicKey } = ed25519.keygen()
    return { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(publicKey), d: encodeBase64url(secretKey) }
  }
  const secretKey = p256.utils.randomSecretKey()
  const point = p256.getPublicKey(secretKey, false)
  const x = encodeBase64url(point.subarray(1, 33))
  return { kty: 'EC', crv: 'P-256', x, y: encodeBase64url(point.subarray(33)), d: encodeBase64url(secretKey) }
}

type Check = (data: Uint8Array, signature: Uint8Array) => boolean

function ecdsaVerifier(point: Uint8Array): Check {
  return (data, signature) => p256.verify(signature, data, point, ecdsaOptions)
}

// RFC 8032 §5.1.7 leaves it open whether the equation is multiplied by the cofactor. OpenSSL does not and compares
// R's bytes; noble's own `verify` does. A key of mixed order could sign so that only one of them says yes, and then
// a receipt would verify in one place and not in the other; so the equation is written out here.
function ed25519Verifier(publicKey: Uint8Array): Check {
  const { Point } = ed25519
  const key = Point.fromBytes(publicKey)
  return (data, signature) => {
    const r = signature.subarray(0, 32)
    const s = littleEndian(signature.subarray(32))
    if (s >= Point.Fn.ORDER) return false
    const k = littleEndian(sha512(concatBytes(r, publicKey, data))) % Point.Fn.ORDER
    return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k)).toBytes(), r)
  }
}

function p256Point(material: { readonly x: Uint8Array; readonly y: Uint8Array }): Uint8Array {
  return concatBytes(Uint8Array.of(4), material.x, material.y)
}

function algorithmOf(jwk: PublicJwk): SignatureAlgorithm {
  return jwk.kty === 'EC' ? 'ecdsa-p256-sha256' : 'ed25519'
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(bytes.toReversed())}`)
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === 'string' ? utf8Bytes(data) : data
}

/** `CryptoProvider` on `node:crypto`. Keys are imported once into a KeyObject; every call is one-shot. */
import {
  createECDH,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { concatBytes, equalBytes } from '../bytes/bytes.ts'
import type { PrivateJwk, PublicJwk, SignatureAlgorithm, SigningKey, VerifyingKey } from './crypto.ts'
import { derOfSignature, signatureOfDer } from './ecdsa-der.ts'
import { mismatchedKey, privateMaterial, publicMaterial, publicPart, type PublicMaterial } from './key-material.ts'

const signatureLength = 64

/** SHA-256, 32 bytes. */
export function sha256(data: Uint8Array | string): Uint8Array {
  // A string of 32 bytes crosses from C++ twice as fast as a Buffer does.
  const digest = hash('sha256', data, 'binary')
  const bytes = new Uint8Array(32)
  for (let i = 0; i < 32; i++) bytes[i] = digest.charCodeAt(i)
  return bytes
}

/** SHA-256 as text; skips the array in between, which costs more than hashing a short message. */
export function sha256Text(data: Uint8Array | string, encoding: 'base64' | 'base64url' | 'hex'): string {
  return hash('sha256', data, encoding)
}

/** HMAC-SHA-256, 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array | string): Uint8Array {
  // With the bytes themselves as the key Node takes three times as long.
  return plain(createHmac('sha256', createSecretKey(key)).update(data).digest())
}

/** A key that verifies; throws `malformed-key`. */
export function importVerifyingKey(jwk: PublicJwk): VerifyingKey {
  const material = publicMaterial(jwk)
  const key = createPublicKey({ key: { ...material.jwk }, format: 'jwk' })
  const check = material.jwk.kty === 'EC' ? ecdsaVerifier(key) : ed25519Verifier(key)
  return {
    algorithm: algorithmOf(material.jwk),
    jwk: material.jwk,
    verify: (data, signature) => signature.length === signatureLength && check(bytesOf(data), signature),
  }
}

/** A key that signs; throws `malformed-key`, also when `d` is not of the public key beside it. */
export function importSigningKey(jwk: PrivateJwk): SigningKey {
  const material = privateMaterial(jwk)
  const key = createPrivateKey({ key: { ...material.jwk, d: jwk.d }, format: 'jwk' })
  if (!isPair(material, key)) throw mismatchedKey()
  const make = material.jwk.kty === 'EC' ? ecdsaSigner(key) : ed25519Signer(key)
  return {
    algorithm: algorithmOf(material.jwk),
    publicJwk: material.jwk,
    sign: (data) => make(bytesOf(data)),
  }
}

/** A fresh key pair. */
export function generatePrivateJwk(algorithm: SignatureAlgorithm): PrivateJwk {
  const { privateKey } =
    algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' }) as PrivateJwk
  return { ...publicPart(jwk), d: jwk.d }
}

type Check = (data: Uint8Array, signature: Uint8Array) => boolean
type Make = (data: Uint8Array) => Uint8Array

function ecdsaVerifier(key: KeyObject): Check {
  return (data, signature) => verify('sha256', data, key, derOfSignature(signature))
}

function ed25519Verifier(key: KeyObject): Check {
  return (data, signature) => verify(null, data, key, signature)
}

function ecdsaSigner(key: KeyObject): Make {
  return (data) => signatureOfDer(sign('sha256', data, key))
}

function ed25519Signer(key: KeyObject): Make {
  return (data) => plain(sign(null, data, key))
}

// OpenSSL takes a private JWK's public members on trust.
function isPair(material: PublicMaterial & { readonly d: Uint8Array }, key: KeyObject): boolean {
  if (material.jwk.kty === 'OKP') return createPublicKey(key).export({ format: 'jwk' }).x === material.jwk.x
  const exchange = createECDH('prime256v1')
  exchange.setPrivateKey(material.d)
  return equalBytes(exchange.getPublicKey(), concatBytes(Uint8Array.of(4), material.x, material.y))
}

function algorithmOf(jwk: PublicJwk): SignatureAlgorithm {
  return jwk.kty === 'EC' ? 'ecdsa-p256-sha256' : 'ed25519'
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data
}

// A Buffer's `slice` shares memory and its `toString` is not a Uint8Array's; nobody outside should meet one.
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** The few cryptographic operations that `core` needs, synchronous, with one implementation on `node:crypto`
 *  (fast) and one on noble (browsers). `#crypto` in package.json picks one; both pass the same contract tests. */

/** Algorithm names of the HTTP Signature Algorithms registry (RFC 9421 §3.3). */
export type SignatureAlgorithm = 'ed25519' | 'ecdsa-p256-sha256'

/** A public key as a JWK (RFC 7517): P-256 (RFC 7518 §6.2) or Ed25519 (RFC 8037 §2). No private members. */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }

/** A private key as a JWK: the public one and `d`. */
export type PrivateJwk = PublicJwk & { readonly d: string }

/** A public key, imported once and used often. Signatures are 64 bytes: r‖s (IEEE P1363) or Ed25519. */
export interface VerifyingKey {
  readonly algorithm: SignatureAlgorithm
  readonly jwk: PublicJwk
  /** True when `signature` is this key's over `data`. Never throws for a malformed signature. */
  verify(data: Uint8Array | string, signature: Uint8Array): boolean
}

/** A private key. `sign` gives 64 bytes as `VerifyingKey` reads them. */
export interface SigningKey {
  readonly algorithm: SignatureAlgorithm
  readonly publicJwk: PublicJwk
  sign(data: Uint8Array | string): Uint8Array
}

/** What each implementation provides; strings are hashed and signed as their UTF-8 bytes. */
export interface CryptoProvider {
  /** SHA-256, 32 bytes. */
  sha256(data: Uint8Array | string): Uint8Array
  /** SHA-256 as text; faster than encoding the bytes of `sha256`. */
  sha256Text(data: Uint8Array | string, encoding: 'base64' | 'base64url' | 'hex'): string
  /** HMAC-SHA-256 (RFC 2104), 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array | string): Uint8Array
  /** Throws `malformed-key` when the JWK is not a supported key or not on its curve. */
  importVerifyingKey(jwk: PublicJwk): VerifyingKey
  /** Throws `malformed-key` likewise. */
  importSigningKey(jwk: PrivateJwk): SigningKey
  /** A fresh key pair from the platform's secure randomness. */
  generatePrivateJwk(algorithm: SignatureAlgorithm): PrivateJwk
}

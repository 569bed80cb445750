/** How a TLS key is named when it is pinned: SHA-256 of its SubjectPublicKeyInfo (RFC 7469 §2.4), which stays the
 *  same when the certificate around the key is renewed. */
import { X509Certificate, createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { Problem } from '@comity/core/problems'

const fingerprintPattern = /^sha256:[A-Za-z0-9_-]{43}$/

/** `sha256:<base64url>` of the public key of a certificate (PEM, DER or parsed). */
export function spkiFingerprint(certificate: X509Certificate | string | Uint8Array): string {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate)
  return keyFingerprint(parsed.publicKey)
}

/** The same of a public key as a JWK of any kind. Throws `malformed-key`. */
export function jwkFingerprint(jwk: Readonly<Record<string, unknown>>): string {
  return keyFingerprint(readJwk(jwk))
}

/** True for text of the form `sha256:<43 characters of base64url>`. */
export function isFingerprint(text: string): boolean {
  return fingerprintPattern.test(text)
}

function keyFingerprint(key: KeyObject): string {
  const spki = key.export({ type: 'spki', format: 'der' })
  return `sha256:${createHash('sha256').update(spki).digest('base64url')}`
}

function readJwk(jwk: Readonly<Record<string, unknown>>): KeyObject {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch (cause) {
    throw new Problem('malformed-key', 'the TLS key is not a public key as a JWK', { cause })
  }
}

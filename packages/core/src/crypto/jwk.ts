/** Public keys as JSON Web Keys (RFC 7517): reading them from strangers, and naming them by their thumbprint. */
import { sha256Text } from '#crypto'
import type { PublicJwk } from './crypto.ts'
import { publicMaterial } from './key-material.ts'

/** The key with its defined members only. Throws `malformed-key` for anything but a canonical public JWK of
 *  Ed25519 or P-256 whose point is on the curve and which may be used for signatures. */
export function parsePublicJwk(value: unknown): PublicJwk {
  return publicMaterial(value).jwk
}

/** RFC 7638 thumbprint with SHA-256, in base64url (43 characters). */
export function jwkThumbprint(jwk: PublicJwk): string {
  return sha256Text(requiredMembers(jwk), 'base64url')
}

// RFC 7638 §3.2, RFC 8037 §2: required members only, in lexicographic order, no white space.
function requiredMembers(jwk: PublicJwk): string {
  return jwk.kty === 'EC'
    ? JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y })
    : JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x })
}

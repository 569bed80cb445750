/** The method did:key (https://w3c-ccg.github.io/did-key-spec/) for Ed25519 (`did:key:z6Mk…`) and P-256
 *  (`did:key:zDn…`): the DID is the key, so its document is computed and its key can never be changed. */
import type { PublicJwk } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import { parseDid } from './did.ts'
import type { DidDocument } from './did-document.ts'
import { decodeMultikey, encodeMultikey } from './multibase.ts'

/** The did:key of a public key. */
export function didKeyOf(jwk: PublicJwk): string {
  return `did:key:${encodeMultikey(jwk)}`
}

/** The DID URL of the one key of a did:key. */
export function didKeyId(did: string): string {
  return `${did}#${did.slice('did:key:'.length)}`
}

/** The public key that a did:key is. Throws `did-invalid`. */
export function didKeyPublicKey(did: string): PublicJwk {
  const parsed = parseDid(did)
  if (parsed.method !== 'key') throw new Problem('did-invalid', `\`${did}\` is not a did:key`)
  try {
    return decodeMultikey(parsed.id)
  } catch (cause) {
    throw new Problem('did-invalid', `\`${did}\` does not hold an Ed25519 or P-256 key`, { cause })
  }
}

/** The document of a did:key, without the derived X25519 key that the method makes optional. Throws `did-invalid`. */
export function didKeyDocument(did: string): DidDocument {
  didKeyPublicKey(did)
  const id = didKeyId(did)
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: [{ id, type: 'Multikey', controller: did, publicKeyMultibase: did.slice('did:key:'.length) }],
    authentication: [id],
    assertionMethod: [id],
    capabilityInvocation: [id],
    capabilityDelegation: [id],
  }
}

/** Builds the node's own DID document from its keys, as of a time. */
import type { DidDocument, VerificationMethod } from '@comity/core/identity/did-document'
import { didKeyDocument } from '@comity/core/identity/did-key'
import { decideKeyState, publicJwkOf, type KeyPurpose, type NodeKey } from './node-keys.ts'
import { nodeServiceType } from './tls-keys.ts'

export interface OwnDocumentFacts {
  readonly did: string
  /** Base URL of the public listener, e.g. `https://node.example:8443`. */
  readonly url: string
  readonly keys: readonly NodeKey[]
  /** Verifier key of the audit log (c2sp.org/signed-note). */
  readonly logVerifierKey: string
  /** A TLS key that is not in the key file: of a certificate that a public authority gave. */
  readonly otherTlsJwk?: Readonly<Record<string, unknown>> | undefined
}

/** What a retired key signed must stay verifiable, but nobody may encrypt
 *  or connect to it, so retired keys of other purposes are left out. */
const signing: ReadonlySet<KeyPurpose> = new Set(['authentication', 'assertionMethod'])

/** The document of a did:web. Pending, active and retiring keys stand under their relationship, so that partners know
 *  a successor before it signs and accept its predecessor for the overlap; a did:key has the document that
 *  everybody computes from it. */
export function ownDocument(facts: OwnDocumentFacts, nowMs: number): DidDocument {
  const { did, keys, url } = facts
  if (did.startsWith('did:key:')) return didKeyDocument(did)
  const isRetired = (key: NodeKey) => decideKeyState(key, nowMs) === 'retired'
  const named = keys.filter((key) => key.purpose !== 'log' && (!isRetired(key) || signing.has(key.purpose)))
  const current = (purpose: KeyPurpose) =>
    named.filter((key) => key.purpose === purpose && !isRetired(key)).map((key) => `${did}#${key.id}`)
  const other = otherTlsMethod(facts)
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/jwk/v1'],
    id: did,
    verificationMethod: [...named.map((key) => methodOf(did, key, isRetired(key))), ...other],
    authentication: current('authentication'),
    assertionMethod: current('assertionMethod'),
    keyAgreement: [...current('keyAgreement'), ...current('hybridKeyAgreement')],
    service: [
      {
        id: `${did}#node`,
        type: nodeServiceType,
        serviceEndpoint: url,
        tlsKeys: [...other.map(({ id }) => id), ...current('tls')],
      },
      { id: `${did}#log`, type: 'ComityLog', serviceEndpoint: `${url}/log`, verifierKey: facts.logVerifierKey },
    ],
  }
}

function methodOf(did: string, key: NodeKey, retired: boolean): VerificationMethod {
  const publicKeyJwk = { ...publicJwkOf(key.jwk) }
  const method = { id: `${did}#${key.id}`, type: 'JsonWebKey', controller: did, publicKeyJwk }
  if (key.retiredAtMs === undefined) return method
  const expires = new Date(key.retiredAtMs).toISOString()
  return retired ? { ...method, expires, formerly: [key.purpose] } : { ...method, expires }
}

function otherTlsMethod({ did, otherTlsJwk }: OwnDocumentFacts): VerificationMethod[] {
  if (otherTlsJwk === undefined) return []
  return [{ id: `${did}#tls-certificate`, type: 'JsonWebKey', controller: did, publicKeyJwk: { ...otherTlsJwk } }]
}

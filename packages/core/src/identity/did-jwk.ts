/** The method did:jwk (https://github.com/quartzjer/did-jwk/blob/main/spec.md): base64url of a public JWK. Accepted
 *  from partners; a Comity node itself is a did:web or a did:key. */
import { decodeBase64url } from '../bytes/base64url.ts'
import { utf8Text } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'
import { parseDid } from './did.ts'
import type { DidDocument } from './did-document.ts'

const relationships = ['assertionMethod', 'authentication', 'capabilityInvocation', 'capabilityDelegation'] as const
/** Members of private and symmetric keys (RFC 7518 §6): they must never be in a name. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** The document of a did:jwk; the JWK stands in it as it was written. A key for encryption (`use: "enc"`) gets no
 *  relationship but `keyAgreement`. Throws `did-invalid` when the DID holds no JWK or a private one. */
export function didJwkDocument(did: string): DidDocument {
  const parsed = parseDid(did)
  if (parsed.method !== 'jwk') throw new Problem('did-invalid', `\`${did}\` is not a did:jwk`)
  const publicKeyJwk = parseJwk(parsed.id)
  const id = `${did}#0`
  const use = publicKeyJwk['use']
  const signing = use === 'enc' ? {} : Object.fromEntries(relationships.map((name) => [name, [id]]))
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/jws-2020/v1'],
    id: did,
    verificationMethod: [{ id, type: 'JsonWebKey2020', controller: did, publicKeyJwk }],
    ...signing,
    ...(use === 'sig' ? {} : { keyAgreement: [id] }),
  }
}

function parseJwk(encoded: string): Readonly<Record<string, unknown>> {
  const value = readJson(encoded)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('did-invalid', 'the did:jwk does not hold a JWK')
  }
  const jwk = value as Record<string, unknown>
  if (typeof jwk['kty'] !== 'string') throw new Problem('did-invalid', 'the JWK of the did:jwk has no `kty`')
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) {
    throw new Problem('did-invalid', 'the did:jwk holds a private key')
  }
  return jwk
}

function readJson(encoded: string): unknown {
  try {
    return JSON.parse(utf8Text(decodeBase64url(encoded)))
  } catch (cause) {
    throw new Problem('did-invalid', 'the did:jwk is not base64url of JSON', { cause })
  }
}

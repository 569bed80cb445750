/** The TLS keys that a participant names in its DID document, and the address of its node. */
import { withoutTrailing } from '@comity/core/bytes/without-trailing'
import { absoluteId, findService, methodById, publicKeyOf, type DidDocument } from '@comity/core/identity/did-document'
import { jwkFingerprint } from '../http/spki-fingerprint.ts'

/** The service that names a node: `{ type: 'ComityNode', serviceEndpoint: 'https://…', tlsKeys: ['<did>#tls-…'] }`. */
export const nodeServiceType = 'ComityNode'

/** Fingerprints (`sha256:…`) of the TLS keys under the node service; those that cannot be read are left out, so that
 *  a kind of key which this node does not know hurts nobody. */
export function tlsFingerprints(document: DidDocument): string[] {
  const ids = findService(document, nodeServiceType)?.['tlsKeys']
  if (!Array.isArray(ids)) return []
  return ids.slice(0, 16).flatMap((id: unknown) => {
    const fingerprint = typeof id === 'string' ? methodFingerprint(document, absoluteId(document, id)) : undefined
    return fingerprint === undefined ? [] : [fingerprint]
  })
}

/** Base URL of the node that the document names, without a trailing slash. */
export function nodeUrl(document: DidDocument): string | undefined {
  const endpoint = findService(document, nodeServiceType)?.serviceEndpoint
  const url = typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined
  return url?.protocol === 'https:' ? withoutTrailing(`${url.origin}${url.pathname}`, '/') : undefined
}

function methodFingerprint(document: DidDocument, id: string): string | undefined {
  const method = methodById(document, id)
  if (method?.controller !== document.id) return undefined
  try {
    return jwkFingerprint(method.publicKeyJwk ?? publicKeyOf(method))
  } catch {
    return undefined
  }
}

/** What is asked of the resolver here. */
interface Documents {
  resolveDocument(did: string): Promise<DidDocument>
  resolveWhere(did: string, holds: (document: DidDocument) => boolean): Promise<DidDocument | undefined>
}

/** Fingerprints of the TLS keys that belong to a participant. With `presented`, a document that does not name that key
 *  is fetched anew first, since the key may be the successor in a rotation. For a DID whose document is computed
 *  (did:key, did:jwk), the keys that were exchanged out of band: `agreed`. */
export async function participantTlsFingerprints(
  documents: Documents,
  did: string,
  { presented, agreed = [] }: { presented?: string | undefined; agreed?: readonly string[] | undefined },
): Promise<readonly string[]> {
  if (!did.startsWith('did:web:')) return agreed
  if (presented !== undefined) {
    const naming = await documents.resolveWhere(did, (document) => tlsFingerprints(document).includes(presented))
    if (naming !== undefined) return tlsFingerprints(naming)
  }
  return tlsFingerprints(await documents.resolveDocument(did))
}

/** Where DID documents come from: computed for did:key and did:jwk, fetched under a stated trust for did:web. */
import { didJwkDocument } from '@comity/core/identity/did-jwk'
import { didKeyDocument } from '@comity/core/identity/did-key'
import { didWebLocation } from '@comity/core/identity/did-web'
import { maxDidDocumentBytes, parseDidDocument, type DidDocument } from '@comity/core/identity/did-document'
import { parseDid } from '@comity/core/identity/did'
import { Problem } from '@comity/core/problems'
import type { PeerTrust } from '../http/connector.ts'
import { readJson, type GuardedFetch } from '../http/guarded-fetch.ts'

/** What this node was told about a participant beforehand. */
export interface ParticipantTrust {
  /** Base URL of its node; used for the document only together with fingerprints. */
  readonly url?: string | undefined
  /** TLS keys of its node, `sha256:…`. */
  readonly fingerprints?: readonly string[] | undefined
}

export interface DocumentSourceOptions {
  readonly fetch: GuardedFetch
  /** Undefined for a DID that is no partner. */
  readonly trustFor: (did: string) => ParticipantTrust | undefined
  /** Documents that need no fetching: the node's own. */
  readonly local?: ((did: string) => DidDocument | undefined) | undefined
  readonly timeoutMs?: number | undefined
  /** How many documents of DIDs that are no partners are fetched at once. Default 16. */
  readonly maxStrangers?: number | undefined
}

/** Loads the document of a DID. Throws `did-invalid` when the DID or its document cannot be used, and
 *  `did-unresolvable`, whose detail tells a stranger nothing about this node's network, when it cannot be had. */
export type DocumentSource = (did: string) => Promise<DidDocument>

/** A source of documents, without any memory. */
export function createDocumentSource(options: DocumentSourceOptions): DocumentSource {
  const { maxStrangers = 16 } = options
  let strangers = 0
  return async (did) => {
    const own = options.local?.(did)
    if (own !== undefined) return own
    const { method } = parseDid(did)
    if (method === 'key') return didKeyDocument(did)
    if (method === 'jwk') return didJwkDocument(did)
    const trust = options.trustFor(did)
    if (trust !== undefined) return fetchDocument(did, trust, options)
    // A flood of made-up names must not keep the documents of partners waiting.
    if (strangers >= maxStrangers) throw unresolvable(did, new Error('too many unknown DIDs are being resolved'))
    strangers += 1
    try {
      return await fetchDocument(did, {}, options)
    } finally {
      strangers -= 1
    }
  }
}

async function fetchDocument(
  did: string,
  participant: ParticipantTrust,
  { fetch, timeoutMs = 5000 }: DocumentSourceOptions,
): Promise<DidDocument> {
  const target = documentTarget(did, participant)
  const headers = { accept: 'application/did+json, application/json' }
  const value = await fetch({ ...target, headers, timeoutMs, maxBytes: maxDidDocumentBytes })
    .then(readJson)
    .catch((cause: unknown) => {
      throw unresolvable(did, cause)
    })
  return parseDidDocument(value, did)
}

/** INVARIANT: a document is believed because its host holds a key that was named out of band, or because a public
 *  authority vouches for the host that the DID itself names. Another host is only ever asked in the first case. */
function documentTarget(did: string, participant: ParticipantTrust): { url: string; trust: PeerTrust } {
  const { origin, path } = didWebLocation(did)
  const { fingerprints = [], url } = participant
  if (fingerprints.length === 0) return { url: `${origin}${path}`, trust: { publicAuthority: true } }
  const host = url === undefined ? origin : new URL(url).origin
  return { url: `${host}${path}`, trust: { fingerprints } }
}

function unresolvable(did: string, cause: unknown): Problem {
  return new Problem('did-unresolvable', `the document of \`${did}\` cannot be had`, { cause })
}

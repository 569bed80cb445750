/** Checks that others find this participant: its document at the place that the DID names, with the keys that the node
 *  has. What a partner in another network sees can differ: a firewall, another DNS. */
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { parseDidDocument, type DidDocument } from '@comity/core/identity/did-document'
import { didWebLocation } from '@comity/core/identity/did-web'
import type { PeerTrust } from '../http/connector.ts'
import { readJson } from '../http/guarded-fetch.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, codeOf, describeError, good, type Finding } from './finding.ts'

export interface OwnDidFacts extends Pick<DoctorOptions, 'config' | 'fetch' | 'running'> {
  /** The document that the node would publish now. */
  readonly document: DidDocument
  readonly fingerprint: string
}

const byAuthority: PeerTrust = { publicAuthority: true }

export async function checkOwnDid(facts: OwnDidFacts): Promise<Finding[]> {
  const { did } = facts.config.participant
  if (!did.startsWith('did:web:')) return [good('did', `${did} needs no resolving: it is its own key`)]
  const { origin, path } = didWebLocation(did)
  try {
    return [compare(facts, await fetchDocument(facts, origin + path, byAuthority), 'a public authority vouches for it')]
  } catch (error) {
    if (codeOf(error) !== 'tls-untrusted') return [unresolved(facts, origin, error)]
  }
  try {
    const pinned = { fingerprints: [facts.fingerprint] }
    const found = await fetchDocument(facts, origin + path, pinned)
    return [compare(facts, found, 'partners need the fingerprint, for no public authority vouches for the host')]
  } catch (error) {
    return [unresolved(facts, origin, error)]
  }
}

async function fetchDocument({ config, fetch }: OwnDidFacts, url: string, trust: PeerTrust): Promise<DidDocument> {
  return parseDidDocument(readJson(await fetch({ url, trust })), config.participant.did)
}

function compare({ document, running }: OwnDidFacts, found: DidDocument, trust: string): Finding {
  const differing = (
    ['verificationMethod', 'authentication', 'assertionMethod', 'keyAgreement', 'service'] as const
  ).filter((member) => canonicalJson(document[member] ?? []) !== canonicalJson(found[member] ?? []))
  if (differing.length === 0) return good('did', `resolves to this node's keys; ${trust}`)
  const detail = `the published document differs from this node's keys in ${differing.join(', ')}`
  const remedy =
    running === undefined
      ? 'another node, or an old copy, answers at that address: let it be this one'
      : 'a cache between the node and the world holds an old copy, or the keys changed: restart the node'
  return bad('did', detail, remedy)
}

function unresolved({ config, running }: OwnDidFacts, origin: string, error: unknown): Finding {
  const { did } = config.participant
  const code = codeOf(error)
  if (code === 'address-forbidden') {
    const detail = `${origin} is a private address, which this node may not call and partners may not either`
    return caution('did', detail, 'add the network to `network.allowPrivateAddresses` here and at the partners')
  }
  const detail = `\`${did}\` cannot be resolved: ${describeError(error)}`
  if (running === undefined && code === 'partner-unreachable') {
    return caution('did', detail, 'start the node, then run the doctor again')
  }
  const remedy =
    code === 'tls-untrusted'
      ? 'another program holds the address, or something before the node ends TLS: give it this node’s key'
      : `check DNS, firewall and forwarding: ${origin} must lead to the public listener`
  return bad('did', detail, remedy)
}

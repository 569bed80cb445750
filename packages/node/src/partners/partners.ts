/** The partners of this node: those of the configuration and those that were added while it runs, answered from
 *  memory since every exchange asks. */
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { parsePartner, peerTrust, type Partner, type PartnerInput } from './partner.ts'
import type { LearnedTlsKeys, PartnerStore, StoredPartner } from './partner-store.ts'
import type { PeerTrust } from '../http/connector.ts'

export interface Partners {
  find(aliasOrDid: string): Partner | undefined
  findByDid(did: string): Partner | undefined
  /** By alias. */
  list(): Partner[]
  /** Throws `malformed-request`, `already-exists`, `storage-failed`. */
  add(input: PartnerInput): Promise<Partner>
  /** Throws `partner-unknown`, `malformed-request` for a partner of the configuration, `storage-failed`. */
  remove(aliasOrDid: string): Promise<Partner>
  /** Where the partner's node is and which TLS keys it may hold; without keys a public authority must vouch for it.
   *  Undefined for a DID that is no partner. */
  trustFor(did: string): { readonly url: string; readonly fingerprints: readonly string[] } | undefined
  /** Why a TLS connection to this DID's node is believed. */
  peerTrustFor(did: string): PeerTrust
  /** Takes over the TLS keys that a partner's document names, so that the pins follow its rotations. True when the
   *  pins changed; connections that were opened under the old ones should then be dropped. */
  learnTlsKeys(did: string, named: readonly string[]): Promise<boolean>
}

export interface PartnersOptions {
  /** Wins over what is stored under the same alias or DID. */
  readonly configured: readonly PartnerInput[]
  readonly store: PartnerStore
  readonly clock: Clock
}

/** Loads the partners. Throws `malformed-request` or `already-exists` for a wrong configuration, `storage-failed`. */
export async function openPartners({ configured, store, clock }: PartnersOptions): Promise<Partners> {
  const index = createIndex()
  for (const input of configured) index.add({ ...parsePartner(input), source: 'configuration' })
  for (const stored of await store.list()) {
    if (index.known(stored) === undefined) index.add({ ...stored, source: 'storage' })
  }
  const learned = new Map((await store.listLearned()).map((keys) => [keys.did, keys]))
  const trustFor = (did: string) => {
    const partner = index.byDid(did)
    return partner === undefined ? undefined : { url: partner.url, fingerprints: pinsOf(partner, learned.get(did)) }
  }

  return {
    find: (aliasOrDid) => index.byAlias(aliasOrDid) ?? index.byDid(aliasOrDid),
    findByDid: index.byDid,
    list: index.list,
    async add(input) {
      const partner: Partner = { ...parsePartner(input), source: 'storage' }
      const known = index.known(partner)
      if (known !== undefined || !(await store.insert(partner, clock.now()))) throw alreadyExists(known ?? partner)
      index.add(partner)
      return partner
    },
    async remove(aliasOrDid) {
      const partner = index.byAlias(aliasOrDid) ?? index.byDid(aliasOrDid)
      if (partner === undefined) throw new Problem('partner-unknown', `\`${aliasOrDid}\` is not a partner`)
      if (partner.source === 'configuration') {
        throw new Problem('malformed-request', `\`${partner.alias}\` is declared in the configuration; remove it there`)
      }
      await store.remove(partner.did)
      index.remove(partner)
      learned.delete(partner.did)
      return partner
    },
    trustFor,
    peerTrustFor: (did) => peerTrust(trustFor(did)?.fingerprints ?? []),
    async learnTlsKeys(did, named) {
      const partner = index.byDid(did)
      if (partner === undefined) return false
      const keys = { did, agreed: partner.tlsFingerprints, named: [...new Set(named)].toSorted() }
      if (!isWorthLearning(keys, pinsOf(partner, learned.get(did)))) return false
      learned.set(did, keys)
      await store.saveLearned(keys, clock.now())
      return true
    },
  }
}

/** The pins in force: what the partner's document named last, as long as the agreed fingerprints are still those under
 *  which it was fetched. A new agreement out of band starts from itself. */
function pinsOf(partner: StoredPartner, learned: LearnedTlsKeys | undefined): readonly string[] {
  if (partner.tlsFingerprints.length === 0 || learned === undefined) return partner.tlsFingerprints
  return sameKeys(partner.tlsFingerprints, learned.agreed) ? learned.named : partner.tlsFingerprints
}

/** INVARIANT: pins only move to a set that shares a key with the one before, as every rotation with an overlap does.
 *  A document that names none of the trusted keys describes another server than the one that is talked to. */
function isWorthLearning(keys: LearnedTlsKeys, pins: readonly string[]): boolean {
  if (keys.agreed.length === 0 || sameKeys(keys.named, pins)) return false
  return keys.named.some((fingerprint) => pins.includes(fingerprint))
}

function sameKeys(left: readonly string[], right: readonly string[]): boolean {
  const [a, b] = [new Set(left), new Set(right)]
  return a.size === b.size && [...a].every((fingerprint) => b.has(fingerprint))
}

function createIndex() {
  const byAlias = new Map<string, Partner>()
  const byDid = new Map<string, Partner>()
  /** Who has the alias or the DID already. */
  const known = ({ alias, did }: StoredPartner) => byAlias.get(alias) ?? byDid.get(did)
  return {
    byAlias: (alias: string) => byAlias.get(alias),
    byDid: (did: string) => byDid.get(did),
    known,
    list: () => [...byAlias.values()].toSorted((a, b) => (a.alias < b.alias ? -1 : 1)),
    add(partner: Partner) {
      const other = known(partner)
      if (other !== undefined) throw alreadyExists(other)
      byAlias.set(partner.alias, partner)
      byDid.set(partner.did, partner)
    },
    remove(partner: Partner) {
      byAlias.delete(partner.alias)
      byDid.delete(partner.did)
    },
  }
}

function alreadyExists({ alias, did, source }: StoredPartner & Partial<Pick<Partner, 'source'>>): Problem {
  const change =
    source === 'configuration' ? 'change it in the configuration' : `\`comity partners remove ${alias}\` first`
  return new Problem(
    'already-exists',
    `\`${alias}\` is the partner \`${did}\` already; to trust it otherwise, ${change}`,
  )
}

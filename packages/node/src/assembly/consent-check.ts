/** The check of calls about people, on the consents that this node holds. */
import { createConsentCheck, type ConsentCheck } from '../consent/check/check-consent.ts'
import { createConsentStore } from '../consent/holder/consent-store-sql.ts'
import { createConsentUsesStore } from '../consent/check/uses-store-sql.ts'
import { createAddressGuard } from '../http/address-guard.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { nodeUrl } from '../identity/tls-keys.ts'
import { createStatusReader, type StatusReader } from '../status/status-reader.ts'
import type { Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'

/** Builds it; its memory of chains and counters is its own, so a node has one. */
export function openConsentCheck(foundation: Foundation, counterparts: Counterparts): ConsentCheck {
  const { config, database, identity, vault } = foundation
  const { resolver } = counterparts
  const store = createConsentStore(database)
  return createConsentCheck({
    did: identity.did,
    vault,
    resolveKey: async (keyid, purpose) => resolver.peek(keyid, purpose) ?? resolver.resolveKey(keyid, purpose),
    skewSeconds: config.limits.clockSkewSeconds,
    standing: (id) => store.find(id),
    mustStand: (terms) => store.mustStand(terms),
    async referenceOf(id) {
      const found = await store.find(id)
      return (found && found.reference !== '' && (await vault.unseal(found.reference))) || undefined
    },
    statuses: openStatusReader(foundation, counterparts),
    delegations: {
      list: (consent) => store.loadDelegates(consent),
      note: (link, nowMs) => store.insertDelegate({ ...link, firstSeenMs: nowMs, endedMs: undefined }),
    },
    uses: createConsentUsesStore(database),
  })
}

/** Reads the lists in which delegators say which of their delegations stand. */
function openStatusReader({ config, world, identity }: Foundation, { partners, resolver }: Counterparts): StatusReader {
  const guard = createAddressGuard({ allowPrivateAddresses: config.network.allowPrivateAddresses })
  const fetch = createGuardedFetch({ guard, clientCertificate: () => identity.tls() })
  return createStatusReader({
    async nodesOf(did) {
      const partner = partners.findByDid(did)
      const url = partner?.url ?? nodeUrl(await resolver.resolveDocument(did))
      return url === undefined ? [] : [url]
    },
    fetch: ({ issuer, ...request }) => fetch({ ...request, trust: partners.peerTrustFor(issuer) }),
    resolveKey: (keyid) => resolver.resolveKey(keyid, 'assertionMethod'),
    clock: world.clock,
    skewSeconds: config.limits.clockSkewSeconds,
  })
}

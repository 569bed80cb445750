/** `comity doctor`: everything that commonly keeps a node from working, checked one by one, nothing changed. */
import { publishedDocument } from '../assembly/sealing.ts'
import { parsePartner } from '../partners/partner.ts'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import { createAddressGuard } from '../http/address-guard.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import type { OwnIdentity } from '../identity/own-identity.ts'
import { checkAgreements } from './agreement-check.ts'
import { decideClock } from './clock-check.ts'
import { checkOwnDid } from './did-check.ts'
import type { DoctorOptions, PartnerFacts } from './doctor-options.ts'
import { good, type Finding } from './finding.ts'
import { checkLimits } from './limit-check.ts'
import { checkKeys } from './key-check.ts'
import { checkPartner } from './partner-check.ts'
import { checkPeople } from './people-check.ts'
import { checkPolicies } from './policy-check.ts'
import { checkPorts } from './port-check.ts'
import { checkProducts } from './product-check.ts'
import { checkStorage } from './storage-check.ts'
import { checkTls } from './tls-check.ts'
import { checkWebhooks } from './webhook-check.ts'

/** Makes all checks, those that wait for others at the same time. Throws nothing for what it finds. */
export async function examine(options: Omit<DoctorOptions, 'fetch'>): Promise<Finding[]> {
  const { config } = options
  const guard = createAddressGuard({ allowPrivateAddresses: config.network.allowPrivateAddresses })
  const given: DoctorOptions = { ...options, fetch: createGuardedFetch({ guard }) }
  const [ports, storage, keys, products, people, webhooks, policies, limits, partners] = await Promise.all([
    checkPorts(given),
    checkStorage(given),
    checkKeys(given),
    checkProducts(given),
    checkPeople(given),
    checkWebhooks(given),
    checkPolicies(given),
    checkLimits(given),
    Promise.all(partnersOf(given).map((partner) => checkPartner(given, partner))),
  ])
  const samples = partners.flatMap(({ clock }) => (clock === undefined ? [] : [clock]))
  return [
    ...decideClock(samples, config.limits.clockSkewSeconds),
    ...ports,
    ...storage,
    ...keys.findings,
    ...(keys.identity === undefined ? [] : await checkIdentity(given, keys.identity)),
    ...products,
    ...people,
    ...webhooks,
    ...policies,
    ...limits,
    ...partners.flatMap(({ findings }) => findings),
    ...checkAgreements(given.running),
  ]
}

/** Whether one partner's node can be reached from here, is trusted and can be identified. */
export async function examinePartner(
  { config, clock }: Pick<DoctorOptions, 'config' | 'clock'>,
  partner: PartnerFacts,
): Promise<Finding> {
  const guard = createAddressGuard({ allowPrivateAddresses: config.network.allowPrivateAddresses })
  // The key was told just now: no rotation can have been missed.
  const running = { ports: { public: 0, local: 0, admin: 0 }, partners: [partner], addedProducts: 0 }
  const checked = await checkPartner({ fetch: createGuardedFetch({ guard }), clock, running }, partner)
  return checked.findings[0] ?? good(`partner ${partner.alias}`, `reached at ${partner.url}`)
}

async function checkIdentity(options: DoctorOptions, identity: OwnIdentity): Promise<Finding[]> {
  const { config, clock, running } = options
  const certificate = identity.tls()
  const sealing = running?.sealing ?? config.products.flatMap((product) => product.sealing ?? [])
  const document = publishedDocument(identity.document(), sealing, config.sealing.algorithms)
  const { hostname } = new URL(config.listen.public.url)
  const tls = checkTls({ certificate, configured: config.listen.public.tls !== undefined, hostname, document, clock })
  // An unreadable certificate has no fingerprint, and was told.
  if (tls.some(({ check, outcome }) => check === 'tls' && outcome === 'bad')) return tls
  const fingerprint = spkiFingerprint(certificate.cert)
  return [...tls, ...(await checkOwnDid({ ...options, document, fingerprint }))]
}

/** Those of the running node, which include the configured ones; else those of the configuration. */
function partnersOf({ config, running }: DoctorOptions): readonly PartnerFacts[] {
  if (running !== undefined) return running.partners
  return config.partners.map((input) => {
    const { tlsFingerprints, ...partner } = parsePartner(input)
    return { ...partner, fingerprints: tlsFingerprints }
  })
}

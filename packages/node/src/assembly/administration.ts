/** The admin listener's handler, on the node's services. */
import { keyRotated } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import type { IncomingMessage } from 'node:http'
import type { NodeStatus } from '../admin/admin-api.ts'
import { createAdminHandler } from '../admin/admin-handler.ts'
import { isWeakToken, leastTokenLength, type TokenGateParts } from '../admin/token-gate.ts'
import { parseInput } from '../admin/input.ts'
import { createRepeatsStore } from '../admin/repeats-store-sql.ts'
import type { AdminChange, KeysPort, PartnersPort, ProductsPort } from '../admin/ports.ts'
import type { Reply } from '../http/problem-response.ts'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import type { NodeParts } from '../node.ts'
import { parsePartner } from '../partners/partner.ts'
import { productAdditionSchema, type ProductAddition } from '../products/product-config.ts'
import { apiKeyAdministration } from './api-key-administration.ts'
import { adminSchemas } from './admin-schemas.ts'
import { createFailureLimit } from './limits.ts'
import { clientWebhookAdministration } from './client-webhook-administration.ts'
import { consentAdministration } from './consent-administration.ts'
import { policyAdministration } from './policy-administration.ts'
import { replicaAdministration } from './replica-administration.ts'
import { usageAdministration } from './usage-administration.ts'

type Ports = NodeStatus['ports']

/** `ports` are read at each call, since those of the listeners are known only when all are open. */
export async function createAdmin(
  parts: NodeParts,
  ports: Ports,
): Promise<(message: IncomingMessage) => Promise<Reply>> {
  const { foundation, auditLog, gateway, counterparts, newId, state } = parts
  const { config, identity, metrics, events } = foundation
  const { admin } = config.listen
  metrics.gauge('log_entries', () => sizeOf(auditLog.checkpoint()))
  metrics.gauge('nonces', () => gateway.nonceCount())
  metrics.gauge('api_keys', () => parts.apiKeys.loaded?.counts().live ?? 0)
  metrics.gauge('key_rotations', () => parts.apiKeys.loaded?.counts().rotations ?? 0)
  metrics.gauge('duties_overdue', () => parts.consent.duties.countOverdue())
  const { policies } = parts
  metrics.gauge('policy_version', () => policies.loaded?.decider.version ?? 0)
  metrics.gauge('policy_decisions_remembered', () => policies.loaded?.decider.counts().remembered ?? 0)
  metrics.gauge('policy_decisions_reused', () => policies.loaded?.decider.counts().hits ?? 0)
  metrics.gauge('policy_decisions_made', () => policies.loaded?.decider.counts().misses ?? 0)
  metrics.gauge('rights_requests_overdue', () => parts.consent.rights.countOverdue())
  return createAdminHandler({
    ...(await tokenGateParts(parts)),
    trustedAuthorities: new Set(admin.allowInsecureRemote ? [`${admin.address}:${admin.port}`] : []),
    newId,
    randomBytes: foundation.world.randomBytes,
    repeats: createRepeatsStore(foundation.database),
    repeatsSecret: foundation.deriveSecret('admin-repeats'),
    isReady: () => state.ready,
    status: () => statusOf(parts, ports),
    metrics,
    did: identity.did,
    environment: foundation.config.environment,
    schemas: adminSchemas,
    partners: partnersPort(parts),
    products: productsPort(parts),
    agreements: counterparts.agreements,
    keys: keysPort(parts),
    apiKeys: apiKeyAdministration(parts),
    clientWebhooks: clientWebhookAdministration(parts),
    consent: consentAdministration(parts),
    policy: policyAdministration(parts),
    replicas: replicaAdministration(parts),
    checkpoint: () => auditLog.checkpoint(),
    quotas: { ...parts.quotas, counts: parts.limits.counts },
    usage: usageAdministration(parts),
    readEvents: (range) => auditLog.readEvents(range),
    listReceipts: (limit, beforeId) => gateway.exchanges.listWithReceipts(limit, beforeId),
    exportEvidence: parts.exportEvidence,
    recordChange: (change) => recordChange(parts, change),
    onInternalError: (error, requestId) => events.internalError(error, requestId),
    onUnusableAnswer: (error) => events.partnerUnusable(error),
  })
}

/** Throws `config-invalid` for a token that can be guessed, on a node that has not logged anything yet: one that ran with
 *  it goes on, and says so. */
async function tokenGateParts({ foundation, auditLog, gateway }: NodeParts): Promise<TokenGateParts> {
  const { config, events, world, metrics } = foundation
  const token = await foundation.readSecretValue(config.admin.token)
  if (isWeakToken(token)) {
    const detail = `the token of \`admin.token\` has less than ${leastTokenLength} characters, so that it can be guessed`
    if (sizeOf(auditLog.checkpoint()) === 0) throw new Problem('config-invalid', detail)
    events.adminTokenWeak()
  }
  const limit = createFailureLimit(config)
  return {
    token,
    clock: world.clock,
    failures: {
      spentFor: (address, nowMs) => limit.spentFor(address, 'admin', nowMs),
      failed: (address, nowMs) => limit.failed(address, 'admin', nowMs),
    },
    onRefused({ remoteAddress, isFlood }) {
      const code = isFlood ? 'rate-limited' : 'unauthorized'
      gateway.tally.count(code, remoteAddress)
      metrics.denial('admin', code)
      // A flood must not fill the log.
      if (!isFlood) events.adminRefused()
    },
  }
}

/** Second line of a checkpoint (c2sp.org/tlog-checkpoint). */
const sizeOf = (checkpoint: string): number => Number(checkpoint.split('\n')[1] ?? 0)

function statusOf(parts: NodeParts, ports: Ports): NodeStatus {
  const { foundation, auditLog, catalogue, counterparts } = parts
  const { config, identity, world } = foundation
  return {
    did: identity.did,
    name: config.participant.name,
    version: parts.version,
    url: config.listen.public.url,
    ready: parts.state.ready,
    uptimeMs: world.clock.now() - parts.startedAtMs,
    fingerprint: spkiFingerprint(identity.tls().cert),
    ports: { ...ports },
    log: { origin: auditLog.origin, verifierKey: auditLog.verifierKey, size: sizeOf(auditLog.checkpoint()) },
    counts: {
      partners: counterparts.partners.list().length,
      products: catalogue.list().length,
      agreements: counterparts.agreements.list().filter((agreement) => agreement.state === 'in-force').length,
    },
  }
}

function partnersPort({ foundation, counterparts, policies }: NodeParts): PartnersPort {
  const { events } = foundation
  const { partners, client, resolver } = counterparts
  return {
    list: () => partners.list(),
    find: (aliasOrDid) => partners.find(aliasOrDid),
    trustFor: (did) => partners.trustFor(did),
    parse: parsePartner,
    async add(input: Parameters<typeof partners.add>[0]) {
      const partner = await partners.add(input)
      // A document that was refused, or fetched under another trust, must not outlive this change.
      resolver.invalidate(partner.did)
      policies.forget()
      events.partnerAdded({ alias: partner.alias, did: partner.did })
      return partner
    },
    async remove(aliasOrDid) {
      const { alias, did } = await partners.remove(aliasOrDid)
      client.forget(did)
      resolver.invalidate(did)
      policies.forget()
      events.partnerRemoved({ alias })
    },
  }
}

function productsPort({ catalogue, policies, foundation: { events } }: NodeParts): ProductsPort {
  return {
    list: () => catalogue.list(),
    get: (id) => catalogue.get(id),
    parse: (input) => parseInput(productAdditionSchema, input),
    async add(request: ProductAddition) {
      const product = await catalogue.add(request)
      policies.forget()
      void product.warm().catch((error: unknown) => events.internalError(error))
      events.productAdded({ id: product.id, version: product.version })
      return product
    },
    async setLife(id, life) {
      const product = await catalogue.setLife(id, life)
      policies.forget()
      events.productLifeSet({ id: product.id, version: product.version })
      return product
    },
    async remove(id) {
      await catalogue.remove(id)
      policies.forget()
      events.productRemoved({ id })
    },
  }
}

function keysPort(parts: NodeParts): KeysPort {
  const { keysChanged, foundation } = parts
  const { identity, events } = foundation
  return {
    list: () => identity.keys(),
    async rotate(request) {
      const keys = await identity.rotate(request)
      for (const listener of keysChanged.listeners) listener()
      // The rotation stands; partners who are not told read the document by themselves, only later.
      await announceRotation(parts, request.purposes).catch((error: unknown) => events.storageFailed(error))
      return keys
    },
  }
}

/** Tells all partners to read the document again, so that they know a successor before they meet it. */
async function announceRotation({ counterparts, foundation }: NodeParts, purposes: readonly string[]): Promise<void> {
  const { partners, outbox } = counterparts
  const occurredMs = foundation.world.clock.now()
  const notices = partners
    .list()
    .map(({ did }) => outbox.statement({ recipient: did, type: keyRotated, payload: { purposes }, occurredMs }))
  if (notices.length === 0) return
  await foundation.database.execute(notices)
  outbox.wake()
}

async function recordChange({ auditLog, newId, foundation }: NodeParts, change: AdminChange): Promise<void> {
  const [id, timeMs] = [newId(), foundation.world.clock.now()]
  const body = JSON.stringify({ type: 'admin', id, time: timeMs, ...change })
  await auditLog.append(auditLog.prepare({ id, type: 'admin', timeMs, body }))
}

/** The gateway in both directions, on the parts that the node has. */
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '@comity/core/problems'
import { sealedLength } from '@comity/core/sealing/sealed-envelope'
import type { createConsentRoutes } from '../consent/holder/consent-routes.ts'
import { answerLogRequest } from '../audit-log/audit-log-routes.ts'
import type { AuditLog } from '../audit-log/audit-log.ts'
import { createExchangeStore, type ExchangeStore } from '../gateway/exchange-store.ts'
import { createInboundComposite } from '../gateway/composite/inbound-composite.ts'
import { createLocalHandler } from '../gateway/composite/outbound-composite.ts'
import { createInbound, type InboundParts } from '../gateway/inbound.ts'
import type { ClientOfGateway } from '../gateway/key-port.ts'
import { createRenewalRoute } from '../gateway/key-renewal-route.ts'
import { createIntentStore } from '../gateway/intent-store.ts'
import { createNonceStore } from '../gateway/nonce-store.ts'
import { createOutboundCall, type OutboundParts } from '../gateway/outbound/outbound.ts'
import type { IdentityPort, ObserverPort, OfferedProduct } from '../gateway/ports.ts'
import { answerProof } from '../gateway/proof-route.ts'
import { createReferenceStore } from '../gateway/references/reference-store.ts'
import { createExchangeRecorder } from '../gateway/record-exchange.ts'
import { closeOpenIntents, closeUnsettled, restoreNonces } from '../gateway/recovery.ts'
import { createRefusalTally, type RefusalTally } from '../gateway/refusal-tally.ts'
import { createSignedRoute } from '../gateway/signed-route.ts'
import { rememberClientKeys } from '../http/client-key.ts'
import { createBodyRoom, type BodyLimits } from '../http/body.ts'
import type { Reply } from '../http/problem-response.ts'
import { participantTlsFingerprints } from '../identity/tls-keys.ts'
import type { ProductCatalogue } from '../products/products.ts'
import { createPublicHandler } from '../public/public-routes.ts'
import type { Usage } from '../usage/usage.ts'
import type { ApiKeysOfNode } from './late-api-keys.ts'
import type { ConsentOfNode } from './late-consent.ts'
import type { PolicyOfNode } from './late-policy.ts'
import { linkOf, type Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'
import { openSealing, publishedDocument } from './sealing.ts'
import { createLimits, createRequestLimit } from './limits.ts'
import { quotaRoute } from './quota-route.ts'
import type { QuotasOfNode } from './quotas.ts'
import type { LimitsOfNode } from './open-limits.ts'
import { recoveryParts } from './recovery-parts.ts'

export interface GatewayParts {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly catalogue: ProductCatalogue
  readonly counterparts: Counterparts
  readonly consent: ConsentOfNode
  readonly policies: PolicyOfNode
  readonly limits: LimitsOfNode
  readonly quotas: Pick<QuotasOfNode, 'requests'>
  readonly usage: Pick<Usage, 'used'>
  readonly apiKeys: ApiKeysOfNode
  readonly newId: () => string
  readonly isReady: () => boolean
}

export interface Gateway {
  readonly handlePublic: (message: IncomingMessage) => Promise<Reply>
  readonly handleLocal: (message: IncomingMessage) => Promise<Reply>
  /** Whose calls come to the local listener, where they presented keys. */
  readonly localClients: WeakMap<IncomingMessage, ClientOfGateway>
  /** Calls partners as applications do. */
  readonly call: ReturnType<typeof createOutboundCall>
  readonly exchanges: ExchangeStore
  readonly tally: RefusalTally
  readonly nonceCount: () => number
  /** Closes what a crash left open and remembers recent nonces; to be done before the first call is taken. */
  recover(): Promise<void>
  /** Closes as unknown what ended while the storage took no record of it. Rejects while it still does not. */
  settle(): Promise<void>
  /** Drops ended intents whose idempotency keys have expired, and references that have. */
  prune(): Promise<void>
}

/** How long an idempotency key is remembered. */
const intentMemoryMs = 24 * 3_600_000
/** How long the row of an expired reference stays. */
const referenceMemoryMs = 3_600_000

function identityPort({ foundation: { identity }, counterparts: { resolver, partners } }: GatewayParts): IdentityPort {
  return {
    did: identity.did,
    authenticationKey: () => identity.authenticationKey(),
    assertionKey: () => identity.assertionKey(),
    peek: (keyid, purpose) => resolver.peek(keyid, purpose),
    resolveKey: (keyid, purpose, atMs) => resolver.resolveKey(keyid, purpose, atMs),
    tlsFingerprints: (did, presented) => {
      const agreed = partners.findByDid(did)?.tlsFingerprints
      return participantTlsFingerprints(resolver, did, { presented, agreed })
    },
  }
}

function observerPort({ events }: Foundation, usage: Pick<Usage, 'used'>): ObserverPort {
  return { counted: (call) => usage.used(call), exchange: events.exchange, internalError: events.internalError }
}

/** `host[:port]` of the public URL, and the address on this machine for health checks by hand. */
function ownAuthorities({ config }: Foundation): ReadonlySet<string> {
  return new Set([new URL(config.listen.public.url).host])
}

function inboundParts(parts: GatewayParts, exchanges: ExchangeStore): InboundParts {
  const { foundation, auditLog, catalogue, counterparts, newId } = parts
  const { config, world, database } = foundation
  const identity = identityPort(parts)
  const intents = createIntentStore(database, foundation.vault)
  const unsettled = new Set<string>()
  return {
    world,
    identity,
    partnerOf: (did) => counterparts.partners.findByDid(did),
    products: catalogue,
    agreements: counterparts.agreements,
    consents: parts.consent.check,
    policies: parts.policies,
    sealing: openSealing(foundation, counterparts),
    keyedHash: (text, did) => foundation.vault.keyedHash(text, did),
    limits: createLimits(config, (id) => catalogue.get(id), parts.limits.calls),
    nonces: createNonceStore(config.limits.nonces, config.limits.clockSkewSeconds),
    keys: parts.apiKeys.port,
    intents,
    references: createReferenceStore(database, foundation.vault),
    unsettled,
    underWay: { running: new Set(), resolving: new Set() },
    auditLog,
    exchanges,
    recorder: createExchangeRecorder({ auditLog, identity, vault: foundation.vault, intents, unsettled }),
    tally: createRefusalTally(world.clock.now()),
    observer: observerPort(foundation, parts.usage),
    tracer: foundation.tracer,
    clientKeyOf: rememberClientKeys(),
    newId,
    options: {
      authorities: ownAuthorities(foundation),
      origin: new URL(config.listen.public.url).origin,
      bodies: bodyLimits(catalogue),
      skewSeconds: config.limits.clockSkewSeconds,
      environment: config.environment,
    },
  }
}

/** What is read of a body before the product is known, at least. */
const defaultBodyBytes = 1024 * 1024
/** For all bodies that are on their way to the public listener. */
const bodyRoomBytes = 256 * 1024 * 1024

/** A body that may come sealed is longer on the wire. */
function longestBody({ requestBytes, sealing }: OfferedProduct): number {
  return sealing === undefined || sealing.requests === 'off' ? requestBytes : sealedLength(requestBytes)
}

/** Largest streamed answer of a partner that is passed on: no memory is taken for it. */
const streamedAnswerBytes = 2 ** 40
/** Largest one that is read whole, for an application that cannot take it as it comes. */
const heldStreamBytes = 64 * 1024 * 1024

/** Asked anew for each body: products come and go. */
function bodyLimits(catalogue: ProductCatalogue): Required<BodyLimits> {
  return {
    get bytes() {
      return Math.max(defaultBodyBytes, ...catalogue.list().map(({ product }) => longestBody(product)))
    },
    room: createBodyRoom(bodyRoomBytes),
  }
}

function outboundParts(parts: GatewayParts, inbound: InboundParts, clients: OutboundParts['clients']): OutboundParts {
  const { foundation, counterparts, newId } = parts
  const { config, world } = foundation
  const { local } = config.listen
  return {
    world,
    identity: inbound.identity,
    carrier: counterparts.client,
    sealing: inbound.sealing,
    sleep: (ms) => sleep(ms),
    agreements: counterparts.agreements,
    partners: {
      find: (aliasOrDid) => {
        const partner = counterparts.partners.find(aliasOrDid)
        return partner && linkOf(partner)
      },
    },
    consents: parts.consent.held.attach,
    recorder: inbound.recorder,
    tally: inbound.tally,
    observer: inbound.observer,
    tracer: foundation.tracer,
    clients,
    newId,
    options: {
      bodyBytes: 64 * 1024 * 1024,
      timeoutMs: config.network.timeoutMs,
      stream: { maxBytes: streamedAnswerBytes, idleMs: config.network.timeoutMs },
      heldStreamBytes,
      trustedAuthorities: new Set(local.allowInsecureRemote ? [`${local.address}:${local.port}`] : []),
    },
  }
}

function publicHandler(parts: GatewayParts, inbound: InboundParts, exchanges: ExchangeStore) {
  const { foundation, auditLog, catalogue, counterparts, newId, isReady } = parts
  return createPublicHandler({
    exchange: createInbound(inbound),
    composite: createInboundComposite(inbound),
    proof: createSignedRoute(inbound, answerProof(exchanges, auditLog)),
    didDocument: () =>
      publishedDocument(
        foundation.identity.document(),
        catalogue.list().flatMap(({ product }) => product.sealing ?? []),
        foundation.config.sealing.algorithms,
      ),
    receiveEvent: async (token) => {
      const answer = await counterparts.inbox.receive(token)
      return answer.status === 202 ? { accepted: true } : { accepted: false, ...answer.error }
    },
    log: async (path) => {
      const answer = await answerLogRequest(auditLog, path)
      return answer && { ...answer, headers: Object.entries(answer.headers).flat() }
    },
    consents: createSignedRoute(inbound, consentRoutes(parts, inbound)),
    renewal: createRenewalRoute(inbound),
    quotas: quotaRoute(parts.quotas, inbound),
    status: async (path) => {
      const { answerStatusRequest } = await import('../status/status-route.ts')
      return answerStatusRequest(parts.consent.statusLists, path)
    },
    isReady,
    bodyRoom: inbound.options.bodies.room,
    admit: (remoteAddress) => {
      const verdict = inbound.limits.admitAddress(remoteAddress, foundation.world.clock.now())
      if (verdict.admitted) return
      inbound.tally.count('rate-limited', remoteAddress)
      const { retryAfterSeconds } = verdict
      throw new Problem('rate-limited', 'too many requests from this address', { members: { retryAfterSeconds } })
    },
    newId,
  })
}

type ConsentRoutes = ReturnType<typeof createConsentRoutes>

/** The wire's addresses below `/consents/`, loaded when one is asked for. */
function consentRoutes({ consent, counterparts, foundation }: GatewayParts, { identity }: InboundParts): ConsentRoutes {
  const { config, world } = foundation
  const admit = createRequestLimit(config, (did) => counterparts.partners.findByDid(did) !== undefined)
  let routes: Promise<ConsentRoutes> | undefined
  const load = async (): Promise<ConsentRoutes> =>
    (await import('../consent/holder/consent-routes.ts')).createConsentRoutes({
      consents: consent.consents,
      tokenSources: consent.tokenSources,
      resolveKey: (keyid, purpose) => identity.resolveKey(keyid, purpose),
      admitRequest: (did) => admit(did, world.clock.now()),
    })
  return async (caller, call) => (await (routes ??= load()))(caller, call)
}

/** Builds both directions; nothing is listened to yet. */
export function createGateway(parts: GatewayParts): Gateway {
  const exchanges = createExchangeStore(parts.foundation.database, parts.foundation.vault)
  const inbound = inboundParts(parts, exchanges)
  const recovery = recoveryParts(parts, inbound)
  const localClients: Gateway['localClients'] = new WeakMap()
  const outbound = outboundParts(parts, inbound, localClients)
  let settling: Promise<void> | undefined
  return {
    handlePublic: publicHandler(parts, inbound, exchanges),
    handleLocal: createLocalHandler(outbound),
    localClients,
    call: createOutboundCall(outbound),
    exchanges,
    tally: inbound.tally,
    nonceCount: () => inbound.nonces.size,
    async recover() {
      await closeOpenIntents(recovery)
      await restoreNonces(recovery, parts.foundation.config.limits.clockSkewSeconds)
    },
    settle() {
      if (inbound.unsettled.size === 0) return Promise.resolve()
      settling ??= closeUnsettled(recovery, inbound.unsettled)
        .then(() => parts.counterparts.outbox.wake())
        .finally(() => (settling = undefined))
      return settling
    },
    async prune() {
      const { database, world } = parts.foundation
      const nowMs = world.clock.now()
      await database.execute([
        inbound.intents.prune(nowMs - intentMemoryMs),
        inbound.references.prune(nowMs - referenceMemoryMs),
      ])
    },
  }
}

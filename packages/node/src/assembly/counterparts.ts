/** Everything about the others: partners, their documents and keys, the connections to their nodes, what is agreed
 *  with them, and what is told to and by them. */
import {
  agreementTerminated,
  agreementTerminatedPayload,
  exchangeUnknown,
  exchangeUnknownPayload,
  keyRotated,
} from '@comity/core/events/event-types'
import { parseSecurityEvent } from '@comity/core/events/security-event'
import type { DidDocument } from '@comity/core/identity/did-document'
import { openAgreements, type Agreements } from '../agreements/agreements.ts'
import { createAgreementStore } from '../agreements/agreement-store-sql.ts'
import type { AuditLog } from '../audit-log/audit-log.ts'
import { readDeliveryAnswer, type Deliver } from '../events/delivery.ts'
import { createEventStore } from '../events/event-store-sql.ts'
import { createInbox, type EventHandler, type EventToLog, type Inbox } from '../events/inbox.ts'
import { Outbox } from '../events/outbox.ts'
import type { PartnerLink } from '../gateway/outbound/send-request.ts'
import { createAddressGuard } from '../http/address-guard.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { createPartnerClient, type PartnerClient } from '../http/partner-client.ts'
import { createDocumentSource } from '../identity/document-source.ts'
import { createIdentityResolver, type IdentityResolver } from '../identity/resolver.ts'
import { tlsFingerprints } from '../identity/tls-keys.ts'
import { createSqlPartnerStore } from '../partners/partner-store-sql.ts'
import { openPartners, type Partners } from '../partners/partners.ts'
import type { Partner } from '../partners/partner.ts'
import type { Statement } from '../storage/database.ts'
import type { Foundation } from './foundation.ts'

export interface Counterparts {
  readonly partners: Partners
  readonly resolver: IdentityResolver
  readonly client: PartnerClient
  readonly agreements: Agreements
  readonly outbox: Outbox
  readonly inbox: Inbox
  /** By event URI. Parts that are built later add theirs, before the first call is taken. */
  readonly handlers: Map<string, EventHandler>
  /** Called once what an event of another node brings about is written down. */
  readonly whenTaken: (() => void)[]
}

/** The partner as the carrier reaches it. */
export function linkOf({ alias, did, url, sealing }: Partner): PartnerLink {
  return { alias, did, authority: new URL(url).host, sealing }
}

/** How many connections are kept to one partner's node. */
const connectionsPerPartner = 64
/** Largest answer of a partner that is taken, in bytes. */
const answerBytes = 64 * 1024 * 1024
const deliveryTimeoutMs = 15_000

/** Resolver, client and partners know each other: documents are fetched under the trust in a partner, and teach the
 *  partner's next TLS keys. */
async function openNetwork({ config, world, database, identity, events }: Foundation) {
  const guard = createAddressGuard({ allowPrivateAddresses: config.network.allowPrivateAddresses })
  const clientCertificate = () => identity.tls()
  const configured = config.partners
  const partners = await openPartners({ configured, store: createSqlPartnerStore(database), clock: world.clock })
  const source = createDocumentSource({
    fetch: createGuardedFetch({ guard, clientCertificate }),
    trustFor: partners.trustFor,
    local: (did) => (did === identity.did ? identity.document() : undefined),
  })
  const resolver = createIdentityResolver({
    source,
    clock: world.clock,
    ttlMs: config.network.didCacheSeconds * 1_000,
    onDocument: (document) => {
      if (document.id === identity.did) return
      learn(document).catch((error: unknown) => events.storageFailed(error))
    },
  })
  const trustFor = partners.peerTrustFor
  const client = createPartnerClient({ guard, clientCertificate, trustFor, connectionsPerPartner, answerBytes })
  async function learn(document: DidDocument): Promise<void> {
    // Connections that were opened under the old pins are not kept.
    if (await partners.learnTlsKeys(document.id, tlsFingerprints(document))) client.forget(document.id)
  }
  return { partners, resolver, client }
}

function deliverer(partners: Partners, client: PartnerClient, { world, events }: Foundation): Deliver {
  return async (recipient, token, signal) => {
    const partner = partners.findByDid(recipient)
    if (partner === undefined) return { acknowledged: false, reason: 'the recipient is no partner any more' }
    const answer = await client.send(linkOf(partner), {
      method: 'POST',
      target: '/events',
      headers: ['content-type', 'application/secevent+jwt', 'accept', 'application/json'],
      body: Buffer.from(token),
      timeoutMs: deliveryTimeoutMs,
      signal,
    })
    const body = Buffer.from(answer.body.subarray(0, 4_096)).toString('utf8')
    const retryAfter = answer.headers.get('retry-after')
    const outcome = readDeliveryAnswer({ status: answer.status, retryAfter, body }, world.clock.now())
    const notice = { peer: recipient, ...namesOf(token) }
    if (outcome.acknowledged) events.noticeDelivered(notice)
    else events.noticeDelayed({ ...notice, reason: outcome.reason })
    return outcome
  }
}

/** Id and event URI of a token of our own. */
function namesOf(token: string): { readonly id: string; readonly type: string } {
  const { claims } = parseSecurityEvent(token)
  return { id: claims.jti, type: Object.keys(claims.events)[0] ?? '' }
}

/** What was just written down about agreements and notices, as the operator's events. */
function tellRecorded(
  { type, body, token = '' }: Pick<EventToLog, 'type' | 'body'> & Partial<EventToLog>,
  foundation: Foundation,
): void {
  const { events, identity } = foundation
  const facts = JSON.parse(body) as Readonly<Record<string, string>>
  if (type === 'agreement-imported') {
    events.agreementImported({ id: facts['agreement'] ?? '', peer: facts['peer'] ?? '' })
  } else if (type === 'agreement-terminated') {
    events.agreementTerminated({ id: facts['agreement'] ?? '', by: identity.did })
  } else if (type === 'event-received') {
    const { claims } = parseSecurityEvent(token)
    events.noticeReceived({ peer: claims.iss, ...namesOf(token) })
    const ended = agreementTerminatedPayload.safeParse(claims.events[agreementTerminated])
    if (ended.success) events.agreementTerminated({ id: ended.data.agreement, by: claims.iss })
  }
}

/** Opens them on the log, which records what is agreed and told. */
export async function openCounterparts(
  foundation: Foundation,
  { auditLog, newId }: { readonly auditLog: AuditLog; readonly newId: () => string },
  stack: AsyncDisposableStack,
): Promise<Counterparts> {
  const { world, database, identity, vault, events } = foundation
  const { partners, resolver, client } = await openNetwork(foundation)
  stack.use(client)
  const store = createEventStore(database)
  const outbox = stack.use(
    new Outbox({
      did: identity.did,
      store,
      vault,
      assertionKey: () => identity.assertionKey(),
      deliver: deliverer(partners, client, foundation),
      ...world,
      newId,
      onError: (error) => events.internalError(error),
    }),
  )
  const record = async (event: LoggedEvent, effects: readonly Statement[]): Promise<void> => {
    const { id, type, timeMs, body, subject } = event
    await auditLog.append(auditLog.prepare({ id, type, timeMs, body, subject }), effects)
    tellRecorded(event, foundation)
  }
  const agreements = await openAgreements({
    did: identity.did,
    store: createAgreementStore(database),
    clock: world.clock,
    newId,
    resolveKey: (keyid, purpose, atMs) => resolver.resolveKey(keyid, purpose, atMs),
    assertionKey: () => identity.assertionKey(),
    record,
    outbox,
  })
  const handlers = ownHandlers(foundation, { resolver, agreements })
  // Part of what an event brings about may be to tell others.
  const whenTaken = [() => outbox.wake()]
  const recordAndTell: typeof record = async (event, effects) => {
    await record(event, effects)
    for (const tell of whenTaken) tell()
  }
  const inbox = openInbox({ foundation, partners, resolver, handlers, store, newId, record: recordAndTell })
  return { partners, resolver, client, agreements, outbox, inbox, handlers, whenTaken }
}

/** Of events that were received the token, for who is told of them now. */
type LoggedEvent = Omit<EventToLog, 'token'> & { readonly token?: string }

interface InboxParts extends Pick<Counterparts, 'partners' | 'resolver' | 'handlers'> {
  readonly foundation: Foundation
  readonly store: ReturnType<typeof createEventStore>
  readonly newId: () => string
  readonly record: (event: LoggedEvent, effects: readonly Statement[]) => Promise<void>
}

function ownHandlers(
  { events }: Foundation,
  { resolver, agreements }: Pick<Counterparts, 'resolver' | 'agreements'>,
): Counterparts['handlers'] {
  return new Map<string, EventHandler>([
    [agreementTerminated, (event) => agreements.handleTermination(event)],
    [
      keyRotated,
      async ({ issuer }) => {
        resolver.invalidate(issuer)
        // Read at once: a successor of the TLS key must be learned while the old one is still in use.
        resolver.resolveDocument(issuer).catch(() => {})
        return []
      },
    ],
    [
      exchangeUnknown,
      async ({ issuer, payload }) => {
        const { exchange } = exchangeUnknownPayload.parse(payload)
        events.exchangeUnknown({ id: exchange, peer: issuer })
        return []
      },
    ],
  ])
}

function openInbox({ foundation, partners, resolver, handlers, store, newId, record }: InboxParts): Inbox {
  const { identity, world } = foundation
  return createInbox({
    did: identity.did,
    store,
    clock: world.clock,
    newId,
    resolveKey: (keyid, purpose) => resolver.resolveKey(keyid, purpose),
    acceptsIssuer: (did) => partners.findByDid(did) !== undefined,
    handlers,
    record,
  })
}

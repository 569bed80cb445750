/** Tells the holder's own systems, and clients about themselves, what happened (Standard Webhooks 1.0), until they take
 *  it. A message enters the outbox in the transaction that makes it true; tries go on across restarts; order is not
 *  promised. A client that does not answer holds up no system of the operator's. */
import type { ClientEventType } from '@comity/core/events/client-events'
import { Problem } from '@comity/core/problems'
import type { RandomBytes } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import { Redelivery, type DeliveryFailure, type DeliveryOutcome, type RedeliveryParts } from '../storage/redelivery.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import { endpointName, idInEndpoint, type ClientWebhook } from './client-webhook.ts'
import { isNamedBy, shownAddress } from './shown-address.ts'
import type { WebhookEventType } from './webhook-config.ts'
import {
  receiverNames,
  receiverOf,
  sendTest,
  sendTo,
  type ReceiverParts,
  type TestedWebhook,
} from './webhook-receivers.ts'
import type { WebhookEntry, WebhookState, WebhookStore } from './webhook-store.ts'

export interface WebhooksParts extends ReceiverParts {
  readonly store: WebhookStore
  readonly vault: Pick<SubjectVault, 'unseal'>
  readonly randomBytes: RandomBytes
  readonly onDelivered: (message: WebhookNotice) => void
  readonly onDelayed: (message: WebhookNotice & { readonly reason: string }) => void
  /** Told of a message that is not tried any more. */
  readonly onDead: (message: WebhookNotice & { readonly reason: string }) => void
  /** Told of what went wrong on this node's side; the outbox goes on. */
  readonly onError: (error: unknown) => void
}

/** What may be told of a message: nothing of its payload. */
export interface WebhookNotice {
  readonly id: string
  readonly type: string
  /** Origin of the endpoint. */
  readonly endpoint: string
  /** Whose webhook it is; undefined for an own system. */
  readonly client?: string
}

export interface WebhookEvent {
  readonly type: WebhookEventType
  /** `data` of the message. */
  readonly payload: Readonly<Record<string, unknown>>
  /** SQL condition: nobody is told where it does not hold when the message is written. */
  readonly condition?: Statement
}

/** What one client is told. */
export interface ClientEvent extends Omit<WebhookEvent, 'type'> {
  readonly type: ClientEventType
  /** Id. */
  readonly client: string
}

export interface Webhooks extends AsyncDisposable {
  /** True when some system is told of this. */
  hasListener(type: WebhookEventType): boolean
  /** Statements that put the event into the outbox together with what it reports; none when nobody is told of it. Give
   *  the key of the subject that the payload is about: it is stored sealed. Call `wake` when that is durable. */
  statement(event: WebhookEvent, subject?: Pick<SubjectKey, 'seal'>): Statement[]
  /** True when a webhook of some client is told of this. */
  hasClientListener(type: ClientEventType): boolean
  /** The same for the webhooks of one client, with a payload that is about it alone. */
  clientStatement(event: ClientEvent): Statement[]
  /** Starts the deliveries, or looks at once for what has just been written. */
  wake(): void
  /** Resolves when everything that is due was tried once. */
  settled(): Promise<void>
  /** The outbox, messages on their way first, then dead letters. */
  list(limit?: number): Promise<ListedWebhook[]>
  /** Sends now what waits for its next try, and dead letters again. Gives how many there were. */
  replay(which: ReplayOrder): Promise<number>
  /** Sends a test message to the own systems that are named so, as `isNamedBy` says. Throws `webhook-unknown` when there
   *  is none. */
  testOwn(address: string): Promise<readonly TestedWebhook[]>
  /** The same to a webhook of a client. */
  testOfClient(webhook: ClientWebhook): Promise<TestedWebhook>
  /** Forgets what ended or died more than 30 days ago. */
  prune(): Promise<void>
}

/** Each narrows the ones before. */
export interface ReplayOrder {
  readonly id?: string | undefined
  readonly state?: WebhookState | undefined
  /** As `isNamedBy` says. */
  readonly address?: string | undefined
}

export interface ListedWebhook extends WebhookEntry {
  /** Of the endpoint, as it is shown. */
  readonly address: string
  /** Whose webhook it goes to; undefined for an own system, and for a webhook that is gone. */
  readonly client: string | undefined
  readonly isOfClient: boolean
}

const maxMessagesInTurn = 50
const keepEndedMs = 30 * 86_400_000
const goneReason = 'status 410'
const unconfigured = 'the endpoint is no longer configured'
const sealedPrefix = 'sealed:'
/** Clients that are told at the same time. */
const maxClientsAtOnce = 16
/** Of those that have something due: many may be slow ones that had their turn. */
const maxClientsLookedAt = 1_000

/** The outbox of one node. */
export function createWebhooks(parts: WebhooksParts): Webhooks {
  return new WebhookOutbox(parts)
}

class WebhookOutbox implements Webhooks {
  readonly #parts: WebhooksParts
  readonly #deliveries: readonly Redelivery<WebhookEntry>[]

  constructor(parts: WebhooksParts) {
    this.#parts = parts
    this.#deliveries = [ownSystems(parts), clientsOf(parts)].map((receivers) => new Redelivery(receivers))
  }

  hasListener(type: WebhookEventType): boolean {
    return this.#parts.endpoints.some(({ events }) => events.includes(type))
  }

  hasClientListener(type: ClientEventType): boolean {
    return this.#parts.clients.told(undefined, type).length > 0
  }

  statement(event: WebhookEvent, subject?: Pick<SubjectKey, 'seal'>): Statement[] {
    const told = this.#parts.endpoints.filter(({ events }) => events.includes(event.type))
    return this.#insert(
      event,
      told.map(({ url }) => url),
      subject,
    )
  }

  clientStatement(event: ClientEvent): Statement[] {
    return this.#insert(event, this.#parts.clients.told(event.client, event.type))
  }

  #insert(
    { type, payload, condition }: Omit<WebhookEvent, 'type'> & { readonly type: string },
    told: readonly string[],
    subject?: Pick<SubjectKey, 'seal'>,
  ): Statement[] {
    if (told.length === 0) return []
    const { store, clock, newId } = this.#parts
    const occurredMs = clock.now()
    const text = JSON.stringify({ type, timestamp: new Date(occurredMs).toISOString(), data: payload })
    const id = newId()
    const kept = subject === undefined ? text : subject.seal(text)
    return told.map((endpoint) => store.insert({ id, endpoint, type, occurredMs, payload: kept }, condition))
  }

  wake(): void {
    for (const deliveries of this.#deliveries) deliveries.wake()
  }

  async settled(): Promise<void> {
    await Promise.all(this.#deliveries.map((deliveries) => deliveries.settled()))
  }

  async list(limit = 100): Promise<ListedWebhook[]> {
    const { store, clients } = this.#parts
    return (await store.list(limit)).map((entry) => {
      const isOfClient = idInEndpoint(entry.endpoint) !== undefined
      const webhook = isOfClient ? clients.find(entry.endpoint) : undefined
      return { ...entry, address: shownAddress(webhook?.url ?? entry.endpoint), client: webhook?.client, isOfClient }
    })
  }

  async replay({ id, state, address }: ReplayOrder): Promise<number> {
    const { store, clock } = this.#parts
    const meant = receiverNames(this.#parts).filter(({ url }) => address === undefined || isNamedBy(url, address))
    if (address !== undefined && meant.length === 0) throw unknownAddress()
    const counts = meant.map(({ name }) => store.resend({ id, state, endpoint: name }, clock.now()))
    const count = (await Promise.all(counts)).reduce((sum, each) => sum + each, 0)
    this.wake()
    return count
  }

  async testOwn(address: string): Promise<readonly TestedWebhook[]> {
    const meant = this.#parts.endpoints.filter(({ url }) => isNamedBy(url, address))
    if (meant.length === 0) throw unknownAddress()
    return Promise.all(meant.map((endpoint) => sendTest(this.#parts, endpoint)))
  }

  async testOfClient(webhook: ClientWebhook): Promise<TestedWebhook> {
    const receiver = receiverOf(this.#parts, endpointName(webhook))
    if (receiver === undefined) throw new Problem('client-webhook-unknown', 'the client has no such webhook')
    return sendTest(this.#parts, receiver, webhook)
  }

  async prune(): Promise<void> {
    const { store, clients, clock } = this.#parts
    await store.prune(clock.now() - keepEndedMs)
    await clients.prune()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#deliveries.map((deliveries) => deliveries[Symbol.asyncDispose]()))
  }
}

type Receivers = RedeliveryParts<WebhookEntry>

function ownSystems(parts: WebhooksParts): Receivers {
  const { endpoints, store } = parts
  const urls = [...new Set(endpoints.map(({ url }) => url))]
  let isTidied = false
  return {
    ...deliveryOf(parts),
    maxAtOnce: urls.length,
    async findReceivers() {
      if (!isTidied) await store.giveUpOthers(urls, unconfigured)
      isTidied = true
      return urls
    },
  }
}

function clientsOf(parts: WebhooksParts): Receivers {
  return {
    ...deliveryOf(parts),
    maxAtOnce: maxClientsAtOnce,
    findReceivers: (nowMs) => parts.store.findClientsDue(nowMs, maxClientsLookedAt),
  }
}

function deliveryOf(parts: WebhooksParts): Omit<Receivers, 'maxAtOnce' | 'findReceivers'> {
  const { store, clock, randomBytes, onError } = parts
  return {
    clock,
    randomBytes,
    onError,
    nextDueMs: (afterMs) => store.nextDueMs(afterMs),
    findDue: (endpoint, nowMs) => store.findDue(endpoint, nowMs, maxMessagesInTurn),
    attempt: (entry) => attempt(parts, entry),
    saveFailed: (entry, failure) => saveFailed(parts, entry, failure),
    postpone: (endpoint, untilMs) => store.postpone(endpoint, untilMs),
  }
}

/** Undefined when there is nothing left to send: the subject was erased. */
async function attempt(parts: WebhooksParts, entry: WebhookEntry): Promise<DeliveryOutcome | undefined> {
  const { store, vault, clock, onDelivered } = parts
  const receiver = receiverOf(parts, entry.endpoint)
  const kept = entry.payload ?? ''
  const body = kept.startsWith(sealedPrefix) ? await vault.unseal(kept) : kept
  if (body === undefined || receiver === undefined) {
    await store.saveGivenUp(entry, receiver === undefined ? unconfigured : 'the person was erased')
    return undefined
  }
  const outcome = await sendTo(parts, receiver, { id: entry.id, body })
  if (outcome.acknowledged) {
    await store.saveDelivered(entry, clock.now())
    onDelivered(noticeOf(parts, entry))
  }
  return outcome
}

/** Gone (410) is the receiver's last word. Else it is tried for as long as the operator said, the last time when that is
 *  over; and twice at least: the receiver may have put off everything for longer, on account of another message too. */
async function saveFailed(parts: WebhooksParts, entry: WebhookEntry, failure: DeliveryFailure): Promise<void> {
  const { store, clock, onDelayed, onDead } = parts
  const { attempts, error } = failure
  const hours = receiverOf(parts, entry.endpoint)?.giveUpAfterHours ?? 0
  const notice = { ...noticeOf(parts, entry), reason: error }
  const isOver = clock.now() >= entry.waitingSinceMs + hours * 3_600_000 && attempts > 1
  if (error !== goneReason && !isOver) {
    await store.saveFailed(entry, failure)
    return onDelayed(notice)
  }
  await store.saveDead(entry, { attempts, error, atMs: clock.now() })
  onDead(notice)
}

/** The address without path and query, which may hold a key of the operator's. */
function noticeOf({ clients }: WebhooksParts, { id, type, endpoint }: WebhookEntry): WebhookNotice {
  const client = clients.find(endpoint)?.client
  return { id, type, endpoint: new URL(endpoint).origin, ...(client !== undefined && { client }) }
}

const unknownAddress = () => new Problem('webhook-unknown', 'no system that is configured has this address')

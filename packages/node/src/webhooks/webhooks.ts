/** Tells the holder's own systems what happened (Standard Webhooks 1.0), until they take it. A message enters the
 *  outbox in the transaction that makes it true; tries go on across restarts; order is not promised. */
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import { Redelivery, type DeliveryFailure, type DeliveryOutcome } from '../storage/redelivery.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { WebhookEventType } from './webhook-config.ts'
import type { DeliverWebhook } from './webhook-delivery.ts'
import { webhookHeaders, type WebhookSigner } from './webhook-signature.ts'
import type { WebhookEntry, WebhookStore } from './webhook-store.ts'

/** One system that is told. */
export interface WebhookEndpoint {
  readonly url: string
  readonly signers: readonly WebhookSigner[]
  readonly events: readonly WebhookEventType[]
  readonly fingerprints: readonly string[]
  readonly timeoutMs: number
  /** How long a message is tried; the last try comes after that. */
  readonly giveUpAfterHours: number
}

export interface WebhooksParts {
  readonly endpoints: readonly WebhookEndpoint[]
  readonly store: WebhookStore
  readonly vault: Pick<SubjectVault, 'unseal'>
  readonly deliver: DeliverWebhook
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly newId: () => string
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
}

export interface WebhookEvent {
  readonly type: WebhookEventType
  /** `data` of the message. */
  readonly payload: Readonly<Record<string, unknown>>
  /** SQL condition: nobody is told where it does not hold when the message is written. */
  readonly condition?: Statement
}

export interface Webhooks extends AsyncDisposable {
  /** True when some system is told of this. */
  hasListener(type: WebhookEventType): boolean
  /** Statements that put the event into the outbox together with what it reports; none when nobody is told of it. Give
   *  the key of the subject that the payload is about: it is stored sealed. Call `wake` when that is durable. */
  statement(event: WebhookEvent, subject?: Pick<SubjectKey, 'seal'>): Statement[]
  /** Starts the deliveries, or looks at once for what has just been written. */
  wake(): void
  /** Resolves when everything that is due was tried once. */
  settled(): Promise<void>
  /** The outbox, messages on their way first, then dead letters. */
  list(limit?: number): Promise<WebhookEntry[]>
  /** Sends dead letters again, of one message or all, of the endpoints of one origin or of all. Gives how many there
   *  were. */
  replay(which: { readonly id?: string | undefined; readonly origin?: string | undefined }): Promise<number>
  /** Forgets what ended or died more than 30 days ago. */
  prune(): Promise<void>
}

const maxMessagesInTurn = 50
const keepEndedMs = 30 * 86_400_000
const goneReason = 'status 410'
const unconfigured = 'the endpoint is no longer configured'
const sealedPrefix = 'sealed:'

/** The outbox of one node. */
export function createWebhooks(parts: WebhooksParts): Webhooks {
  return new WebhookOutbox(parts)
}

class WebhookOutbox implements Webhooks {
  readonly #parts: WebhooksParts
  readonly #deliveries: Redelivery<WebhookEntry>

  constructor(parts: WebhooksParts) {
    this.#parts = parts
    this.#deliveries = new Redelivery(redeliveryOf(parts))
  }

  hasListener(type: WebhookEventType): boolean {
    return this.#parts.endpoints.some(({ events }) => events.includes(type))
  }

  statement({ type, payload, condition }: WebhookEvent, subject?: Pick<SubjectKey, 'seal'>): Statement[] {
    const { endpoints, store, clock, newId } = this.#parts
    const told = endpoints.filter(({ events }) => events.includes(type))
    if (told.length === 0) return []
    const occurredMs = clock.now()
    const text = JSON.stringify({ type, timestamp: new Date(occurredMs).toISOString(), data: payload })
    const id = newId()
    const kept = subject === undefined ? text : subject.seal(text)
    return told.map(({ url }) => store.insert({ id, endpoint: url, type, occurredMs, payload: kept }, condition))
  }

  wake(): void {
    this.#deliveries.wake()
  }

  settled(): Promise<void> {
    return this.#deliveries.settled()
  }

  list(limit = 100): Promise<WebhookEntry[]> {
    return this.#parts.store.list(limit)
  }

  async replay({ id, origin }: { id?: string; origin?: string }): Promise<number> {
    const { endpoints, store, clock } = this.#parts
    const urls = endpoints.map(({ url }) => url).filter((url) => origin === undefined || new URL(url).origin === origin)
    const counts = await Promise.all(urls.map((endpoint) => store.revive({ id, endpoint }, clock.now())))
    this.wake()
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async prune(): Promise<void> {
    await this.#parts.store.prune(this.#parts.clock.now() - keepEndedMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#deliveries[Symbol.asyncDispose]()
  }
}

function redeliveryOf(parts: WebhooksParts): ConstructorParameters<typeof Redelivery<WebhookEntry>>[0] {
  const { endpoints, store, clock, randomBytes, onError } = parts
  const urls = [...new Set(endpoints.map(({ url }) => url))]
  let isTidied = false
  return {
    clock,
    randomBytes,
    onError,
    maxAtOnce: urls.length,
    async findReceivers() {
      if (!isTidied) await store.giveUpOthers(urls, unconfigured)
      isTidied = true
      return urls
    },
    nextDueMs: (afterMs) => store.nextDueMs(afterMs),
    findDue: (url, nowMs) => store.findDue(url, nowMs, maxMessagesInTurn),
    attempt: (entry) => attempt(parts, entry),
    saveFailed: (entry, failure) => saveFailed(parts, entry, failure),
    postpone: (url, untilMs) => store.postpone(url, untilMs),
  }
}

/** Undefined when there is nothing left to send: the subject was erased. */
async function attempt(parts: WebhooksParts, entry: WebhookEntry): Promise<DeliveryOutcome | undefined> {
  const { endpoints, store, vault, deliver, clock, onDelivered } = parts
  const endpoint = endpoints.find(({ url }) => url === entry.endpoint)
  const kept = entry.payload ?? ''
  const body = kept.startsWith(sealedPrefix) ? await vault.unseal(kept) : kept
  if (body === undefined || endpoint === undefined) {
    await store.saveGivenUp(entry, endpoint === undefined ? unconfigured : 'the person was erased')
    return undefined
  }
  const message = { id: entry.id, timestamp: Math.floor(clock.now() / 1000), body }
  const headers = { ...webhookHeaders(message, endpoint.signers), 'content-type': 'application/json' }
  const { url, fingerprints, timeoutMs } = endpoint
  const outcome = await deliver({ url, fingerprints, headers, body, timeoutMs })
  if (outcome.acknowledged) {
    await store.saveDelivered(entry, clock.now())
    onDelivered(noticeOf(entry))
  }
  return outcome
}

/** Gone (410) is the receiver's last word. Else it is tried for as long as the operator said, the last time when that is
 *  over; and twice at least: the receiver may have put off everything for longer, on account of another message too. */
async function saveFailed(parts: WebhooksParts, entry: WebhookEntry, failure: DeliveryFailure): Promise<void> {
  const { endpoints, store, clock, onDelayed, onDead } = parts
  const { attempts, error } = failure
  const hours = endpoints.find(({ url }) => url === entry.endpoint)?.giveUpAfterHours ?? 0
  const notice = { ...noticeOf(entry), reason: error }
  const isOver = clock.now() >= entry.waitingSinceMs + hours * 3_600_000 && attempts > 1
  if (error !== goneReason && !isOver) {
    await store.saveFailed(entry, failure)
    return onDelayed(notice)
  }
  await store.saveDead(entry, { attempts, error, atMs: clock.now() })
  onDead(notice)
}

/** The address without path and query, which may hold a key of the operator's. */
function noticeOf({ id, type, endpoint }: WebhookEntry): WebhookNotice {
  return { id, type, endpoint: new URL(endpoint).origin }
}

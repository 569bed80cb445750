/** Tells the holder's own systems what happened (Standard Webhooks 1.0), until they take it. A message enters the
 *  outbox in the transaction that makes it true; tries go on across restarts; order is not promised. */
import { redeliveryDelayMs } from '@comity/core/events/redelivery'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { WebhookEventType } from './webhook-config.ts'
import type { DeliverWebhook, WebhookOutcome } from './webhook-delivery.ts'
import { webhookHeaders, type WebhookSigner } from './webhook-signature.ts'
import type { WebhookEntry, WebhookStore } from './webhook-store.ts'

/** One system that is told. */
export interface WebhookEndpoint {
  readonly url: string
  readonly signers: readonly WebhookSigner[]
  readonly events: readonly WebhookEventType[]
  readonly fingerprints: readonly string[]
  readonly timeoutMs: number
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
  /** The outbox, messages on their way first. */
  list(limit?: number): Promise<WebhookEntry[]>
  /** Forgets what ended more than 30 days ago. */
  prune(): Promise<void>
}

const maxMessagesInTurn = 50
/** The clock may be set: never sleep longer than this. */
const maxSleepMs = 60_000
const pauseAfterErrorMs = 5_000
const keepEndedMs = 30 * 86_400_000
const unconfigured = 'the endpoint is no longer configured'
const sealedPrefix = 'sealed:'

/** The outbox of one node. */
export function createWebhooks(parts: WebhooksParts): Webhooks {
  return new WebhookOutbox(parts)
}

class WebhookOutbox implements Webhooks {
  readonly #parts: WebhooksParts
  readonly #stopping = new AbortController()
  /** Deliveries under way, by endpoint: a slow one holds up no other. */
  readonly #deliveries = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isWoken = false
  #isTidied = false

  constructor(parts: WebhooksParts) {
    this.#parts = parts
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
    if (this.#stopping.signal.aborted) return
    this.#isWoken = true
    this.#looking ??= this.#look()
  }

  async settled(): Promise<void> {
    while (this.#looking !== undefined || this.#deliveries.size > 0) {
      await Promise.all([this.#looking, ...this.#deliveries.values()])
    }
  }

  list(limit = 100): Promise<WebhookEntry[]> {
    return this.#parts.store.list(limit)
  }

  async prune(): Promise<void> {
    await this.#parts.store.prune(this.#parts.clock.now() - keepEndedMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.settled()
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#isWoken && !this.#stopping.signal.aborted) {
      this.#isWoken = false
      try {
        await this.#startDeliveries()
      } catch (error) {
        this.#fail(error)
      }
    }
    this.#looking = undefined
  }

  async #startDeliveries(): Promise<void> {
    const { store, clock, endpoints } = this.#parts
    const urls = [...new Set(endpoints.map(({ url }) => url))]
    if (!this.#isTidied) await store.giveUpOthers(urls, unconfigured)
    this.#isTidied = true
    const nowMs = clock.now()
    for (const endpoint of endpoints) {
      if (!this.#deliveries.has(endpoint.url)) this.#deliveries.set(endpoint.url, this.#serve(endpoint))
    }
    const dueMs = await store.nextDueMs(nowMs)
    if (dueMs !== undefined) this.#wakeIn(Math.min(maxSleepMs, Math.max(0, dueMs - nowMs)))
  }

  async #serve(endpoint: WebhookEndpoint): Promise<void> {
    try {
      const isMore = await this.#deliverTo(endpoint)
      this.#deliveries.delete(endpoint.url)
      if (isMore) this.wake()
    } catch (error) {
      this.#deliveries.delete(endpoint.url)
      this.#fail(error)
    }
  }

  /** After a failure the rest waits too: the system is most likely away. A refusal is about one message only. Gives
   *  true when something was tried, so that it is worth to look again. */
  async #deliverTo(endpoint: WebhookEndpoint): Promise<boolean> {
    const { store, clock } = this.#parts
    const due = await store.findDue(endpoint.url, clock.now(), maxMessagesInTurn)
    for (const entry of due) {
      if (this.#stopping.signal.aborted) return false
      const outcome = await this.#try(entry, endpoint)
      if (outcome === undefined) continue
      if (outcome.delivered) {
        await store.saveDelivered(entry, clock.now())
        this.#parts.onDelivered(noticeOf(entry))
        continue
      }
      const nextAttemptMs = await this.#putOff(entry, outcome)
      if (outcome.isRefused) continue
      await store.postpone(endpoint.url, nextAttemptMs)
      break
    }
    return due.length > 0
  }

  /** Undefined when there is nothing left to send: the subject was erased. */
  async #try(entry: WebhookEntry, endpoint: WebhookEndpoint): Promise<WebhookOutcome | undefined> {
    const { store, vault, deliver, clock } = this.#parts
    const kept = entry.payload ?? ''
    const body = kept.startsWith(sealedPrefix) ? await vault.unseal(kept) : kept
    if (body === undefined) {
      await store.saveGivenUp(entry, 'the person was erased')
      return undefined
    }
    const message = { id: entry.id, timestamp: Math.floor(clock.now() / 1000), body }
    const headers = { ...webhookHeaders(message, endpoint.signers), 'content-type': 'application/json' }
    const { url, fingerprints, timeoutMs } = endpoint
    return deliver({ url, fingerprints, headers, body, timeoutMs })
  }

  async #putOff(entry: WebhookEntry, outcome: WebhookOutcome & { delivered: false }): Promise<number> {
    const { store, clock, randomBytes, onDelayed } = this.#parts
    const attempts = entry.attempts + 1
    const { reason, isRefused } = outcome
    const retryAfterMs = secondsAsMs(outcome.retryAfter)
    const nextAttemptMs =
      clock.now() + redeliveryDelayMs({ attempts, retryAfterMs, isRefused }, randomFraction(randomBytes))
    await store.saveFailed(entry, { attempts, nextAttemptMs, error: reason })
    onDelayed({ ...noticeOf(entry), reason })
    return nextAttemptMs
  }

  #fail(error: unknown): void {
    this.#parts.onError(error)
    this.#wakeIn(pauseAfterErrorMs)
  }

  #wakeIn(delayMs: number): void {
    clearTimeout(this.#timer)
    if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.wake(), delayMs).unref()
  }
}

/** The address without path and query, which may hold a key of the operator's. */
function noticeOf({ id, type, endpoint }: WebhookEntry): WebhookNotice {
  return { id, type, endpoint: new URL(endpoint).origin }
}

function secondsAsMs(retryAfter: string | undefined): number | undefined {
  return retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined
}

/** In [0, 1). */
function randomFraction(randomBytes: RandomBytes): number {
  const bytes = randomBytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}

/** Tells other nodes what happened, until they acknowledge it. An event enters the outbox in the transaction that
 *  makes it true and leaves a record there for good; tries go on across restarts. What tells of a person is kept sealed
 *  until it is told, and as a hash from then on. */
import { signSecurityEvent } from '@comity/core/events/security-event'
import { redeliveryDelayMs } from '@comity/core/events/redelivery'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { setImmediate } from 'node:timers/promises'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { Deliver, DeliveryOutcome } from './delivery.ts'
import type { EventStore, OutboxEntry, OutgoingEvent } from './event-store.ts'

export interface OutboxParts {
  /** Own DID. */
  readonly did: string
  readonly store: EventStore
  readonly vault: Pick<SubjectVault, 'unseal'>
  /** The key that signs now; asked for each try, so a rotation needs no new queue. */
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  readonly deliver: Deliver
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly newId: () => string
  /** Told of what went wrong on this node's side; the outbox goes on. */
  readonly onError: (error: unknown) => void
}

/** Recipients that are called at once; within one recipient, one event after the other. */
const maxRecipientsAtOnce = 16
const maxEventsInTurn = 50
/** The clock may be set: never sleep longer than this. */
const maxSleepMs = 60_000
const pauseAfterErrorMs = 5_000

export class Outbox implements AsyncDisposable {
  readonly #parts: OutboxParts
  readonly #stopping = new AbortController()
  /** Deliveries under way, by recipient: a slow one holds up nobody else. */
  readonly #deliveries = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isWoken = false

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  /** Statement that puts the event into the outbox together with what it reports; call `wake` when that is durable. The
   *  payload is kept sealed under `subject`, where given: an event whose key is destroyed before it is acknowledged is
   *  never told. */
  statement(event: Omit<OutgoingEvent, 'id'>, subject?: Pick<SubjectKey, 'seal'>): Statement {
    const { store, clock, newId } = this.#parts
    const sealed = subject?.seal(JSON.stringify(event.payload))
    return store.insertOutgoing({ ...event, id: newId() }, clock.now(), sealed)
  }

  /** Starts the deliveries, or looks at once for an event that has just been written. */
  wake(): void {
    if (this.#stopping.signal.aborted) return
    this.#isWoken = true
    this.#looking ??= this.#look()
  }

  /** Resolves when everything that is due was tried once. */
  async settled(): Promise<void> {
    while (this.#looking !== undefined || this.#deliveries.size > 0) {
      await Promise.all([this.#looking, ...this.#deliveries.values()])
    }
  }

  /** The outbox, unacknowledged events first. */
  list(limit = 100): Promise<OutboxEntry[]> {
    return this.#parts.store.listOutgoing(limit)
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
      // Deliveries that fail at once would otherwise follow each other with nothing else let in between.
      await setImmediate()
      try {
        await this.#startDeliveries()
      } catch (error) {
        this.#fail(error)
      }
    }
    this.#looking = undefined
  }

  async #startDeliveries(): Promise<void> {
    const { store, clock } = this.#parts
    const nowMs = clock.now()
    if (this.#deliveries.size >= maxRecipientsAtOnce) return
    // Of twice as many, enough are left when all who are being served are among them.
    for (const recipient of await store.findDueRecipients(nowMs, 2 * maxRecipientsAtOnce)) {
      if (this.#deliveries.size >= maxRecipientsAtOnce) return
      if (this.#deliveries.has(recipient)) continue
      this.#deliveries.set(recipient, this.#serve(recipient))
    }
    const dueMs = await store.nextDueMs(nowMs)
    if (dueMs !== undefined) this.#wakeIn(Math.min(maxSleepMs, Math.max(0, dueMs - nowMs)))
  }

  async #serve(recipient: string): Promise<void> {
    try {
      await this.#deliverTo(recipient)
      this.#deliveries.delete(recipient)
      this.wake()
    } catch (error) {
      this.#deliveries.delete(recipient)
      this.#fail(error)
    }
  }

  /** After a failure the rest waits too: the recipient is most likely away. A refusal is about one event only. */
  async #deliverTo(recipient: string): Promise<void> {
    const { store, clock, randomBytes } = this.#parts
    for (const entry of await store.findDue(recipient, clock.now(), maxEventsInTurn)) {
      const payload = await this.#payloadOf(entry)
      if (payload === undefined) {
        await store.saveDropped(entry.id, 'the person was erased', clock.now())
        continue
      }
      const token = this.#sign({ ...entry, payload })
      const outcome = await this.#tryToDeliver(recipient, token)
      if (outcome.acknowledged) {
        await store.saveAcknowledged(entry.id, entry.sealed === undefined ? token : hashOf(token), clock.now())
        continue
      }
      if (this.#stopping.signal.aborted) return
      const attempts = entry.attempts + 1
      const nextAttemptMs = clock.now() + redeliveryDelayMs({ ...outcome, attempts }, randomFraction(randomBytes))
      await store.saveFailed(entry.id, { attempts, nextAttemptMs, error: outcome.reason })
      if (outcome.isRefused !== true) return store.postpone(recipient, nextAttemptMs)
    }
  }

  /** Undefined when the key is gone under which it was kept. */
  async #payloadOf({ payload, sealed }: OutboxEntry): Promise<OutboxEntry['payload'] | undefined> {
    if (sealed === undefined) return payload
    const text = await this.#parts.vault.unseal(sealed)
    return text === undefined ? undefined : (JSON.parse(text) as OutboxEntry['payload'])
  }

  async #tryToDeliver(recipient: string, token: string): Promise<DeliveryOutcome> {
    try {
      return await this.#parts.deliver(recipient, token, this.#stopping.signal)
    } catch (error) {
      return { acknowledged: false, reason: error instanceof Error ? error.message : 'not delivered' }
    }
  }

  #sign({ id, recipient, type, payload, occurredMs }: OutboxEntry): string {
    const { did, clock, assertionKey } = this.#parts
    const iat = Math.floor(clock.now() / 1000)
    const toe = Math.floor(occurredMs / 1000)
    return signSecurityEvent(
      { iss: did, aud: recipient, jti: id, iat, toe, events: { [type]: payload } },
      assertionKey(),
    )
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

/** What is kept of a token that tells of a person: enough to know it again. */
function hashOf(token: string): string {
  return `sha-256:${sha256Text(token, 'base64url')}`
}

/** In [0, 1). */
function randomFraction(randomBytes: RandomBytes): number {
  const bytes = randomBytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}

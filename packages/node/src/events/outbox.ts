/** Tells other nodes what happened, until they acknowledge it. An event enters the outbox in the transaction that
 *  makes it true and leaves a record there for good; tries go on across restarts. What tells of a person is kept sealed
 *  until it is told, and as a hash from then on. */
import { signSecurityEvent } from '@comity/core/events/security-event'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import { Redelivery, type DeliveryOutcome } from '../storage/redelivery.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { Deliver } from './delivery.ts'
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
/** Of those that have something due: many may be slow ones that had their turn. */
const maxRecipientsLookedAt = 1_000
const maxEventsInTurn = 50

export class Outbox implements AsyncDisposable {
  readonly #parts: OutboxParts
  readonly #deliveries: Redelivery<OutboxEntry>

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#deliveries = new Redelivery(redeliveryOf(parts))
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
    this.#deliveries.wake()
  }

  /** Resolves when everything that is due was tried once. */
  settled(): Promise<void> {
    return this.#deliveries.settled()
  }

  /** The outbox, unacknowledged events first. */
  list(limit = 100): Promise<OutboxEntry[]> {
    return this.#parts.store.listOutgoing(limit)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#deliveries[Symbol.asyncDispose]()
  }
}

function redeliveryOf(parts: OutboxParts): ConstructorParameters<typeof Redelivery<OutboxEntry>>[0] {
  const { store, clock, randomBytes, onError } = parts
  return {
    clock,
    randomBytes,
    onError,
    maxAtOnce: maxRecipientsAtOnce,
    findReceivers: (nowMs) => store.findDueRecipients(nowMs, maxRecipientsLookedAt),
    nextDueMs: (afterMs) => store.nextDueMs(afterMs),
    findDue: (recipient, nowMs) => store.findDue(recipient, nowMs, maxEventsInTurn),
    attempt: (entry, signal) => attempt(parts, entry, signal),
    saveFailed: ({ id }, failure) => store.saveFailed(id, failure),
    postpone: (recipient, untilMs) => store.postpone(recipient, untilMs),
  }
}

async function attempt(parts: OutboxParts, entry: OutboxEntry, signal: AbortSignal) {
  const { store, clock } = parts
  const payload = await payloadOf(parts, entry)
  if (payload === undefined) return void (await store.saveDropped(entry.id, 'the person was erased', clock.now()))
  const token = sign(parts, { ...entry, payload })
  const outcome = await tryToDeliver(parts, { recipient: entry.recipient, token, signal })
  if (outcome.acknowledged)
    await store.saveAcknowledged(entry.id, entry.sealed === undefined ? token : hashOf(token), clock.now())
  return outcome
}

/** Undefined when the key is gone under which it was kept. */
async function payloadOf(
  { vault }: OutboxParts,
  { payload, sealed }: OutboxEntry,
): Promise<OutboxEntry['payload'] | undefined> {
  if (sealed === undefined) return payload
  const text = await vault.unseal(sealed)
  return text === undefined ? undefined : (JSON.parse(text) as OutboxEntry['payload'])
}

interface TokenToDeliver {
  readonly recipient: string
  readonly token: string
  readonly signal: AbortSignal
}

async function tryToDeliver(
  { deliver }: OutboxParts,
  { recipient, token, signal }: TokenToDeliver,
): Promise<DeliveryOutcome> {
  try {
    return await deliver(recipient, token, signal)
  } catch (error) {
    return { acknowledged: false, reason: error instanceof Error ? error.message : 'not delivered' }
  }
}

function sign({ did, clock, assertionKey }: OutboxParts, entry: OutboxEntry): string {
  const { id, recipient, type, payload, occurredMs } = entry
  const iat = Math.floor(clock.now() / 1000)
  const toe = Math.floor(occurredMs / 1000)
  return signSecurityEvent({ iss: did, aud: recipient, jti: id, iat, toe, events: { [type]: payload } }, assertionKey())
}

/** What is kept of a token that tells of a person: enough to know it again. */
function hashOf(token: string): string {
  return `sha-256:${sha256Text(token, 'base64url')}`
}

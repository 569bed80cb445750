/** The webhooks of clients, which the operator alone sets: what a client set with its key would outlive the key. Every
 *  change is in the audit log, in the transaction that makes it. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { webhookAdded, type ClientEventType } from '@comity/core/events/client-events'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import { createTurns } from '../storage/turns.ts'
import { endpointName, idInEndpoint, type ClientWebhook, type ClientWebhookRequest } from './client-webhook.ts'
import {
  current,
  maxSecrets,
  newWebhookSecret,
  succeededBy,
  verifyingKey,
  type VerifyingKey,
} from './client-webhook-secrets.ts'
import type { ClientWebhookStore } from './client-webhook-store.ts'
import type { WebhookStore } from './webhook-store.ts'

export interface ClientWebhooksParts {
  readonly store: ClientWebhookStore
  readonly outbox: Pick<WebhookStore, 'insert' | 'giveUp'>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly newId: () => string
  /** Durable when it resolves, together with the statements. Throws `record-failed`. */
  readonly record: (
    event: { readonly id: string; readonly type: string; readonly timeMs: number; readonly body: string },
    statements: readonly Statement[],
  ) => Promise<unknown>
  /** The outbox has something new. */
  readonly wake: () => void
}

/** A webhook, and what its messages are verified with. */
export type KeyedWebhook = { readonly webhook: ClientWebhook } & VerifyingKey

/** All throw `client-webhook-unknown` for one that is not there, or another client's. */
export interface ClientWebhooks {
  /** Those of a client that are not over, oldest first. */
  list(client: string): Promise<readonly ClientWebhook[]>
  show(client: string, id: string): Promise<ClientWebhook>
  /** Throws `client-webhook-refused` beyond what a client may have; `client-unknown` for one that was removed
   *  meanwhile. */
  add(client: string, request: ClientWebhookRequest): Promise<KeyedWebhook>
  /** Both secrets sign until the former ends. Throws `client-webhook-refused` when too many sign already. */
  replaceSecret(client: string, id: string, overlapHours: number): Promise<KeyedWebhook>
  /** What waits for it is dropped. */
  remove(client: string, id: string): Promise<void>
}

/** What the outbox asks of them. */
export interface ClientEndpoints {
  /** Names of the endpoints of a client that are told of this; of every client when it is undefined. */
  told(client: string | undefined, type: ClientEventType): readonly string[]
  /** Undefined when nothing goes there any more. */
  find(endpoint: string): ClientWebhook | undefined
  all(): readonly ClientWebhook[]
  /** Ends those of a client that is removed: `remove` makes it durable together with these writes. Nothing is added to
   *  it meanwhile, nor afterwards. When `remove` throws, nothing has changed. */
  endWith(client: string, remove: (statements: readonly Statement[]) => Promise<void>): Promise<void>
  prune(): Promise<void>
}

export const maxWebhooksOfClient = 5
const keepEndedMs = 30 * 86_400_000

/** Opens them. Throws `storage-failed`. */
export async function openClientWebhooks(parts: ClientWebhooksParts): Promise<ClientWebhooks & ClientEndpoints> {
  const opened = new ClientWebhookService(parts)
  for (const webhook of await parts.store.load()) opened.know(webhook)
  return opened
}

class ClientWebhookService implements ClientWebhooks, ClientEndpoints {
  readonly #parts: ClientWebhooksParts
  readonly #turns = createTurns()
  readonly #webhooks = new Map<string, ClientWebhook>()
  /** Since the start: a call of theirs may still be under way. Ids are never given again. */
  readonly #removedClients = new Set<string>()

  constructor(parts: ClientWebhooksParts) {
    this.#parts = parts
  }

  know(webhook: ClientWebhook): void {
    this.#webhooks.set(webhook.id, webhook)
  }

  async list(client: string): Promise<readonly ClientWebhook[]> {
    return this.#of(client)
  }

  async show(client: string, id: string): Promise<ClientWebhook> {
    return this.#find(client, id)
  }

  add(client: string, request: ClientWebhookRequest): Promise<KeyedWebhook> {
    return this.#turns(client, async () => {
      const { clock, randomBytes, newId, outbox, store, wake } = this.#parts
      this.#requireRoom(client)
      const nowMs = clock.now()
      const id = newId()
      const secret = newWebhookSecret(request.format, randomBytes)
      const webhook: ClientWebhook = { ...request, id, client, secrets: [secret], createdMs: nowMs, endedMs: undefined }
      const data = { client, webhook: id }
      const payload = JSON.stringify({ type: webhookAdded, timestamp: new Date(nowMs).toISOString(), data })
      const hello = { id: newId(), endpoint: endpointName(webhook), type: webhookAdded, payload, occurredMs: nowMs }
      await this.#record({ action: 'add', after: webhook }, [store.insert(webhook), outbox.insert(hello)])
      this.know(webhook)
      wake()
      return { webhook, ...verifyingKey(secret) }
    })
  }

  replaceSecret(client: string, id: string, overlapHours: number): Promise<KeyedWebhook> {
    return this.#turns(client, async () => {
      const { clock, randomBytes, store } = this.#parts
      const webhook = this.#find(client, id)
      const nowMs = clock.now()
      const times = { nowMs, untilMs: nowMs + overlapHours * 3_600_000 }
      const secret = newWebhookSecret(webhook.format, randomBytes)
      const isFull = overlapHours > 0 && current(webhook.secrets, nowMs).length >= maxSecrets
      if (isFull) throw refused(`${maxSecrets} secrets sign already; wait until a former one ends`)
      const changed = { ...webhook, secrets: succeededBy(webhook.secrets, secret, times) }
      await this.#record({ action: 'secret', before: webhook, after: changed }, [store.update(changed)])
      this.know(changed)
      return { webhook: changed, ...verifyingKey(secret) }
    })
  }

  remove(client: string, id: string): Promise<void> {
    return this.#turns(client, async () => {
      const { store, outbox } = this.#parts
      const before = this.#find(client, id)
      const statements = [store.remove(id), outbox.giveUp(endpointName(before), 'the webhook was removed')]
      await this.#record({ action: 'remove', before }, statements)
      this.#webhooks.delete(id)
    })
  }

  told(client: string | undefined, type: ClientEventType): readonly string[] {
    const names: string[] = []
    for (const webhook of this.#webhooks.values()) {
      const isHis = client === undefined || webhook.client === client
      if (isHis && webhook.endedMs === undefined && webhook.events.includes(type)) names.push(endpointName(webhook))
    }
    return names
  }

  find(endpoint: string): ClientWebhook | undefined {
    return this.#webhooks.get(idInEndpoint(endpoint) ?? '')
  }

  all(): readonly ClientWebhook[] {
    return [...this.#webhooks.values()]
  }

  endWith(client: string, remove: (statements: readonly Statement[]) => Promise<void>): Promise<void> {
    return this.#turns(client, async () => {
      const endedMs = this.#parts.clock.now()
      await remove([this.#parts.store.endAll(client, endedMs)])
      // From what is known, not read again: from here on nothing may fail.
      this.#removedClients.add(client)
      for (const webhook of this.#of(client)) this.know({ ...webhook, endedMs })
    })
  }

  async prune(): Promise<void> {
    const beforeMs = this.#parts.clock.now() - keepEndedMs
    await this.#parts.store.prune(beforeMs)
    for (const { id, endedMs = Infinity } of this.#webhooks.values()) {
      if (endedMs < beforeMs) this.#webhooks.delete(id)
    }
  }

  #of(client: string): readonly ClientWebhook[] {
    return [...this.#webhooks.values()].filter((one) => one.client === client && one.endedMs === undefined)
  }

  #find(client: string, id: string): ClientWebhook {
    const webhook = this.#of(client).find((one) => one.id === id)
    if (webhook === undefined) throw new Problem('client-webhook-unknown', 'the client has no such webhook')
    return webhook
  }

  #requireRoom(client: string): void {
    if (this.#removedClients.has(client)) throw new Problem('client-unknown', 'the client was removed')
    if (this.#of(client).length >= maxWebhooksOfClient)
      throw refused(`a client has ${maxWebhooksOfClient} webhooks at most; remove one first`)
  }

  async #record({ action, before, after }: WebhookChange, statements: readonly Statement[]): Promise<void> {
    const { newId, clock, record } = this.#parts
    const about = after ?? before
    if (about === undefined) return
    const event = { id: newId(), type: 'client-webhook', timeMs: clock.now() }
    const hashes = { ...(before && { before: hashOf(before) }), ...(after && { after: hashOf(after) }) }
    const facts = { action, client: about.client, webhook: about.id, ...hashes }
    const body = JSON.stringify({ type: event.type, id: event.id, time: event.timeMs, ...facts })
    await record({ ...event, body }, statements)
  }
}

interface WebhookChange {
  readonly action: string
  readonly before?: ClientWebhook
  readonly after?: ClientWebhook
}

/** SHA-256 (base64url) of the canonical JSON (RFC 8785) of what is no secret of it. */
function hashOf({ secrets, ...facts }: ClientWebhook): string {
  const told = { ...facts, secrets: secrets.map(({ untilMs }) => ({ untilMs })) }
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(told))))
    .digest('base64url')
}

function refused(detail: string): Problem {
  return new Problem('client-webhook-refused', detail)
}

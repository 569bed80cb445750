/** The webhooks of clients: added by the operator, or by the client itself, which then shows with a code that it reads
 *  what arrives there. Every change is in the audit log, in the transaction that makes it. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { encodeBase64url } from '@comity/core/bytes/base64url'
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

type By = ClientWebhook['addedBy']

export interface ClientWebhooksParts {
  readonly store: ClientWebhookStore
  readonly outbox: Pick<WebhookStore, 'insert' | 'giveUp'>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly newId: () => string
  /** Where a client confirms a webhook of this id. */
  readonly confirmationUrl: (id: string) => string
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
  /** Throws `client-webhook-refused` beyond what a client may have, or may add in a day; `client-unknown` for one that
   *  was removed meanwhile. */
  add(client: string, request: ClientWebhookRequest, by: By): Promise<KeyedWebhook>
  /** By the code that it was sent. Throws `client-webhook-refused` for another. */
  confirm(client: string, id: string, code: string): Promise<ClientWebhook>
  /** Both secrets sign until the former ends. Throws `client-webhook-refused` when too many sign already. */
  replaceSecret(
    client: string,
    id: string,
    order: { readonly overlapHours: number; readonly by: By },
  ): Promise<KeyedWebhook>
  /** What waits for it is dropped. */
  remove(client: string, id: string, by: By): Promise<void>
}

/** What the outbox asks of them. */
export interface ClientEndpoints {
  /** Names of the endpoints of a client that are told of this; of every client when it is undefined. */
  told(client: string | undefined, type: ClientEventType): readonly string[]
  /** Undefined when nothing goes there any more. */
  find(endpoint: string): ClientWebhook | undefined
  /** Names of all. */
  names(): readonly string[]
  /** Ends those of a client that is removed: `remove` makes it durable together with these writes. Nothing is added to
   *  it meanwhile, nor afterwards. When `remove` throws, nothing has changed. */
  endWith(client: string, remove: (statements: readonly Statement[]) => Promise<void>): Promise<void>
  prune(): Promise<void>
}

const dayMs = 86_400_000
export const maxWebhooksOfClient = 5
/** What a client adds itself, in a day. */
export const maxAddedInDay = 10
const keepEndedMs = 30 * dayMs

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

  add(client: string, request: ClientWebhookRequest, by: By): Promise<KeyedWebhook> {
    return this.#turns(client, async () => {
      const { clock, randomBytes, newId, outbox, store, confirmationUrl, wake } = this.#parts
      await this.#requireRoom(client, by)
      const nowMs = clock.now()
      const id = newId()
      const secret = newWebhookSecret(request.format, randomBytes)
      const code = by === 'client' ? encodeBase64url(randomBytes(16)) : undefined
      const state = by === 'client' ? 'unconfirmed' : 'active'
      const times = { createdMs: nowMs, endedMs: undefined }
      const webhook: ClientWebhook = { ...request, id, client, addedBy: by, state, secrets: [secret], code, ...times }
      const data = { client, webhook: id, ...(code !== undefined && { code, confirm: confirmationUrl(id) }) }
      const payload = JSON.stringify({ type: webhookAdded, timestamp: new Date(nowMs).toISOString(), data })
      const hello = { id: newId(), endpoint: endpointName(webhook), type: webhookAdded, payload, occurredMs: nowMs }
      await this.#record({ action: 'add', by, after: webhook }, [store.insert(webhook), outbox.insert(hello)])
      this.know(webhook)
      wake()
      return { webhook, ...verifyingKey(secret) }
    })
  }

  confirm(client: string, id: string, code: string): Promise<ClientWebhook> {
    return this.#turns(client, async () => {
      const webhook = this.#find(client, id)
      if (webhook.state === 'active') return webhook
      if (webhook.code === undefined || !isSameText(code, webhook.code))
        throw refused('this is not the code that was sent to the address')
      return this.#change(webhook, { state: 'active', code: undefined }, { action: 'confirm', by: 'client' })
    })
  }

  replaceSecret(
    client: string,
    id: string,
    { overlapHours, by }: { readonly overlapHours: number; readonly by: By },
  ): Promise<KeyedWebhook> {
    return this.#turns(client, async () => {
      const { clock, randomBytes } = this.#parts
      const webhook = this.#changeable(client, id, by)
      const nowMs = clock.now()
      const times = { nowMs, untilMs: nowMs + overlapHours * 3_600_000 }
      const secret = newWebhookSecret(webhook.format, randomBytes)
      const isFull = overlapHours > 0 && current(webhook.secrets, nowMs).length >= maxSecrets
      if (isFull) throw refused(`${maxSecrets} secrets sign already; wait until a former one ends`)
      const secrets = succeededBy(webhook.secrets, secret, times)
      const changed = await this.#change(webhook, { secrets }, { action: 'secret', by })
      return { webhook: changed, ...verifyingKey(secret) }
    })
  }

  remove(client: string, id: string, by: By): Promise<void> {
    return this.#turns(client, async () => {
      const { store, outbox, clock } = this.#parts
      const before = this.#changeable(client, id, by)
      const statements = [store.remove(id, clock.now()), outbox.giveUp(endpointName(before), 'the webhook was removed')]
      await this.#record({ action: 'remove', by, before }, statements)
      this.#webhooks.delete(id)
    })
  }

  told(client: string | undefined, type: ClientEventType): readonly string[] {
    const names: string[] = []
    for (const webhook of this.#webhooks.values()) {
      const isHis = client === undefined || webhook.client === client
      if (isHis && webhook.state === 'active' && webhook.events.includes(type)) names.push(endpointName(webhook))
    }
    return names
  }

  find(endpoint: string): ClientWebhook | undefined {
    return this.#webhooks.get(idInEndpoint(endpoint) ?? '')
  }

  names(): readonly string[] {
    return [...this.#webhooks.values()].map(endpointName)
  }

  endWith(client: string, remove: (statements: readonly Statement[]) => Promise<void>): Promise<void> {
    return this.#turns(client, async () => {
      const endedMs = this.#parts.clock.now()
      await remove(this.#parts.store.endAll(client, endedMs))
      // From what is known, not read again: from here on nothing may fail.
      this.#removedClients.add(client)
      for (const webhook of this.#webhooks.values()) {
        if (webhook.client !== client || webhook.state === 'ended') continue
        if (webhook.state === 'active') this.know({ ...webhook, state: 'ended', endedMs })
        else this.#webhooks.delete(webhook.id)
      }
    })
  }

  async prune(): Promise<void> {
    const nowMs = this.#parts.clock.now()
    await this.#parts.store.prune({ endedMs: nowMs - keepEndedMs, unconfirmedMs: nowMs - dayMs })
    for (const webhook of this.#webhooks.values()) {
      if (isForgotten(webhook, nowMs)) this.#webhooks.delete(webhook.id)
    }
  }

  #of(client: string): readonly ClientWebhook[] {
    const nowMs = this.#parts.clock.now()
    return [...this.#webhooks.values()].filter(
      (webhook) => webhook.client === client && webhook.state !== 'ended' && !isForgotten(webhook, nowMs),
    )
  }

  #find(client: string, id: string): ClientWebhook {
    const webhook = this.#of(client).find((one) => one.id === id)
    if (webhook === undefined) throw new Problem('client-webhook-unknown', 'the client has no such webhook')
    return webhook
  }

  /** What the operator added is the operator's: who has got hold of a key cannot silence it. */
  #changeable(client: string, id: string, by: By): ClientWebhook {
    const webhook = this.#find(client, id)
    if (by === 'client' && webhook.addedBy === 'operator')
      throw refused('the operator of this node added it, and changes it')
    return webhook
  }

  async #requireRoom(client: string, by: By): Promise<void> {
    if (this.#removedClients.has(client)) throw new Problem('client-unknown', 'the client was removed')
    if (this.#of(client).length >= maxWebhooksOfClient)
      throw refused(`a client has ${maxWebhooksOfClient} webhooks at most; remove one first`)
    if (by === 'operator') return
    const added = await this.#parts.store.countAdded(client, this.#parts.clock.now() - dayMs)
    if (added >= maxAddedInDay) throw refused(`a client adds ${maxAddedInDay} webhooks in a day at most`)
  }

  async #change(
    before: ClientWebhook,
    changes: Partial<ClientWebhook>,
    { action, by }: { readonly action: string; readonly by: By },
  ): Promise<ClientWebhook> {
    const after = { ...before, ...changes }
    await this.#record({ action, by, before, after }, [this.#parts.store.update(after)])
    this.know(after)
    return after
  }

  async #record({ action, by, before, after }: WebhookChange, statements: readonly Statement[]): Promise<void> {
    const { newId, clock, record } = this.#parts
    const about = after ?? before
    if (about === undefined) return
    const event = { id: newId(), type: 'client-webhook', timeMs: clock.now() }
    const hashes = { ...(before && { before: hashOf(before) }), ...(after && { after: hashOf(after) }) }
    const facts = { action, by, client: about.client, webhook: about.id, ...hashes }
    const body = JSON.stringify({ type: event.type, id: event.id, time: event.timeMs, ...facts })
    await record({ ...event, body }, statements)
  }
}

interface WebhookChange {
  readonly action: string
  readonly by: By
  readonly before?: ClientWebhook
  readonly after?: ClientWebhook
}

function isForgotten({ state, createdMs, endedMs }: ClientWebhook, nowMs: number): boolean {
  if (endedMs !== undefined) return endedMs < nowMs - keepEndedMs
  return state === 'unconfirmed' && createdMs < nowMs - dayMs
}

/** SHA-256 (base64url) of the canonical JSON (RFC 8785) of what is no secret of it. */
function hashOf({ secrets, code: _code, ...facts }: ClientWebhook): string {
  const told = { ...facts, secrets: secrets.map(({ untilMs }) => ({ untilMs })) }
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(told))))
    .digest('base64url')
}

function isSameText(one: string, other: string): boolean {
  const hashed = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hashed(one), hashed(other))
}

function refused(detail: string): Problem {
  return new Problem('client-webhook-refused', detail)
}

/** Who webhooks go to, own systems and clients alike, and one message to one of them: signed and sent. */
import { webhookTest } from '@comity/core/events/client-events'
import type { Clock } from '@comity/core/ports'
import type { DeliveryOutcome } from '../storage/redelivery.ts'
import { endpointName, type ClientWebhook } from './client-webhook.ts'
import { signersOf } from './client-webhook-secrets.ts'
import type { ClientEndpoints } from './client-webhooks.ts'
import { shownAddress } from './shown-address.ts'
import type { WebhookEventType } from './webhook-config.ts'
import type { DeliverWebhook } from './webhook-delivery.ts'
import { webhookHeaders, type WebhookSigner } from './webhook-signature.ts'

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

export type Receiver = Omit<WebhookEndpoint, 'events'>

export interface ReceiverParts {
  readonly endpoints: readonly WebhookEndpoint[]
  readonly clients: ClientEndpoints
  readonly deliver: DeliverWebhook
  readonly clock: Clock
  readonly newId: () => string
}

/** Of messages to clients. */
const clientTerms = { timeoutMs: 10_000, giveUpAfterHours: 72 }
/** Who asks for a test waits for its answer. */
const maxTestMs = 30_000

/** Where messages of this name go, as it is now; undefined when nothing goes there any more. */
export function receiverOf({ endpoints, clients, clock }: ReceiverParts, name: string): Receiver | undefined {
  const webhook = clients.find(name)
  if (webhook !== undefined) return { ...webhook, ...clientTerms, signers: signersOf(webhook, clock.now()) }
  return endpoints.find(({ url }) => url === name)
}

/** Names of all under which messages wait, and where they go. */
export function receiverNames({ endpoints, clients }: ReceiverParts): readonly (Pick<Receiver, 'url'> & {
  readonly name: string
})[] {
  const own = endpoints.map(({ url }) => ({ name: url, url }))
  return [...own, ...clients.all().map((webhook) => ({ name: endpointName(webhook), url: webhook.url }))]
}

/** Signs a message and tries once to deliver it. */
export function sendTo(
  { deliver, clock }: Pick<ReceiverParts, 'deliver' | 'clock'>,
  { signers, url, fingerprints, timeoutMs }: Receiver,
  { id, body }: { readonly id: string; readonly body: string },
): Promise<DeliveryOutcome> {
  const message = { id, timestamp: Math.floor(clock.now() / 1000), body }
  const headers = { ...webhookHeaders(message, signers), 'content-type': 'application/json' }
  return deliver({ url, fingerprints, headers, body, timeoutMs })
}

/** How one receiver took a test message. */
export interface TestedWebhook {
  /** As it is shown. */
  readonly address: string
  readonly taken: boolean
  /** Why it was not taken: nothing of the answer's body. */
  readonly reason?: string
}

/** Sends one `webhook.test` now, past the outbox: it is not tried again, and nothing of it is kept. */
export async function sendTest(
  parts: ReceiverParts,
  receiver: Receiver,
  webhook?: Pick<ClientWebhook, 'id' | 'client'>,
): Promise<TestedWebhook> {
  const timestamp = new Date(parts.clock.now()).toISOString()
  const data = webhook === undefined ? {} : { client: webhook.client, webhook: webhook.id }
  const body = JSON.stringify({ type: webhookTest, timestamp, data })
  const timeoutMs = Math.min(receiver.timeoutMs, maxTestMs)
  const outcome = await sendTo(parts, { ...receiver, timeoutMs }, { id: parts.newId(), body })
  const address = shownAddress(receiver.url)
  return outcome.acknowledged ? { address, taken: true } : { address, taken: false, reason: outcome.reason }
}

/** The webhooks to the operator's own systems, on what the configuration declares, and to clients. */
import type { AuditLog } from '../audit-log/audit-log.ts'
import { createAddressGuard } from '../http/address-guard.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { createClientWebhookStore } from '../webhooks/client-webhook-store-sql.ts'
import { openClientWebhooks, type ClientEndpoints, type ClientWebhooks } from '../webhooks/client-webhooks.ts'
import { createWebhookDelivery } from '../webhooks/webhook-delivery.ts'
import { parseWebhookSecret } from '../webhooks/webhook-signature.ts'
import { createWebhookStore } from '../webhooks/webhook-store-sql.ts'
import { createWebhooks, type Webhooks, type WebhooksParts } from '../webhooks/webhooks.ts'
import type { Foundation } from './foundation.ts'

export interface WebhookAssembly {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly newId: () => string
}

export interface OpenWebhooks {
  readonly webhooks: Webhooks
  readonly clients: ClientWebhooks & ClientEndpoints
}

/** Throws `config-invalid` for a secret that is none. */
export async function openWebhooks(parts: WebhookAssembly): Promise<OpenWebhooks> {
  const { foundation, newId } = parts
  const { config, database, events, readSecretValue, vault, world } = foundation
  const { allowPrivateAddresses } = config.network
  const endpoints = config.webhooks.map(async ({ secret, ...endpoint }) => ({
    ...endpoint,
    signers: parseWebhookSecret(await readSecretValue(secret)),
  }))
  const store = createWebhookStore(database)
  const late: { webhooks: Webhooks | undefined } = { webhooks: undefined }
  const clients = await openClients(parts, { outbox: store, wake: () => late.webhooks?.wake() })
  const webhooks = createWebhooks({
    endpoints: await Promise.all(endpoints),
    clients,
    store,
    vault,
    deliver: createWebhookDelivery(createGuardedFetch({ guard: createAddressGuard({ allowPrivateAddresses }) })),
    ...world,
    newId,
    ...tellers(events),
    onError: (error) => events.internalError(error),
  })
  late.webhooks = webhooks
  return { webhooks, clients }
}

function openClients(
  { foundation, auditLog, newId }: WebhookAssembly,
  outbox: Pick<Parameters<typeof openClientWebhooks>[0], 'outbox' | 'wake'>,
): Promise<ClientWebhooks & ClientEndpoints> {
  const { database, deriveSecret, world } = foundation
  const key = deriveSecret('client-webhooks')
  return openClientWebhooks({
    store: createClientWebhookStore({ database, key, randomBytes: world.randomBytes }),
    ...outbox,
    ...world,
    newId,
    record: (event, statements) => auditLog.append(auditLog.prepare(event), statements),
  })
}

/** A client that does not answer is no fault of the operator's. */
function tellers(events: Foundation['events']): Pick<WebhooksParts, 'onDelivered' | 'onDelayed' | 'onDead'> {
  return {
    onDelivered: (message) => events.webhookDelivered(message),
    onDelayed: ({ client, ...message }) =>
      client === undefined ? events.webhookDelayed(message) : events.clientWebhookDelayed({ ...message, client }),
    onDead: ({ client, ...message }) =>
      client === undefined ? events.webhookDead(message) : events.clientWebhookDead({ ...message, client }),
  }
}

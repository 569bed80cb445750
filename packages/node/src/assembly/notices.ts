/** The webhooks to the operator's own systems, on what the configuration declares. */
import { createAddressGuard } from '../http/address-guard.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { createWebhookDelivery } from '../webhooks/webhook-delivery.ts'
import { parseWebhookSecret } from '../webhooks/webhook-signature.ts'
import { createWebhookStore } from '../webhooks/webhook-store-sql.ts'
import { createWebhooks, type Webhooks } from '../webhooks/webhooks.ts'
import type { Foundation } from './foundation.ts'

/** Throws `config-invalid` for a secret that is none. */
export async function openWebhooks(foundation: Foundation, newId: () => string): Promise<Webhooks> {
  const { config, database, events, readSecretValue, vault, world } = foundation
  const guard = createAddressGuard({ allowPrivateAddresses: config.network.allowPrivateAddresses })
  const endpoints = config.webhooks.map(async ({ secret, ...endpoint }) => ({
    ...endpoint,
    signers: parseWebhookSecret(await readSecretValue(secret)),
  }))
  return createWebhooks({
    endpoints: await Promise.all(endpoints),
    store: createWebhookStore(database),
    vault,
    deliver: createWebhookDelivery(createGuardedFetch({ guard })),
    ...world,
    newId,
    onDelivered: (message) => events.webhookDelivered(message),
    onDelayed: (message) => events.webhookDelayed(message),
    onDead: (message) => events.webhookDead(message),
    onError: (error) => events.internalError(error),
  })
}

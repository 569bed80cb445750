/** Webhooks that clients set themselves, on the public listener; loaded when the first one is. */
import { Problem } from '@comity/core/problems'
import { createIdentifiedRoute } from '../gateway/identified-route.ts'
import type { InboundParts } from '../gateway/inbound.ts'
import type { ClientOfGateway } from '../gateway/key-port.ts'
import type { Clock } from '@comity/core/ports'
import type { ApiKeysOfNode } from './late-api-keys.ts'
import type { WebhooksOfNode } from './late-webhooks.ts'

/** What the route asks of the node. */
export interface WebhookRouteParts {
  readonly webhooks: Pick<WebhooksOfNode, 'clients'>
  readonly apiKeys: Pick<ApiKeysOfNode, 'loaded'>
  readonly clock: Clock
}

export function clientWebhookRoute({ webhooks, apiKeys, clock }: WebhookRouteParts, inbound: InboundParts) {
  return createIdentifiedRoute(inbound, async ({ client: known, request, body }) => {
    if (known === undefined) throw new Problem('key-required', 'this address answers to API keys only')
    const { client } = known
    requireWhole(known, inbound.options.environment)
    if (apiKeys.loaded?.showClient(client).policies.selfRenewal !== true) {
      throw new Problem('client-webhook-refused', 'the operator of this node sets the webhooks of this client')
    }
    const { answerWebhookCall } = await import('../webhooks/client-webhook-routes.ts')
    const { method, path } = request
    return answerWebhookCall(webhooks.clients, { client, method, path, body, nowMs: clock.now() })
  })
}

/** Who holds a narrow key, or one for tests, does not decide where all of a client's keys are told of. */
function requireWhole({ environment, scope }: ClientOfGateway, own: InboundParts['options']['environment']): void {
  if (environment !== own) throw new Problem('key-environment', `webhooks are set with a key for \`${own}\``)
  if (Object.values(scope).some((part) => part !== undefined))
    throw new Problem('key-scope', 'webhooks are set with a key that is not narrowed to some products')
}

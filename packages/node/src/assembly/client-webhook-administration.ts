/** The webhooks of clients as the admin API asks for them. */
import type { ClientWebhookFacts, ClientWebhooksPort } from '../admin/client-ports.ts'
import { parseInput } from '../admin/input.ts'
import type { NodeParts } from '../node.ts'
import { clientWebhookRequestSchema, secretOrderSchema, type ClientWebhook } from '../webhooks/client-webhook.ts'
import { shownAddress } from '../webhooks/shown-address.ts'
import { formerEndsMs, publicKeysOf } from '../webhooks/client-webhook-secrets.ts'
import type { KeyedWebhook } from '../webhooks/client-webhooks.ts'

/** Nothing is loaded before something is asked. */
export function clientWebhookAdministration({
  webhooks,
  apiKeys,
  foundation: { world },
}: Pick<NodeParts, 'webhooks' | 'apiKeys' | 'foundation'>): ClientWebhooksPort {
  const { clients } = webhooks
  const requireClient = async (id: string): Promise<void> => void (await apiKeys.load()).showClient(id)
  const facts = (webhook: ClientWebhook): ClientWebhookFacts => webhookFacts(webhook, world.clock.now())
  const keyed = ({ webhook, ...key }: KeyedWebhook) => ({ webhook: facts(webhook), ...key })
  return {
    async list(client) {
      await requireClient(client)
      return (await clients.list(client)).map(facts)
    },
    async show(client, id) {
      await requireClient(client)
      return facts(await clients.show(client, id))
    },
    async add(client, request) {
      await requireClient(client)
      return keyed(await clients.add(client, parseInput(clientWebhookRequestSchema, request)))
    },
    async replaceSecret(client, id, order) {
      await requireClient(client)
      const { overlapHours } = parseInput(secretOrderSchema, order)
      return keyed(await clients.replaceSecret(client, id, overlapHours))
    },
    async remove(client, id) {
      await requireClient(client)
      await clients.remove(client, id)
    },
    async test(client, id) {
      await requireClient(client)
      return webhooks.testOfClient(await clients.show(client, id))
    },
  }
}

/** What is told of one. */
export function webhookFacts(webhook: ClientWebhook, nowMs: number): ClientWebhookFacts {
  const { secrets: _secrets, url, ...facts } = webhook
  return {
    ...facts,
    address: shownAddress(url),
    publicKeys: publicKeysOf(webhook, nowMs),
    formerEndsMs: formerEndsMs(webhook, nowMs),
  }
}

/** `/v1/clients/{id}/webhooks`: where a client is told of its own keys and quotas. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import {
  clientWebhookSchema,
  keyedClientWebhookSchema,
  type ClientWebhookView,
  type KeyedClientWebhookView,
} from './client-webhook-api.ts'
import { webhookTestSchema } from './admin-api.ts'
import { recorded } from './changes.ts'
import type { ClientWebhookFacts, KeyedWebhookFacts } from './client-ports.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { judgedLater, named } from './shapes.ts'
import { webhookTestView } from './webhook-routes.ts'

type Parts = Pick<AdminParts, 'clientWebhooks' | 'schemas' | 'recordChange'>

const path = '/v1/clients/{id}/webhooks'
const tag = 'clients'
const ofClient = named('Id of a client.')
const ofWebhook = { ...ofClient, webhook: z.string().min(1).meta({ description: 'Id of a webhook of the client.' }) }
const unknown = ['client-unknown', 'client-webhook-unknown'] as const

export function clientWebhookRoutes(parts: Parts): AdminRoute[] {
  const { clientWebhooks } = parts
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'The webhooks of a client, oldest first; never a secret',
      parameters: ofClient,
      result: z.array(clientWebhookSchema),
      problems: ['client-unknown'],
      answer: async ({ path: { id } }) => (await clientWebhooks.list(id)).map(viewOf),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{webhook}`,
      tag,
      summary: 'One webhook of a client',
      parameters: ofWebhook,
      result: clientWebhookSchema,
      problems: unknown,
      answer: async ({ path: { id, webhook } }) => viewOf(await clientWebhooks.show(id, webhook)),
    }),
    ...changeRoutes(parts),
  ]
}

function changeRoutes({ clientWebhooks, schemas, recordChange }: Parts): AdminRoute[] {
  return [
    defineRoute({
      method: 'POST',
      path,
      tag,
      summary: 'Adds a webhook to a client; the answer is the only place that has its secret',
      description: 'The first message, `webhook.added`, goes there at once, to show whether it arrives.',
      status: 201,
      parameters: ofClient,
      body: judgedLater(schemas.clientWebhooks.webhook),
      result: keyedClientWebhookSchema,
      problems: ['client-unknown', 'client-webhook-refused'],
      answer: async ({ path: { id }, body }) => keyedViewOf(await clientWebhooks.add(id, body)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{webhook}/secret`,
      tag,
      summary: 'Makes another secret; until the former ends, every message has a signature by each',
      status: 201,
      parameters: ofWebhook,
      body: judgedLater(schemas.clientWebhooks.secret),
      result: keyedClientWebhookSchema,
      problems: [...unknown, 'client-webhook-refused'],
      answer: async ({ path: { id, webhook }, body }) =>
        keyedViewOf(await clientWebhooks.replaceSecret(id, webhook, body)),
    }),
    defineRoute({
      method: 'DELETE',
      path: `${path}/{webhook}`,
      tag,
      summary: 'Removes a webhook of a client; what waits for it is dropped',
      status: 204,
      parameters: ofWebhook,
      problems: unknown,
      answer: ({ path: { id, webhook } }) => clientWebhooks.remove(id, webhook),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{webhook}/test`,
      tag,
      summary: 'Sends a test message, `webhook.test`, to a webhook of a client, and says how it was taken',
      parameters: ofWebhook,
      result: webhookTestSchema,
      problems: unknown,
      async answer({ path: { id, webhook } }) {
        const change = { action: 'webhook-test', target: `${id}/${webhook}` } as const
        return webhookTestView(await recorded({ recordChange }, change, () => clientWebhooks.test(id, webhook)))
      },
    }),
  ]
}

function viewOf(webhook: ClientWebhookFacts): ClientWebhookView {
  const { id, client, address, events, format, publicKeys, fingerprints, formerEndsMs } = webhook
  return {
    id,
    client,
    endpoint: address,
    events,
    format,
    ...(format === 'ed25519' && { publicKeys }),
    fingerprints,
    formerEnds: formerEndsMs === undefined ? undefined : formatDateTime(formerEndsMs),
    created: formatDateTime(webhook.createdMs),
  }
}

const keyedViewOf = ({ webhook, secret, publicKey }: KeyedWebhookFacts): KeyedClientWebhookView => ({
  ...viewOf(webhook),
  secret,
  publicKey,
})

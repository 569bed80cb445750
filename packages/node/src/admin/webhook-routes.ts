/** `/v1/webhooks`: whether the operator's own systems take what they are told; dead letters are sent again. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import {
  webhookMessageSchema,
  webhookSchema,
  webhookTestSchema,
  webhookStates,
  type WebhookMessageView,
  type WebhookTestView,
  type WebhookView,
} from './admin-api.ts'
import { recorded } from './changes.ts'
import type { ConsentAdminParts, WebhookMessage, WebhookTest } from './consent-ports.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { limit as entries, text } from './shapes.ts'

/** Messages that are looked at, those on their way first: beyond it counts are at least so many. */
const maxMessages = 1_000
const endpoint = z
  .url()
  .max(2_048)
  .meta({ description: 'Origin alone, or with the path, as it is or as it is shown; the query does not count.' })

export interface WebhookRouteParts extends Pick<AdminParts, 'recordChange'> {
  readonly webhooks: ConsentAdminParts['webhooks']
}

export function webhookRoutes(parts: WebhookRouteParts): AdminRoute[] {
  const { webhooks } = parts
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/webhooks',
      tag: 'webhooks',
      summary: 'What waits for your own systems and for clients, since when and why; dead letters; what was dropped',
      result: z.array(webhookSchema),
      live: ['waiting', 'oldest', 'lastError', 'givenUp'],
      async answer() {
        const messages = await webhooks.list(maxMessages)
        // What a webhook left that was removed concerns nobody any more.
        const standing = messages.filter(({ client, isOfClient }) => !isOfClient || client !== undefined)
        return [...Map.groupBy(standing, receiverOf).values()].map(webhookView)
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/webhooks/messages',
      tag: 'webhooks',
      summary: 'The messages, those on their way first, of the newest thousand; never what they say',
      query: { state: z.enum(webhookStates).optional(), limit: entries(100, maxMessages) },
      result: z.array(webhookMessageSchema),
      async answer({ query: { state, limit } }) {
        const views = (await webhooks.list(maxMessages)).map(messageView)
        return views.filter((view) => state === undefined || view.state === state).slice(0, limit)
      },
    }),
    replayRoute(parts),
    testRoute(parts),
  ]
}

function replayRoute({ webhooks, recordChange }: WebhookRouteParts): AdminRoute {
  return defineRoute({
    method: 'POST',
    path: '/v1/webhooks/replay',
    tag: 'webhooks',
    summary: 'Sends now one message that waits or is a dead letter, or all dead letters, or all that wait',
    body: z.strictObject({
      id: text(200).optional(),
      state: z.enum(['waiting', 'dead']).optional().meta({ description: 'Without `id`, `dead` unless given.' }),
      endpoint: endpoint.optional(),
    }),
    result: z.strictObject({ replayed: z.int().nonnegative() }),
    problems: ['webhook-unknown'],
    async answer({ body: { id, state = id === undefined ? 'dead' : undefined, endpoint: address } }) {
      const details = { state, endpoint: address && new URL(address).origin }
      const change = { action: 'webhook-replay', target: id ?? 'all', details } as const
      const replayed = await recorded({ recordChange }, change, () => webhooks.replay({ id, state, address }))
      if (replayed === 0 && id !== undefined) {
        const detail = 'no such message waits for a system that is configured, nor is it a dead letter'
        throw new Problem('webhook-unknown', detail)
      }
      return { replayed }
    },
  })
}

function testRoute({ webhooks, recordChange }: WebhookRouteParts): AdminRoute {
  return defineRoute({
    method: 'POST',
    path: '/v1/webhooks/test',
    tag: 'webhooks',
    summary: 'Sends a test message, `webhook.test`, to your own systems at an address, and says how each took it',
    body: z.strictObject({ endpoint }),
    result: z.array(webhookTestSchema),
    problems: ['webhook-unknown'],
    async answer({ body: { endpoint: address } }) {
      const change = { action: 'webhook-test', target: new URL(address).origin } as const
      return (await recorded({ recordChange }, change, () => webhooks.testOwn(address))).map(webhookTestView)
    },
  })
}

export const webhookTestView = ({ address, ...outcome }: WebhookTest): WebhookTestView => ({
  endpoint: address,
  ...outcome,
})

function stateOf({ payload, deadMs, deliveredMs }: WebhookMessage): WebhookMessageView['state'] {
  if (payload !== undefined) return deadMs === undefined ? 'waiting' : 'dead'
  return deliveredMs === undefined ? 'dropped' : 'delivered'
}

function messageView(message: WebhookMessage): WebhookMessageView {
  const { id, address, client, type, occurredMs, attempts, nextAttemptMs, lastError } = message
  const state = stateOf(message)
  return {
    id,
    endpoint: address,
    ...(client !== undefined && { client }),
    type,
    state,
    occurred: formatDateTime(occurredMs),
    attempts,
    ...(state === 'waiting' && { nextAttempt: formatDateTime(nextAttemptMs) }),
    ...(lastError !== undefined && { lastError }),
  }
}

const receiverOf = ({ address, client = '' }: WebhookMessage): string => `${address} ${client}`

/** Of messages to one receiver, at least one. */
function webhookView(messages: readonly WebhookMessage[]): WebhookView {
  const [{ address, client } = { address: '', client: undefined }] = messages
  const inState = (state: WebhookMessageView['state']) => messages.filter((message) => stateOf(message) === state)
  const waiting = inState('waiting')
  const oldest = waiting.toSorted((a, b) => a.occurredMs - b.occurredMs)[0]
  return {
    endpoint: address,
    ...(client !== undefined && { client }),
    waiting: waiting.length,
    ...(oldest && { oldest: formatDateTime(oldest.occurredMs), lastError: oldest.lastError }),
    dead: inState('dead').length,
    givenUp: inState('dropped').length,
  }
}

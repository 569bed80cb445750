/** `/v1/webhooks`: whether the operator's own systems take what they are told. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import { webhookSchema, type WebhookView } from './admin-api.ts'
import type { ConsentAdminParts, WebhookMessage } from './consent-ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'

/** Messages that are looked at, those on their way first: beyond it counts are at least so many. */
const maxMessages = 1_000

export function webhookRoutes({ webhooks }: Pick<ConsentAdminParts, 'webhooks'>): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/webhooks',
      tag: 'webhooks',
      summary: 'What waits for your own systems, since when and why; what was given up',
      result: z.array(webhookSchema),
      async answer() {
        const byEndpoint = Map.groupBy(await webhooks.list(maxMessages), ({ endpoint }) => new URL(endpoint).origin)
        return [...byEndpoint].map(([endpoint, messages]) => webhookView(endpoint, messages))
      },
    }),
  ]
}

/** The address without path and query, which may hold a key of the operator's. */
function webhookView(endpoint: string, messages: readonly WebhookMessage[]): WebhookView {
  const waiting = messages.filter(({ payload }) => payload !== undefined)
  const givenUp = messages.filter(({ payload, deliveredMs }) => payload === undefined && deliveredMs === undefined)
  const oldest = waiting.toSorted((a, b) => a.occurredMs - b.occurredMs)[0]
  return {
    endpoint,
    waiting: waiting.length,
    ...(oldest && { oldest: formatDateTime(oldest.occurredMs), lastError: oldest.lastError }),
    givenUp: givenUp.length,
  }
}

/** Requests for a higher quota on the public listener, loaded when the first one is made. */
import { createIdentifiedRoute } from '../gateway/identified-route.ts'
import type { InboundParts } from '../gateway/inbound.ts'
import type { QuotasOfNode } from './quotas.ts'

export function quotaRoute({ requests }: Pick<QuotasOfNode, 'requests'>, inbound: InboundParts) {
  return createIdentifiedRoute(inbound, async ({ caller, client, request, body }) => {
    const { answerQuotaCall } = await import('../quotas/quota-routes.ts')
    const participant = caller?.did ?? client?.participant ?? ''
    const asker = { participant, client: client?.client ?? '', key: client?.line ?? '' }
    const { method, path } = request
    return answerQuotaCall(requests, asker, { method, path, body, contentType: request.header('content-type') })
  })
}

/** An inbound request as the signature profile reads it. */
import type { RequestParts } from '@comity/core/http-signatures/message'
import type { InboundCall } from './inbound-call.ts'

/** The request as the signature profile reads it. */
export function requestParts({ request, body }: Pick<InboundCall, 'request' | 'body'>): RequestParts {
  const { method, authority, path, query, header } = request
  return { method, authority, path, query, header, scheme: 'https', hasBody: body.length > 0 }
}

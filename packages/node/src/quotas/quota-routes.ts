/** `/limits/requests` of the public listener: a partner, or a client with an API key, asks for a higher quota and reads
 *  what was decided. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'
import { jsonReply, type Reply } from '../http/problem-response.ts'
import type { QuotaAsker, QuotaRequest } from './quota-request.ts'
import type { QuotaRequests } from './quota-requests.ts'

/** An identified call. */
export interface QuotaCall {
  readonly method: string
  readonly path: string
  readonly contentType: string | undefined
  readonly body: Uint8Array
}

const maxBodyBytes = 8 * 1024
const noStore = ['cache-control', 'private, no-store']

/** Answers one call. Throws the problem that the caller should read. */
export async function answerQuotaCall(requests: QuotaRequests, asker: QuotaAsker, call: QuotaCall): Promise<Reply> {
  const [, id] = /^\/limits\/requests(?:\/([\w%:-]{1,200}))?$/.exec(call.path) ?? []
  const isList = call.path === '/limits/requests'
  if (!isList && id === undefined) throw new Problem('not-found', 'the node has no such address')
  const method = call.method === 'HEAD' ? 'GET' : call.method
  if (method !== (isList ? 'POST' : 'GET')) {
    const allow = isList ? ['POST'] : ['GET', 'HEAD']
    throw new Problem('method-not-allowed', 'this address is not for that', { members: { allow } })
  }
  if (id !== undefined) return jsonReply(200, shown(await requests.show(id, asker)), noStore)
  return jsonReply(202, shown(await requests.ask(asker, bodyOf(call))), noStore)
}

function bodyOf({ body, contentType }: QuotaCall): unknown {
  if (body.length > maxBodyBytes) throw new Problem('body-too-large', `the body is larger than ${maxBodyBytes} bytes`)
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw new Problem('unsupported-media-type', 'send `application/json`', {
      members: { accepted: ['application/json'] },
    })
  }
  return parseJson(utf8Text(body))
}

function shown({ id, limit, product, units, per, askedMs, decision }: QuotaRequest) {
  return {
    id,
    limit,
    ...(product !== '' && { product }),
    units,
    per,
    asked: formatDateTime(askedMs),
    state: decision?.state ?? 'asked',
    ...(decision !== undefined && { decided: formatDateTime(decision.decidedMs) }),
    ...(decision?.units !== undefined && { granted: decision.units }),
    ...(decision?.untilMs !== undefined && { until: formatDateTime(decision.untilMs) }),
    ...(decision?.note !== undefined && { note: decision.note }),
  }
}

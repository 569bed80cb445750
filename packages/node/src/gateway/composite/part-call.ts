/** One part of a composite as a call of its own: with the caller that signed the whole, and what the part itself says. */
import { partId } from '@comity/core/exchange/composite-parts'
import { parseTarget } from '@comity/core/exchange/path'
import type { ExchangeTrace } from '../../telemetry/traces.ts'
import type { ReceivedRequest } from '../../http/received-request.ts'
import { openCall, type InboundCall } from '../inbound-call.ts'
import type { ProductsPort } from '../ports.ts'
import type { WirePart } from './composite-request.ts'

/** Fields of the composite's own request that hold for each of its parts. */
const sharedFields = ['accept-language', 'comity-actor']

/** The call of one part. Throws `malformed-request`, `target-too-long` for a path or query that is no URL's. */
export function openPart(
  whole: InboundCall,
  { name, part }: { readonly name: string; readonly part: WirePart },
  products: ProductsPort,
): InboundCall {
  const call = openCall({
    id: partId(whole.id, name),
    receivedAtMs: whole.receivedAtMs,
    message: whole.message,
    request: requestOf(whole.request, part),
    addressed: products.get(part.product),
    trace: whole.trace && sharedTrace(whole.trace),
    isPart: true,
  })
  call.signature = whole.signature
  call.caller = whole.caller
  return call
}

/** The calls of the parts have their spans in the trace of the whole, which ends with the whole. */
function sharedTrace(trace: ExchangeTrace): ExchangeTrace {
  return { startCall: (nowMs) => trace.startCall(nowMs), end: () => undefined }
}

function requestOf(whole: ReceivedRequest, part: WirePart): ReceivedRequest {
  const { product, path, query, authorization, agreement, purpose, subject } = part
  const headers = new Map<string, string>()
  for (const name of sharedFields) setField(headers, name, whole.header(name))
  setField(headers, 'authorization', authorization)
  setField(headers, 'comity-agreement', agreement)
  setField(headers, 'comity-purpose', purpose)
  setField(headers, 'comity-subject', subject)
  const target = parseTarget(`/x/${product}${path}${query === undefined || query === '' ? '' : `?${query}`}`)
  const { authority, remoteAddress, clientKeyFingerprint } = whole
  const of = { authority, remoteAddress, clientKeyFingerprint, headers, header: (name: string) => headers.get(name) }
  return { method: 'GET', ...target, ...of }
}

function setField(headers: Map<string, string>, name: string, value: string | undefined): void {
  if (value !== undefined) headers.set(name, value)
}

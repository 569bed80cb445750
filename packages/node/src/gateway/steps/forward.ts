/** Step 10, `forward`: the operation's request goes upstream, without the caller's credentials. */
import { formatTraceparent } from '../../telemetry/trace-context.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { World } from '../ports.ts'
import { targetOf } from './match.ts'

/** What is sealed is sealed whole, a slice stands in the middle of an answer, and only HTTP/1.1 has an end that can be told from a cut. */
function takesStream({ request, message, sealing, isPart }: InboundCall): boolean {
  return !isPart && request.method === 'GET' && message.httpVersion === '1.1' && sealing.target === undefined
}

export function forward({ world }: { readonly world: World }): Step {
  return {
    name: 'forward',
    async run(call) {
      const { product, operation, request } = call
      // The answer to an earlier request with the same idempotency key is already there, or a reference in its place.
      if (product === undefined || operation === undefined || call.answer !== undefined) return
      const startedMs = world.clock.now()
      const span = call.trace?.startCall(startedMs)
      try {
        call.answer = await product.forward(operation, {
          ...targetOf(call),
          headers: request.headers,
          body: call.body,
          exchangeId: call.id,
          takesStream: takesStream(call),
          ...(call.consent && { subjectReference: call.consent.reference }),
          release: call.release,
          ...(span && { traceparent: formatTraceparent(span.context) }),
        })
      } finally {
        call.upstreamMs = world.clock.now() - startedMs
        span?.end(call.answer?.status, startedMs + call.upstreamMs)
      }
    },
  }
}

/** Step 10, `forward`: the operation's request goes upstream, without the caller's credentials. */
import { formatTraceparent } from '../../telemetry/trace-context.ts'
import type { Step } from '../inbound-call.ts'
import type { World } from '../ports.ts'
import { targetOf } from './match.ts'

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
          ...targetOf(call, product),
          headers: request.headers,
          body: call.body,
          exchangeId: call.id,
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

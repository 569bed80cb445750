/** Step 4 once more, `limit covered`, when 5 to 7 have passed: what is only known now is charged, which is how many items
 *  the call brings, whom it is about, and which operation a reference stands for. A call that is not covered never comes
 *  here, so nothing of it can be told from these limits. */
import type { InboundCall, Step } from '../inbound-call.ts'
import type { World } from '../ports.ts'
import { settleLimits } from './limit.ts'

export function limitCovered({ world }: { readonly world: World }): Step {
  return {
    name: 'limit covered',
    run(call: InboundCall) {
      const { limits, operation, consent } = call
      if (limits === undefined || operation === undefined) return
      const known = {
        operation: { id: operation.operationId, units: operation.units },
        subject: consent?.reference,
      }
      const answer = limits.chargeLater(known, world.clock.now())
      if (answer instanceof Promise) return answer.then((given) => settleLimits(call, given))
      if (answer !== undefined) settleLimits(call, answer)
    },
  }
}

/** Step 11, `minimise`: the answer is judged by the operation's schema; what is not declared does not leave. */
import type { Step } from '../inbound-call.ts'

export function minimise(): Step {
  return {
    name: 'minimise',
    run(call) {
      const { product, operation, answer } = call
      if (product === undefined || operation === undefined || answer === undefined || call.intent?.replayed) return
      call.answer = product.judge(operation, answer)
    },
  }
}

/** Step 4, `limit`: the product's rate for this caller; anonymous callers count by address. */
import { Problem } from '@comity/core/problems'
import type { Step } from '../inbound-call.ts'
import type { LimitsPort, ProductsPort, World } from '../ports.ts'

export interface LimitOptions {
  readonly world: World
  readonly limits: LimitsPort
  readonly products: ProductsPort
}

const productOfPath = /^\/x\/([^/]+)/

export function limit({ world, limits, products }: LimitOptions): Step {
  return {
    name: 'limit',
    run(call) {
      // An unknown product is `match`'s to refuse; nothing is spent on it.
      call.product = products.get(productOfPath.exec(call.request.path)?.[1] ?? '')
      if (call.product === undefined) return
      const caller = call.caller?.did ?? `ip:${call.request.remoteAddress}`
      const verdict = limits.admitCall(caller, call.product, world.clock.now())
      call.limitFields = verdict.fields
      if (verdict.admitted) return
      const { retryAfterSeconds } = verdict
      throw new Problem('rate-limited', `the limit of the product \`${call.product.id}\` is reached`, {
        members: { retryAfterSeconds },
      })
    },
  }
}

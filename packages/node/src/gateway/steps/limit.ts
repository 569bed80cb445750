/** Step 4, `limit`: the product's rate for this caller; anonymous callers count by address, and so do strangers at a
 *  public product, who could make themselves a new DID for every call. */
import { Problem } from '@comity/core/problems'
import { countedAddress } from '../../http/counted-address.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { LimitsPort, OfferedProduct, PartnerOfGateway, World } from '../ports.ts'

export interface LimitOptions {
  readonly world: World
  readonly limits: LimitsPort
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
}

function countedAs({ caller, request }: InboundCall, product: OfferedProduct, { partnerOf }: LimitOptions): string {
  // Strangers may call a personal product too, for a participant who passed a consent on to them.
  const isKnown = caller !== undefined && (product.productClass === 'partner' || partnerOf(caller.did) !== undefined)
  return isKnown ? caller.did : `ip:${countedAddress(request.remoteAddress)}`
}

export function limit(options: LimitOptions): Step {
  const { world, limits } = options
  return {
    name: 'limit',
    run(call) {
      // An unknown product is `match`'s to refuse; nothing is spent on it.
      call.product = call.addressed
      if (call.product === undefined) return
      const verdict = limits.admitCall(countedAs(call, call.product, options), call.product, world.clock.now())
      call.limitFields = verdict.fields
      if (verdict.admitted) return
      const { retryAfterSeconds } = verdict
      throw new Problem('rate-limited', `the limit of the product \`${call.product.id}\` is reached`, {
        members: { retryAfterSeconds },
      })
    },
  }
}

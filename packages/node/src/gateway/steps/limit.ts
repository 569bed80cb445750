/** Step 4, `limit`: the product's rate for this caller, and every other limit that a call meets by who makes it, from
 *  where, and what it asks for. Anonymous callers count by address, and so do strangers, who could make themselves a new
 *  DID for every call. */
import { countedAddress } from '../../http/counted-address.ts'
import { participantOf } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { CallToLimit, LimitAnswer, LimitsPort } from '../limit-port.ts'
import type { OfferedProduct, PartnerOfGateway, World } from '../ports.ts'
import { pathInProduct } from './match.ts'
import { isReference } from './resolve-reference.ts'

export interface LimitOptions {
  readonly world: World
  readonly limits: LimitsPort
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
}

/** Who is counted, and by which credential. */
export function callerOf(call: InboundCall, partner: PartnerOfGateway | undefined) {
  const { caller, client: presented } = call
  const address = countedAddress(call.request.remoteAddress)
  const isKnown = caller !== undefined && partner !== undefined
  if (presented !== undefined) {
    return {
      caller: presented.participant ?? `client:${presented.client}`,
      alias: partner?.alias,
      address,
      key: presented.keyId,
      client: presented.client,
      credential: presented.use === 'hmac' ? ('hmac-key' as const) : ('api-key' as const),
    }
  }
  return {
    caller: isKnown ? caller.did : `ip:${address}`,
    alias: partner?.alias,
    address,
    key: isKnown ? caller.keyid : undefined,
    client: undefined,
    credential: caller === undefined ? ('none' as const) : ('signature' as const),
  }
}

/** The call as limits look at it, when it comes in. */
export function callToLimit(
  call: InboundCall,
  product: OfferedProduct,
  { partnerOf }: Pick<LimitOptions, 'partnerOf'>,
): CallToLimit {
  const did = participantOf(call)
  const counted = callerOf(call, did === undefined ? undefined : partnerOf(did))
  return {
    ...counted,
    // Keys that succeed each other have one limit, also while both work.
    key: call.client?.line ?? counted.key,
    product,
    operation: () => operationOf(call, product),
  }
}

/** The operation that a call asks for; undefined when it is none, or not known yet. */
export function operationOf({ request }: Pick<InboundCall, 'request'>, product: OfferedProduct) {
  try {
    // What a reference stands for is known once it is resolved, and charged then.
    if (isReference(request.path)) return undefined
    return product.operationAt(request.method, pathInProduct(request.path))
  } catch {
    // A path that is none is `match`'s to refuse.
    return undefined
  }
}

/** Tells the call how its limits stand. Throws what ends it. */
export function settleLimits(call: InboundCall, { fields, refusal, hold }: LimitAnswer): void {
  if (fields.length > 0) call.limitFields = fields
  if (hold !== undefined) call.limits = hold
  if (refusal !== undefined) throw refusal
}

export function limit(options: LimitOptions): Step {
  const { world, limits } = options
  return {
    name: 'limit',
    run(call) {
      // An unknown product is `match`'s to refuse; nothing is spent on it.
      call.product = call.addressed
      if (call.product === undefined) return
      const answer = limits.admitCall(callToLimit(call, call.product, options), world.clock.now())
      if (answer instanceof Promise) return answer.then((given) => settleLimits(call, given))
      settleLimits(call, answer)
    },
  }
}

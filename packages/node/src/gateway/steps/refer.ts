/** Step 10 where the product answers with references, `refer`: instead of calling the upstream, a link is promised by
 *  which the same caller may make this very call once, soon, past every check anew. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { addressInPath } from '@comity/core/exchange/product-address'
import { accountOf } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { World } from '../ports.ts'
import type { NewReference } from '../references/reference-store.ts'
import { targetOf } from './match.ts'
import { referenceId } from './resolve-reference.ts'

export interface ReferOptions {
  readonly world: World
  /** Origin of the public listener. */
  readonly origin: string
}

/** Media type of an answer that is a reference. */
export const referenceMediaType = 'application/vnd.comity.reference+json'

function referralOf(call: InboundCall, lifeSeconds: number, { world, origin }: ReferOptions) {
  const { product, id } = call
  const account = accountOf(call)
  if (product === undefined || account === undefined) throw new Error('a reference for nobody, or to no product')
  const address = addressInPath(call.request.path)
  const secret = encodeBase64url(world.randomBytes(32))
  const expiresMs = world.clock.now() + lifeSeconds * 1_000
  const referral: NewReference = {
    id: referenceId(secret),
    caller: account,
    product: address,
    request: targetOf(call),
    subject: call.consent?.key,
    issuedBy: id,
    expiresMs,
  }
  const body = JSON.stringify({
    reference: `${origin}/x/${address}/~references/${secret}`,
    expires: new Date(expiresMs).toISOString(),
  })
  const headers = ['content-type', referenceMediaType, 'cache-control', 'no-store']
  return { referral, answer: { status: 200, headers, body: Buffer.from(body) } }
}

export function refer(options: ReferOptions): Step {
  return {
    name: 'refer',
    run(call) {
      const { operation, request, resolved } = call
      const seconds = operation?.referenceSeconds
      if (seconds === undefined || resolved !== undefined || request.method !== 'GET') return
      const { referral, answer } = referralOf(call, seconds, options)
      call.referral = referral
      call.answer = answer
    },
  }
}

/** Step 3, `freshness`: inside the time window, and the nonce never seen. Runs after the signature was good. */
import { checkFreshness } from '@comity/core/http-signatures/freshness'
import { Problem } from '@comity/core/problems'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { ClientOfGateway, KeysPort } from '../key-port.ts'
import type { NonceStore } from '../nonce-store.ts'
import type { PartnerOfGateway, World } from '../ports.ts'

export interface FreshnessOptions {
  readonly world: World
  readonly nonces: NonceStore
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
  readonly keys: Pick<KeysPort, 'takeSequence' | 'used'>
  readonly skewSeconds: number
}

type Signed = NonNullable<InboundCall['signature']>

function checkNonce(call: InboundCall, signature: Signed, options: FreshnessOptions): void {
  const { world, nonces, skewSeconds, partnerOf } = options
  const nowMs = world.clock.now()
  const verdict = checkFreshness(signature, nowMs, { skewSeconds })
  if (!verdict.fresh) {
    throw new Problem('signature-stale', verdict.detail, { members: { serverTime: Math.floor(nowMs / 1000) } })
  }
  const { keyid, nonce, expires: expiresSeconds } = signature
  const isStranger = call.caller !== undefined && partnerOf(call.caller.did) === undefined
  const remembered = nonces.remember({ keyid, nonce, expiresSeconds, isStranger }, nowMs)
  if (remembered === 'replayed') throw new Problem('nonce-replayed', 'this request was received before')
  if (remembered !== 'fresh') {
    const detail =
      remembered === 'full' ? 'too many requests in the last minute' : 'the clock of the node was just set back'
    throw new Problem('nonce-store-full', detail, {
      members: { retryAfterSeconds: 5 },
    })
  }
}

/** The number that a request with a MAC must carry; it is covered where it is there. */
function sequenceOf({ request }: InboundCall): number {
  const field = request.header('comity-sequence')
  if (field === undefined)
    throw new Problem(
      'sequence-stale',
      'the request has no `Comity-Sequence`, which each request of this key must carry',
    )
  if (!/^(?:0|[1-9]\d{0,14})$/.test(field)) {
    throw new Problem('malformed-request', '`Comity-Sequence` must be a whole number of at most 15 digits')
  }
  return Number(field)
}

/** Numbers rise even where nonces are forgotten. */
async function takeSequence(call: InboundCall, { keyId }: ClientOfGateway, options: FreshnessOptions): Promise<void> {
  await options.keys.takeSequence(keyId, sequenceOf(call))
  countUse(call, keyId, options)
}

function countUse({ request }: InboundCall, keyId: string, { keys, world }: FreshnessOptions): void {
  keys.used(keyId, { address: request.remoteAddress }, world.clock.now())
}

export function freshness(options: FreshnessOptions): Step {
  return {
    name: 'freshness',
    run(call) {
      const { signature, client } = call
      if (signature === undefined) return
      checkNonce(call, signature, options)
      if (client === undefined) return
      if (client.sequence) return takeSequence(call, client, options)
      countUse(call, client.keyId, options)
    },
  }
}

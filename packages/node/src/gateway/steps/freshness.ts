/** Step 3, `freshness`: inside the time window, and the nonce never seen. Runs after the signature was good. */
import { checkFreshness } from '@comity/core/http-signatures/freshness'
import { Problem } from '@comity/core/problems'
import type { Step } from '../inbound-call.ts'
import type { NonceStore } from '../nonce-store.ts'
import type { PartnerOfGateway, World } from '../ports.ts'

export interface FreshnessOptions {
  readonly world: World
  readonly nonces: NonceStore
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
  readonly skewSeconds: number
}

export function freshness({ world, nonces, skewSeconds, partnerOf }: FreshnessOptions): Step {
  return {
    name: 'freshness',
    run({ signature }) {
      if (signature === undefined) return
      const nowMs = world.clock.now()
      const verdict = checkFreshness(signature, nowMs, { skewSeconds })
      if (!verdict.fresh) {
        throw new Problem('signature-stale', verdict.detail, { members: { serverTime: Math.floor(nowMs / 1000) } })
      }
      const { keyid, nonce, expires: expiresSeconds, did } = signature
      const isStranger = partnerOf(did) === undefined
      const remembered = nonces.remember({ keyid, nonce, expiresSeconds, isStranger }, nowMs)
      if (remembered === 'replayed') throw new Problem('nonce-replayed', 'this request was received before')
      if (remembered !== 'fresh') {
        const detail =
          remembered === 'full' ? 'too many requests in the last minute' : 'the clock of the node was just set back'
        throw new Problem('nonce-store-full', detail, {
          members: { retryAfterSeconds: 5 },
        })
      }
    },
  }
}

/** The last step for the node's own signed addresses, which write no exchange: that the request came is durable before it is
 *  acted upon, so that a restart forgets none. */
import type { ExchangeStore } from '../exchange-store.ts'
import type { Step } from '../inbound-call.ts'
import { recordFailure } from './record-outcome.ts'

/** Throws `record-failed` while the storage takes no note of it. */
export function rememberRequest(exchanges: Pick<ExchangeStore, 'rememberSigned'>): Step {
  return {
    name: 'remember request',
    async run({ signature, receivedAtMs }) {
      if (signature === undefined) return
      const { keyid, nonce, expires } = signature
      try {
        await exchanges.rememberSigned({ keyid, nonce, expiresSeconds: expires }, receivedAtMs)
      } catch (error) {
        throw recordFailure(error)
      }
    },
  }
}

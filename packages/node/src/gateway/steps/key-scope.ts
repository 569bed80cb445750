/** What a caller with an API key may do at most: whether the product takes such a key, whether the scope covers the
 *  operation, and which fields it leaves. A scope only ever narrows what agreement and policy allow. */
import { decideKeyScope, keyScopeMask } from '@comity/core/api-keys/key-scope'
import { narrowRelease } from '@comity/core/minimisation/mask-release'
import { Problem } from '@comity/core/problems'
import { isIdentified } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { OfferedProduct } from '../ports.ts'
import { isSafeMethod } from './record-intent.ts'

/** What a caller with an API key does at a product that takes such keys. */
const waysOf = {
  plain: 'send an API key as `Authorization: Bearer cmty_…` or `X-API-Key: cmty_…`',
  hmac: 'sign it with an API key of the use `hmac`',
} as const

/** Throws `signature-missing` where nobody is known and somebody must be, `key-use` for a key that the product does not
 *  take, `key-scope` for one whose client belongs to no participant. */
export function requireParty(call: InboundCall, { id, productClass, keys }: OfferedProduct): void {
  const { client } = call
  if (!isIdentified(call) && productClass !== 'public') {
    const how = keys === 'none' ? 'sign the request' : `sign the request, or ${waysOf[keys]}`
    throw new Problem('signature-missing', `the product \`${id}\` is for partners: ${how}`)
  }
  if (client === undefined) return
  if (productClass === 'personal') {
    throw new Problem(
      'key-use',
      `the product \`${id}\` is about people: no API key opens it, of whatever kind, since a consent is bound to a participant's own signature`,
    )
  }
  if (keys === 'none') throw new Problem('key-use', `the product \`${id}\` takes no API keys, of whatever kind`)
  if (keys === 'hmac' && client.use !== 'hmac') {
    throw new Problem('key-use', `the product \`${id}\` takes only API keys that sign, those of the use \`hmac\``)
  }
  if (productClass !== 'public' && client.participant === undefined) {
    throw new Problem('key-scope', 'the API key belongs to no participant: it opens public products only')
  }
}

export const keyScope: Step = {
  name: 'key scope',
  run(call) {
    const { client, product, operation } = call
    if (client === undefined || product === undefined || operation === undefined) return
    const asked = { product: product.id, operation: operation.operationId, hasLabels: operation.data !== undefined }
    const verdict = decideKeyScope(client.scope, asked)
    if (!verdict.allowed) throw new Problem('key-scope', verdict.detail)
    if (call.release === undefined || operation.data === undefined) return
    const mask = keyScopeMask(client.scope, call.release.released)
    if (mask === undefined) return
    call.release = narrowRelease(call.release, mask, operation.data.labels)
    // What changes something may go on without an answer; a read for nothing need not be made.
    if (call.release.released.length > 0 || !isSafeMethod(call.request.method)) return
    throw new Problem('key-scope', 'the scope of the key covers none of the fields that the call asks for')
  },
}

/** Before step 4, `key fits`: what an API key can never do here is refused before any limit is charged, so that a key which
 *  is out of its scope uses up nothing of what its participant may. */
import { decideKeyScope, type KeyScope } from '@comity/core/api-keys/key-scope'
import { Problem } from '@comity/core/problems'
import type { Step } from '../inbound-call.ts'
import { requireParty } from './key-scope.ts'
import { operationOf } from './limit.ts'

/** Products that a scope names, by themselves or by their operations. */
function productsOf({ products, operations }: KeyScope): readonly string[] | undefined {
  return products ?? operations?.map((operation) => operation.slice(0, operation.indexOf('/')))
}

export const keyFits: Step = {
  name: 'key fits',
  run(call) {
    const { client, addressed: product } = call
    if (client === undefined || product === undefined) return
    requireParty(call, product)
    const operation = operationOf(call, product)
    const { scope } = client
    // What is no operation, or not known yet, is for later steps; what it must be of is the product.
    const judged = operation === undefined ? { products: productsOf(scope) } : { ...scope, fields: undefined }
    const asked = { product: product.id, operation: operation?.id ?? '', hasLabels: true }
    const verdict = decideKeyScope(judged, asked)
    if (!verdict.allowed) throw new Problem('key-scope', verdict.detail)
  },
}

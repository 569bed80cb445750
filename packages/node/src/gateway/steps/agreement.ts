/** Step 6, `agreement`: one in force, between these two, for this product, operation and purpose. */
import { Problem } from '@comity/core/problems'
import type { Step } from '../inbound-call.ts'
import type { AgreementsPort, World } from '../ports.ts'

export interface AgreementOptions {
  readonly world: World
  readonly did: string
  readonly agreements: AgreementsPort
}

export function agreement({ world, did, agreements }: AgreementOptions): Step {
  return {
    name: 'agreement',
    run(call) {
      const { product, operation, caller, request } = call
      if (product === undefined || operation === undefined) return
      const agreementId = request.header('comity-agreement')
      // A public product needs none; one that the caller names is judged all the same, and stands in the receipt.
      if (product.productClass === 'public' && (caller === undefined || agreementId === undefined)) return
      if (caller === undefined) throw new Problem('signature-missing', `the product \`${product.id}\` is for partners`)
      const verdict = agreements.decide(
        {
          assigner: did,
          assignee: caller.did,
          product: product.id,
          operation: operation.operationId,
          purpose: request.header('comity-purpose'),
          agreementId,
        },
        world.clock.now(),
      )
      if (!verdict.allowed) {
        const members = verdict.agreements === undefined ? {} : { agreements: verdict.agreements }
        throw new Problem(verdict.code, verdict.detail, { members })
      }
      call.agreementId = verdict.agreementId
      call.purpose = verdict.purpose
    },
  }
}

/** Step 6, `agreement`: one in force, between these two, for this product, operation and purpose. */
import { Problem } from '@comity/core/problems'
import type { Step } from '../inbound-call.ts'
import type { AgreementsPort, PartnerOfGateway, World } from '../ports.ts'

export interface AgreementOptions {
  readonly world: World
  readonly did: string
  readonly agreements: AgreementsPort
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
}

export function agreement({ world, did, agreements, partnerOf }: AgreementOptions): Step {
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
      // A did:key needs no fetching and gets this far; removing the partner ends what was agreed with it all the same.
      if (partnerOf(caller.did) === undefined) {
        throw new Problem('participant-unknown', `\`${caller.did}\` is not a partner of this node`)
      }
      call.agreementId = verdict.agreementId
      call.purpose = verdict.purpose
    },
  }
}

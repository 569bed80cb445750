/** Step 6, `agreement`: one in force, between these two, for this product, operation and purpose. A delegate calls under
 *  the agreement of the participant that it acts for. */
import { Problem } from '@comity/core/problems'
import { callerOfConsent } from '../caller-of-consent.ts'
import { participantOf } from '../calling-party.ts'
import type { Caller, InboundCall, Step } from '../inbound-call.ts'
import type { AgreementsPort, ConsentsPort, OfferedProduct, PartnerOfGateway, World } from '../ports.ts'

export interface AgreementOptions {
  readonly world: World
  readonly did: string
  readonly agreements: AgreementsPort
  readonly consents: Pick<ConsentsPort, 'clientOf'>
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
}

/** The chain of tokens of a caller who acts for another. */
function delegationOf(call: InboundCall, product: OfferedProduct): string | undefined {
  if (product.productClass !== 'personal') return undefined
  const authorization = call.request.header('authorization')
  return authorization?.includes('~') ? authorization : undefined
}

/** Judges the agreement with the participant that calls, or for whom the caller calls. */
function judge(call: InboundCall, assignee: string, options: AgreementOptions): void {
  const { request, product, operation } = call
  const question = {
    assigner: options.did,
    assignee,
    product: product?.id ?? '',
    operation: operation?.operationId,
    purpose: request.header('comity-purpose'),
    // What is looked at again while an answer leaves is the agreement that the call began under.
    agreementId: call.agreementId ?? request.header('comity-agreement'),
  }
  const verdict = options.agreements.decide(question, options.world.clock.now())
  if (!verdict.allowed) {
    const members = verdict.agreements === undefined ? {} : { agreements: verdict.agreements }
    throw new Problem(verdict.code, verdict.detail, { members })
  }
  // A did:key needs no fetching and gets this far; removing the partner ends what was agreed with it all the same.
  if (options.partnerOf(assignee) === undefined) {
    throw new Problem('participant-unknown', `\`${assignee}\` is not a partner of this node`)
  }
  call.agreementId = verdict.agreementId
  call.purpose = verdict.purpose
}

/** Verified before it is asked whose agreement it is: nobody learns what others have agreed by naming them. */
async function judgeDelegated(
  call: InboundCall,
  { caller, chain }: { readonly caller: Caller; readonly chain: string },
  options: AgreementOptions,
): Promise<void> {
  const bearer = callerOfConsent(caller, options.partnerOf)
  judge(call, await options.consents.clientOf(chain, bearer, options.world.clock.now()), options)
}

export function agreement(options: AgreementOptions): Step {
  return {
    name: 'agreement',
    run(call) {
      const { product, operation, caller, request } = call
      if (product === undefined || operation === undefined) return
      const isNamed = request.header('comity-agreement') !== undefined
      // A public product needs none; one that the caller names is judged all the same, and stands in the receipt.
      const did = participantOf(call)
      if (product.productClass === 'public' && (did === undefined || !isNamed)) return
      if (did === undefined) throw new Problem('signature-missing', `the product \`${product.id}\` is for partners`)
      const chain = delegationOf(call, product)
      if (chain !== undefined && caller !== undefined) return judgeDelegated(call, { caller, chain }, options)
      judge(call, did, options)
    },
  }
}

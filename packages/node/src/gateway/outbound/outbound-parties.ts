/** Outbound step 2: the partner that is called, and the agreement and the consent that cover the call. */
import { Problem } from '@comity/core/problems'
import type { ReceivedRequest } from '../../http/received-request.ts'
import { pairwiseIn, type AttachedConsent, type HeldConsentsPort } from './outbound-consent.ts'
import type { AgreementsPort, IdentityPort, World } from '../ports.ts'
import type { PartnerLink } from './send-request.ts'

export interface PartiesParts {
  readonly world: World
  readonly identity: Pick<IdentityPort, 'did'>
  readonly agreements: AgreementsPort
  readonly consents: HeldConsentsPort
  readonly partners: { find(aliasOrDid: string): PartnerLink | undefined }
}

/** What of an application's call says who is asked, and under what. */
export type AskedCall = Pick<ReceivedRequest, 'path' | 'query' | 'header'>

export interface CalledProduct {
  readonly partner: PartnerLink
  readonly product: string
}

/** Throws `partner-unknown`. */
export function findPartner({ partners }: Pick<PartiesParts, 'partners'>, name: string): PartnerLink {
  const partner = partners.find(name)
  if (partner !== undefined) return partner
  throw new Problem('partner-unknown', `there is no partner \`${name.slice(0, 200)}\``)
}

/** Of a call that this node refuses: whose API it was for, as far as that can be told. */
export interface RefusedCall {
  readonly peer?: string | undefined
  readonly product?: string | undefined
}

/** Nothing where the partner is not known: names that an application made up are told to nobody. */
export function refusedCall(
  { partners }: Pick<PartiesParts, 'partners'>,
  partner: string,
  product: string,
): RefusedCall {
  const known = partners.find(partner)
  return known === undefined ? {} : { peer: known.did, product }
}

/** The agreement to call under. None known is no refusal yet: the product may be public, which its holder knows, as it
 *  knows which of several agreements allows the operation. */
export function findAgreement(
  { world, identity, agreements }: Pick<PartiesParts, 'world' | 'identity' | 'agreements'>,
  request: AskedCall,
  { partner, product }: CalledProduct,
): string | undefined {
  const named = request.header('comity-agreement')
  const question = {
    assigner: partner.did,
    assignee: identity.did,
    product,
    operation: undefined,
    purpose: request.header('comity-purpose'),
    agreementId: named,
  }
  const verdict = agreements.decide(question, world.clock.now())
  if (verdict.allowed) return verdict.agreementId
  if (named === undefined && (verdict.code === 'agreement-required' || verdict.isUpToOperation === true)) {
    return undefined
  }
  const members = verdict.agreements === undefined ? {} : { agreements: verdict.agreements }
  throw new Problem(verdict.code, verdict.detail, { members })
}

/** The consent to call under; none for a call that names neither a consent nor a person. */
export async function findConsent(
  { consents }: Pick<PartiesParts, 'consents'>,
  request: AskedCall,
  { partner, product }: CalledProduct,
): Promise<AttachedConsent | undefined> {
  return consents.attach({
    partner: partner.did,
    product,
    purpose: request.header('comity-purpose'),
    named: request.header('comity-consent'),
    subject: pairwiseIn(request),
  })
}

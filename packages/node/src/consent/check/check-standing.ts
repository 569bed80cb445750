/** The facts that a call is judged by, and the part of the judgement that needs no scopes: whose consent it is, whether
 *  it stands, and whether the call is about the person that it is of. Reading the facts is the same work whatever is
 *  presented, so that the time it takes tells nothing. */
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import type { ConsentQuestion, ConsentRefused, ConsentStanding } from '../consent-service.ts'
import type { ConsentCheckParts } from './check-ports.ts'

export type Caller = ConsentQuestion['caller']

export interface CallFacts {
  readonly chain: VerifiedChain | undefined
  readonly row: ConsentStanding | undefined
  /** True when what the call names is the holder's own reference of the row's subject. */
  readonly namesReference: boolean
}

/** No consent has it. */
const noConsent = 'urn:uuid:00000000-0000-0000-0000-000000000000'

/** One text for all that a stranger may not tell apart. */
export const consentRequired: ConsentRefused = {
  allowed: false,
  code: 'consent-required',
  detail: 'no consent was presented that covers this call',
}

/** Reads the row and computes what the named subject is called, also where it is known already that it is in vain. */
export async function loadFacts(
  chain: VerifiedChain | undefined,
  { subject = '', caller }: ConsentQuestion,
  { standing, vault }: Pick<ConsentCheckParts, 'standing' | 'vault'>,
): Promise<CallFacts> {
  const row = await standing(chain?.root.consent.id ?? noConsent)
  const pairwise = vault.pairwise(subject, chain?.root.client_id ?? caller.did)
  const handle = vault.handleOf(subject)
  return { chain, row, namesReference: pairwise === chain?.root.sub && handle === row?.subject }
}

/** True when the chain ends at this caller, by name and by key. */
export function isBearer({ leaf, keyThumbprint }: VerifiedChain, caller: Caller): boolean {
  return leaf.client_id === caller.did && keyThumbprint === caller.keyThumbprint
}

/** Judges the row by the token: whether it stands, and as the token says. Undefined when nothing is wrong. */
export function decideStanding(
  row: ConsentStanding,
  { root }: VerifiedChain,
  nowMs: number,
): ConsentRefused | undefined {
  const { state, notBeforeMs = Number.POSITIVE_INFINITY, expiresMs = 0 } = row
  if (state !== 'active') return inactive(`the consent is ${state}`, state)
  if (nowMs >= expiresMs) return inactive('the consent is expired', 'expired')
  if (nowMs < notBeforeMs) return inactive('the consent is not in force yet', state)
  if (row.rev === root.consent.rev && row.hash === root.consent.hash) return undefined
  return { allowed: false, code: 'consent-superseded', detail: 'the consent has changed since the token was issued' }
}

/** A consent that does not stand now. */
export function inactive(detail: string, state: string): ConsentRefused {
  return { allowed: false, code: 'consent-inactive', detail, members: { state } }
}

/** True when the call is about the token's subject, named by pairwise id or by reference, and says so throughout. */
export function isAboutSubject(
  { chain, namesReference }: CallFacts,
  { subject, subjectField }: Pick<ConsentQuestion, 'subject' | 'subjectField'>,
): boolean {
  const pairwise = chain?.root.sub
  if (subject === undefined || (subject !== pairwise && !namesReference)) return false
  return subjectField === undefined || subjectField === subject || subjectField === pairwise
}

/** The delegations of a chain: whether each stands, and which are new to the holder. */
import type { ConsentTokenClaims, VerifiedChain } from '@comity/core/consent-token/consent-claims'
import type { Statement } from '../../storage/database.ts'
import type { ConsentCheckParts, DelegationLink, DelegationsPort } from './check-ports.ts'
import { inactive } from './check-standing.ts'
import type { ConsentRefused } from '../consent-service.ts'
import { isSameDelegation, maxDelegations } from '../holder/consent-store.ts'

export interface CheckedDelegations {
  readonly refusal: ConsentRefused | undefined
  readonly links: readonly DelegationLink[]
  /** Those of them that the holder did not know. */
  readonly unknown: readonly DelegationLink[]
}

const none: CheckedDelegations = { refusal: undefined, links: [], unknown: [] }

/** Looks every delegation up at the holder and, where it names one, in its issuer's status list. Throws
 *  `status-unavailable`. */
export async function checkDelegations(
  { root, children }: VerifiedChain,
  { delegations, statuses }: Pick<ConsentCheckParts, 'delegations' | 'statuses'>,
): Promise<CheckedDelegations> {
  if (children.length === 0) return none
  const judged = await judgeKnown({ root, children }, delegations)
  const { links, unknown } = judged
  if (judged.refusal !== undefined) return judged
  for (const [index, { status }] of children.entries()) {
    const value = status && (await statuses.check(status.status_list, links[index]?.delegator ?? ''))
    if (value !== undefined && value !== 'valid')
      return { links, unknown, refusal: value === 'suspended' ? paused : ended }
  }
  return { links, unknown, refusal: undefined }
}

/** What the holder itself knows of the delegations, without the lists of others. */
export async function judgeKnown(
  { root, children }: Pick<VerifiedChain, 'root' | 'children'>,
  delegations: Pick<DelegationsPort, 'list'>,
): Promise<CheckedDelegations> {
  if (children.length === 0) return none
  const links = linksOf([root, ...children])
  const known = await delegations.list(root.consent.id)
  const knownOf = (link: DelegationLink) => known.find((one) => isSameDelegation(one, link))
  const unknown = links.filter((link) => knownOf(link) === undefined)
  const refused = (refusal: ConsentRefused | undefined) => ({ links, unknown, refusal })
  // Whoever hides behind the id of another's delegation would hear neither of the end nor of what is owed.
  const claimants = [...known, ...links]
  const isAnothers = (link: DelegationLink) =>
    claimants.some((one) => isSameDelegation(one, link) && one.delegate !== link.delegate)
  if (links.some(isAnothers)) return refused(anothers)
  if (links.some((link) => knownOf(link)?.endedMs !== undefined)) return refused(ended)
  return refused(unknown.length > 0 && known.length + unknown.length > maxDelegations ? tooMany : undefined)
}

const anothers: ConsentRefused = {
  allowed: false,
  code: 'consent-token-invalid',
  detail:
    'the id of a delegation of the chain stands for another delegate: each delegate needs a delegation of its own',
}
const ended = inactive('a delegation of the chain has ended', 'revoked')
const paused = inactive('a delegation of the chain is paused', 'paused')
const tooMany: ConsentRefused = {
  allowed: false,
  code: 'consent-quota',
  detail: 'the consent was passed on too often',
}

function linksOf(claims: readonly ConsentTokenClaims[]): DelegationLink[] {
  return claims.slice(1).map((child, index) => ({
    consent: child.consent.id,
    delegation: child.consent.delegation ?? '',
    delegator: claims[index]?.client_id ?? '',
    delegate: child.client_id,
    depth: child.del_depth,
  }))
}

/** The writes that note delegations which were unknown so far. */
export function noteDelegations(
  unknown: readonly DelegationLink[],
  { delegations }: Pick<ConsentCheckParts, 'delegations'>,
  nowMs: number,
): readonly Statement[] {
  return unknown.map((link) => delegations.note(link, nowMs))
}

/** What a delegation's uses are counted under: no DID holds a space. */
export function linkName({ delegator, delegation }: DelegationLink): string {
  return `${delegator} ${delegation}`
}

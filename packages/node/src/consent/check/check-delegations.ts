/** The delegations of a chain: whether each stands, and which are new to the holder. */
import type { ConsentTokenClaims, VerifiedChain } from '@comity/core/consent-token/consent-claims'
import type { Statement } from '../../storage/database.ts'
import type { ConsentCheckParts, DelegationLink } from './check-ports.ts'
import { inactive } from './check-standing.ts'
import type { ConsentRefused } from '../consent-service.ts'
import { maxDelegations } from '../holder/consent-store.ts'

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
  const links = linksOf([root, ...children])
  const known = await delegations.list(root.consent.id)
  const knownOf = (link: DelegationLink) =>
    known.find(({ delegation, delegator }) => delegation === link.delegation && delegator === link.delegator)
  const unknown = links.filter((link) => knownOf(link) === undefined)
  if (links.some((link) => knownOf(link)?.endedMs !== undefined)) return { links, unknown, refusal: ended }
  if (unknown.length > 0 && known.length + unknown.length > maxDelegations) return { links, unknown, refusal: tooMany }
  for (const [index, { status }] of children.entries()) {
    const value = status && (await statuses.check(status.status_list, links[index]?.delegator ?? ''))
    if (value !== undefined && value !== 'valid')
      return { links, unknown, refusal: value === 'suspended' ? paused : ended }
  }
  return { links, unknown, refusal: undefined }
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

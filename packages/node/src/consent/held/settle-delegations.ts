/** What becomes of delegations when a consent gives less than before: one that still fits stays, what was left to the
 *  consent to say follows it, and a part that names what is not there any more falls away. When no part is left, the
 *  delegation ends, and its delegate and the holder are told. */
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import type { ConsentTokenClaims } from '@comity/core/consent-token/consent-claims'
import { withDenials } from '@comity/core/consent-token/delegation'
import { scopeNarrowingFaults } from '@comity/core/consent-token/scope-narrowing'
import { passedOnFaults } from '@comity/core/consent-token/token-narrowing'
import { delegationEnded } from '@comity/core/events/event-types'
import type { Statement } from '../../storage/database.ts'
import type { DelegatedPart, DelegatedTerms, Delegation, DelegationEnd, HeldConsent } from './held-consent.ts'
import { sealUnder } from './held-details.ts'
import { recordStep, type HeldParts } from './held-parts.ts'

/** What a bearer may pass on: the leaf of its own chain. */
export type Giver = Pick<ConsentTokenClaims, 'authorization_details' | 'del_depth' | 'sub'>

/** The scopes that are left for the delegate; undefined when nothing is. Pure. */
export function decideLeft(
  { scopes, parts }: DelegatedTerms,
  delegate: string,
  giver: Giver,
): readonly ConsentScope[] | undefined {
  const { authorization_details: given, del_depth: depth } = giver
  const isCovered = (some: readonly ConsentScope[]): boolean => {
    const child = { authorization_details: withDenials(some, given), client_id: delegate, del_depth: depth + 1 }
    return some.length > 0 && passedOnFaults(child, giver).length === 0
  }
  if (isCovered(scopes)) return scopes
  const left = parts.flatMap((part) => {
    const [own, earlier] = [scopeOf(given, part.grant), scopeOf(scopes, part.grant)]
    if (own === undefined || earlier === undefined) return []
    const scope = takePart(part, own)
    // A delegation never grows, whatever else has changed with the consent.
    const isLess = [own, earlier].every((wider) => scopeNarrowingFaults(scope, wider).length === 0)
    return isLess ? [scope] : []
  })
  return isCovered(left) ? left : undefined
}

/** The whole scope of a part. Passing on further is not allowed unless it is said. */
export function takePart(part: DelegatedPart, own: ConsentScope): ConsentScope {
  return { ...own, onward: { allow: 'none' }, ...part }
}

function scopeOf(scopes: readonly ConsentScope[], name: string): ConsentScope | undefined {
  return scopes.find(({ grant }) => grant === name)
}

/** What was passed on; undefined when the person was erased. */
export async function unsealTerms(
  { vault }: Pick<HeldParts, 'vault'>,
  { sealed }: Pick<Delegation, 'sealed'>,
): Promise<DelegatedTerms | undefined> {
  const text = await vault.unseal(sealed)
  if (text === undefined) return undefined
  const kept = JSON.parse(text) as DelegatedTerms | readonly ConsentScope[]
  // Earlier versions kept the scopes alone: there everything counts as said.
  return 'scopes' in kept ? kept : { scopes: kept, parts: kept }
}

/** Looks at every delegation of a consent after its terms were read anew. */
export async function settleDelegations(parts: HeldParts, held: HeldConsent): Promise<void> {
  const standing = await parts.store.standingDelegations(held.id)
  if (standing.length === 0 || held.state !== 'active') return
  const { verified } = await parts.keeper.fresh(held)
  for (const delegation of standing) await settleDelegation(parts, held, { delegation, giver: verified.leaf })
}

/** The scopes of a delegation under what the consent gives now; undefined when it has ended or the person was erased. */
export async function settleDelegation(
  parts: HeldParts,
  held: HeldConsent,
  { delegation, giver }: { readonly delegation: Delegation; readonly giver: Giver },
): Promise<readonly ConsentScope[] | undefined> {
  const terms = await unsealTerms(parts, delegation)
  if (terms === undefined) return undefined
  const left = decideLeft(terms, delegation.delegate, giver)
  const untilMs = Math.min(delegation.untilMs, held.expiresMs ?? Infinity)
  if (left === undefined) await endUncovered(parts, held, delegation)
  else if (left !== terms.scopes || untilMs < delegation.untilMs) {
    const { vault, store } = parts
    const sealed = await sealUnder(vault, vault.handleOf(giver.sub), { ...terms, scopes: left })
    const facts = factsOf('delegation-narrowed', delegation)
    await recordStep(parts, facts, [store.narrowDelegation({ id: delegation.id, sealed, untilMs })])
  }
  return left
}

async function endUncovered(parts: HeldParts, { holder }: HeldConsent, delegation: Delegation): Promise<void> {
  // Whoever else looked at it meanwhile has ended it.
  if ((await parts.store.findDelegation(delegation.id))?.endedMs !== undefined) return
  const ending = endingOf(parts, delegation, { holder, nowMs: parts.clock.now(), by: 'narrowing' })
  await recordStep(parts, { ...factsOf('delegation-ended', delegation), by: 'narrowing' }, ending)
  parts.outbox.wake()
}

function factsOf(type: string, { consent, id, delegate }: Delegation) {
  return { type, consent, delegation: id, peer: delegate }
}

/** The writes that end a delegation and tell its delegate and the holder. */
export function endingOf(
  { store, outbox }: Pick<HeldParts, 'store' | 'outbox'>,
  { id, consent, delegate }: Delegation,
  { holder, nowMs, by }: { readonly holder: string; readonly nowMs: number; readonly by: DelegationEnd },
): Statement[] {
  const payload = { consent, holder, delegation: id, delegate }
  const notices = [delegate, holder].map((recipient) =>
    outbox.statement({ recipient, type: delegationEnded, payload, occurredMs: nowMs }),
  )
  return [store.endDelegation(id, { atMs: nowMs, by }), ...notices]
}

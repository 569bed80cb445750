/** What other nodes tell of consents that this node holds: the holder that one changed or ended, a delegator that a
 *  part was passed on, or not any more. A token of what changed is dropped at once, and delegates of this node are
 *  told on. */
import {
  consentChanged,
  consentChangedPayload,
  consentDelegatedPayload,
  delegationEndedPayload,
  type ConsentChangedPayload,
  type ConsentDelegatedPayload,
} from '@comity/core/events/event-types'
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import { verifyConsentChain } from '@comity/core/consent-token/consent-chain'
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../../storage/database.ts'
import { blank } from './held-consents.ts'
import { endedStates, type HeldConsent } from './held-consent.ts'
import { admit, handleOfRequests, sealUnder } from './held-details.ts'
import { noticeOfChange } from './held-notice.ts'
import type { HeldParts } from './held-parts.ts'
import { endingOf } from './settle-delegations.ts'

/** What was told, and by whom; verified. */
export interface ToldEvent {
  /** DID. */
  readonly issuer: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly occurredMs: number
}

/** Handlers of the inbox: each gives the writes that the event brings about. */
export interface HeldEvents {
  consentChanged(event: ToldEvent): Promise<readonly Statement[]>
  /** For the delegate; what the holder does with the same event is its own. */
  consentDelegated(event: ToldEvent): Promise<readonly Statement[]>
  delegationEnded(event: ToldEvent): Promise<readonly Statement[]>
}

export interface HeldEventsParts extends HeldParts {
  /** Told of consents whose details should be read soon, once the event is written down. */
  readonly readSoon: (id: string) => void
}

export function createHeldEvents(parts: HeldEventsParts): HeldEvents {
  return {
    consentChanged: (event) => changed(parts, event),
    consentDelegated: (event) => delegated(parts, event),
    delegationEnded: (event) => ended(parts, event),
  }
}

async function changed(parts: HeldEventsParts, { issuer, payload }: ToldEvent): Promise<readonly Statement[]> {
  const told = consentChangedPayload.parse(payload)
  const rows = await parts.store.findByConsent(told.consent)
  const concerned = rows.filter(
    ({ holder, source }) => holder === told.holder && (issuer === holder || issuer === source),
  )
  if (rows.length === 0 && issuer === told.holder) return adopt(parts, told)
  const effects = await Promise.all(concerned.map((held) => changeOf(parts, held, { told, issuer })))
  return effects.flat()
}

interface Told {
  readonly told: ConsentChangedPayload
  readonly issuer: string
}

async function changeOf(parts: HeldEventsParts, held: HeldConsent, { told, issuer }: Told): Promise<Statement[]> {
  const isHolder = issuer === held.holder
  const isNews = told.seq > held.seq && (isHolder || told.seq > held.sourceSeq)
  if (!isNews || endedStates.includes(held.state)) return []
  parts.keeper.drop(held.id)
  parts.readSoon(held.id)
  const { state, rev, hash, seq } = told
  const step = { id: held.id, state, rev, hash, seq, atMs: parts.clock.now() }
  const { store } = parts
  const delegations = await store.standingDelegations(held.id)
  const notices = delegations.map(({ delegate }) => forward(parts, delegate, told))
  const endings = endedStates.includes(state)
    ? delegations.map(({ id }) => store.endDelegation(id, { atMs: step.atMs, by: 'consent' }))
    : []
  const forgetting = endedStates.includes(state) ? await forgetUndecided(parts, held) : []
  const own = noticeOfChange(parts, { before: held, after: { ...held, state, rev, seq } })
  return [...own, isHolder ? store.applyStep(step) : store.applySourceStep(step), ...notices, ...endings, ...forgetting]
}

/** Who was asked and did not consent is not named here any longer than needed. */
async function forgetUndecided({ store, vault }: HeldParts, held: HeldConsent): Promise<Statement[]> {
  if (held.subject !== undefined || held.delegation !== undefined) return []
  return [store.saveDetails({ ...held, sealed: await sealUnder(vault, handleOfRequests(vault), {}) })]
}

function forward({ outbox }: HeldParts, recipient: string, told: ConsentChangedPayload): Statement {
  return outbox.statement({ recipient, type: consentChanged, payload: told, occurredMs: told.time })
}

/** As many consents of a holder's as this node takes on its word at a time; one whose record was read is not among
 *  them any more. Answers are lost rarely, and any partner can tell of ids that it makes up. */
export const maxUnread = 100

/** A consent that a holder gave without this node knowing of the request: the answer to it may have been lost. */
async function adopt(parts: HeldEventsParts, told: ConsentChangedPayload): Promise<Statement[]> {
  if (told.state !== 'active' || told.rev === 0) return []
  const { vault, clock, store } = parts
  if ((await store.countUnread(told.holder)) >= maxUnread) return []
  const { state, rev, hash, seq } = told
  const sealed = await sealUnder(vault, handleOfRequests(vault), {})
  parts.readSoon(told.consent)
  const held = { ...blank(told.consent, told.holder, clock.now()), state, rev, hash, seq, sealed }
  return [...noticeOfChange(parts, { before: undefined, after: held }), store.insert(held)]
}

async function delegated(parts: HeldEventsParts, { issuer, payload }: ToldEvent): Promise<readonly Statement[]> {
  const told = consentDelegatedPayload.parse(payload)
  if (told.delegate !== parts.did) return []
  const { leaf } = await verifyDelegation(parts, told, issuer)
  const { vault, store, clock } = parts
  const subject = vault.handleOf(leaf.sub)
  const details = { subject: leaf.sub, scopes: leaf.authorization_details }
  const { rev, hash } = leaf.consent
  const key = await admit(vault, subject, { execute: parts.execute, nowMs: clock.now() })
  const held: HeldConsent = {
    ...blank(told.delegation, told.holder, clock.now()),
    consent: told.consent,
    source: issuer,
    delegation: told.delegation,
    subject,
    state: 'active',
    rev,
    hash,
    expiresMs: told.until,
    sealed: key.seal(JSON.stringify(details)),
  }
  return [...noticeOfChange(parts, { before: undefined, after: held }), store.insert(held)]
}

/** The chain shows what was passed on; it need not have reached this node while it counted. */
async function verifyDelegation(
  parts: HeldEventsParts,
  told: ConsentDelegatedPayload,
  issuer: string,
): Promise<VerifiedChain> {
  const parsed = parseConsentChain(told.token)
  const last = parsed.links.at(-1)?.claims
  const giver = parsed.links.at(-2)?.claims.client_id
  const isTold =
    last?.client_id === parts.did &&
    last.consent.id === told.consent &&
    last.consent.delegation === told.delegation &&
    parsed.root.claims.iss === told.holder &&
    parsed.root.kid.startsWith(`${told.holder}#`)
  if (!isTold || giver !== issuer)
    throw new Problem('event-invalid', 'the chain is not the one that the event tells of')
  const atMs = last.nbf * 1_000
  const rootKey = await parts.resolveKey(parsed.root.kid, 'assertionMethod', atMs)
  try {
    return verifyConsentChain(parsed, rootKey, {
      holder: told.holder,
      nowMs: atMs,
      skewSeconds: parts.skewSeconds,
    })
  } catch (cause) {
    throw new Problem('event-invalid', 'the chain of the delegation does not verify', { cause })
  }
}

async function ended(parts: HeldEventsParts, { issuer, payload }: ToldEvent): Promise<readonly Statement[]> {
  const told = delegationEndedPayload.parse(payload)
  if (told.delegate !== parts.did) return []
  const held = await parts.store.find(told.delegation)
  if (held === undefined || held.source !== issuer || endedStates.includes(held.state)) return []
  parts.keeper.drop(held.id)
  const nowMs = parts.clock.now()
  const delegations = await parts.store.standingDelegations(held.id)
  const endings = delegations.flatMap((one) => endingOf(parts, one, { holder: held.holder, nowMs, by: 'consent' }))
  // It ends whatever step was told of the consent meanwhile.
  const after: HeldConsent = { ...held, state: 'revoked', seq: Number.MAX_SAFE_INTEGER }
  return [...noticeOfChange(parts, { before: held, after }), parts.store.end(held.id, nowMs), ...endings]
}

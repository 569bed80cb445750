/** The consents that this node asks for and holds as a recipient: asked, followed until they are decided, read and
 *  verified, given up. */
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { parseConsentRequest } from '@comity/core/consent/consent-request'
import type { ConsentState } from '@comity/core/consent/consent-record'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { Problem } from '@comity/core/problems'
import type { PartnerEndpoint } from '../../http/partner-client.ts'
import { endedStates, type HeldConsent, type HeldDetails } from './held-consent.ts'
import { admit, handleOfLabel, handleOfRequests, sealUnder, unsealDetails } from './held-details.ts'
import { recordChange } from './held-notice.ts'
import { recordStep, type HeldParts } from './held-parts.ts'
import type { HeldFilter } from './held-store.ts'
import type { HeldToken } from './held-token-keeper.ts'
import { settleDelegations } from './settle-delegations.ts'
import { requireOwnId, verifyShownConsent, type VerifiedShown } from './held-verify.ts'

export interface ConsentAsk {
  /** Alias or DID of the holder. */
  readonly partner: string
  /** Content of `POST /consents/requests`. */
  readonly request: unknown
  /** The application's own name for the person, to find the consent again. */
  readonly label?: string | undefined
}

export interface ShownHeld {
  readonly held: HeldConsent
  /** Undefined when the person was erased. */
  readonly details: HeldDetails | undefined
}

export interface HeldQuestion {
  readonly state?: ConsentState | undefined
  /** Alias or DID. */
  readonly holder?: string | undefined
  /** Pairwise id. */
  readonly subject?: string | undefined
  readonly label?: string | undefined
  readonly before?: string | undefined
  readonly limit?: number | undefined
}

export interface HeldConsents {
  /** Throws `partner-unknown`, `consent-request-invalid`, what the holder answers, `record-failed`. */
  ask(ask: ConsentAsk): Promise<HeldConsent>
  /** Reads at its source how a consent stands now. Throws `consent-unknown`, and what the source answers. */
  refresh(id: string): Promise<HeldConsent>
  /** By its own id, or by that of the consent when there is one only. Throws `consent-unknown`. */
  show(id: string): Promise<ShownHeld>
  list(question: HeldQuestion): Promise<ShownHeld[]>
  /** Gives a consent up at its holder. Throws `consent-unknown`, `consent-state`, what the holder answers. */
  revoke(id: string, reason?: string): Promise<HeldConsent>
  /** The token that a call would carry now. Throws `consent-unknown`, `consent-inactive`, what the source answers. */
  token(id: string): Promise<HeldToken>
}

export function createHeldConsents(parts: HeldParts): HeldConsents {
  const show = async (id: string): Promise<ShownHeld> => {
    const held = await findHeld(parts, id)
    return { held, details: await unsealDetails(parts.vault, held) }
  }
  /** One after the other would read the same twice; at once they would overwrite each other. */
  const refreshing = new Map<string, Promise<HeldConsent>>()
  const refreshOnce = (held: HeldConsent): Promise<HeldConsent> => {
    const running = refreshing.get(held.id) ?? refreshHeld(parts, held).finally(() => refreshing.delete(held.id))
    refreshing.set(held.id, running)
    return running
  }
  return {
    ask: (asked) => ask(parts, asked),
    refresh: async (id) => refreshOnce(await findHeld(parts, id)),
    show,
    async list({ holder, subject, label, limit = 50, ...rest }) {
      const { vault, store } = parts
      const filter: HeldFilter = {
        ...rest,
        limit,
        holder: holder === undefined ? undefined : (parts.findPartner(holder)?.did ?? holder),
        subject: subject === undefined ? undefined : vault.handleOf(subject),
        label: label === undefined ? undefined : handleOfLabel(vault, label),
      }
      const rows = await store.list(filter)
      return Promise.all(rows.map(async (held) => ({ held, details: await unsealDetails(vault, held) })))
    },
    async token(id) {
      const held = await findHeld(parts, id)
      requireActive(held)
      return parts.keeper.current(held)
    },
    async revoke(id, reason) {
      const held = await findHeld(parts, id)
      await revoke(parts, held, reason)
      return refreshOnce(held)
    },
  }
}

/** Throws `consent-unknown`. */
export async function findHeld({ store }: Pick<HeldParts, 'store'>, id: string): Promise<HeldConsent> {
  const held = await store.find(id)
  if (held !== undefined) return held
  const [only, ...others] = await store.findByConsent(id)
  if (only === undefined || others.length > 0) {
    throw new Problem('consent-unknown', 'this node holds no such consent, or several: name one by its own id')
  }
  return only
}

/** Throws `consent-inactive` with its state. */
export function requireActive({ state }: Pick<HeldConsent, 'state'>): void {
  if (state === 'active') return
  throw new Problem('consent-inactive', `the consent is ${state}`, { members: { state } })
}

/** Throws `partner-unknown`. */
export function requirePartner({ findPartner }: Pick<HeldParts, 'findPartner'>, name: string): PartnerEndpoint {
  const partner = findPartner(name)
  if (partner !== undefined) return partner
  throw new Problem('partner-unknown', `there is no partner \`${name.slice(0, 200)}\``)
}

async function ask(parts: HeldParts, { partner: name, request, label }: ConsentAsk): Promise<HeldConsent> {
  const { store, vault, clock, newId } = parts
  const partner = requirePartner(parts, name)
  const parsed = parseConsentRequest(request)
  const answered = await parts.source.ask(partner, parsed, newId())
  await requireOwnId(parts, answered.id, partner.did)
  const details: HeldDetails = { label, reference: parsed.subject.reference }
  const nowMs = clock.now()
  const held: HeldConsent = {
    ...blank(answered.id, partner.did, nowMs),
    label: label === undefined ? undefined : handleOfLabel(vault, label),
    state: answered.state,
    lapsesMs: answered.lapsesMs,
    sealed: await sealUnder(vault, handleOfRequests(vault), details),
  }
  const facts = { type: 'consent-asked', consent: held.consent, peer: partner.did }
  await recordStep(parts, facts, [store.insert(held)])
  return (await store.find(held.id)) ?? held
}

/** A consent of which nothing is known but who gives it. */
export function blank(id: string, holder: string, nowMs: number): Omit<HeldConsent, 'sealed'> {
  return {
    id,
    consent: id,
    holder,
    source: holder,
    delegation: undefined,
    subject: undefined,
    label: undefined,
    state: 'requested',
    rev: 0,
    hash: undefined,
    seq: 0,
    sourceSeq: 0,
    expiresMs: undefined,
    lapsesMs: undefined,
    createdMs: nowMs,
    changedMs: nowMs,
    checkedMs: nowMs,
    readRev: 0,
  }
}

/** Reads at its source how it stands now. One that has ended stays as it is. Throws what the source answers. */
export async function refreshHeld(parts: HeldParts, held: HeldConsent): Promise<HeldConsent> {
  if (endedStates.includes(held.state)) return held
  if (held.delegation === undefined) await readAtHolder(parts, held)
  else await askForToken(parts, held)
  const now = (await parts.store.find(held.id)) ?? held
  await settleDelegations(parts, now)
  return now
}

/** The consent with the terms that were told last. */
export async function readAnew(parts: HeldParts, held: HeldConsent): Promise<HeldConsent> {
  return held.delegation === undefined && held.readRev < held.rev ? refreshHeld(parts, held) : held
}

/** States of a request of which there is no record, or none that is needed any more. */
const withoutRecord: ReadonlySet<ConsentState> = new Set(['requested', 'deferred', ...endedStates])

async function readAtHolder(parts: HeldParts, held: HeldConsent): Promise<void> {
  const partner = requirePartner(parts, held.source)
  if (held.rev === 0) {
    const { state, lapsesMs } = await parts.source.requestState(partner, held.consent)
    if (withoutRecord.has(state)) return saveState(parts, held, { state, lapsesMs })
  }
  const shown = await parts.source.show(partner, held.consent)
  if (shown.record === undefined || shown.record === null) return saveState(parts, held, shown)
  await saveShown(parts, held, await verifyShownConsent(parts, held, shown))
}

/** A delegate sees no record; whether its source still gives tokens is what there is to know. */
async function askForToken(parts: HeldParts, held: HeldConsent): Promise<void> {
  const { store, keeper, clock } = parts
  keeper.drop(held.id)
  const effects = [store.noteChecked(held.id, clock.now())]
  const state = await keeper.fresh(held).then(
    async ({ verified }) => {
      effects.push(...(await keepScopes(parts, held, verified.leaf.authorization_details)))
      return 'active' as const
    },
    (error: unknown) => stateOfRefusal(held, error),
  )
  if (state === held.state) await parts.execute(effects)
  else {
    effects.push(store.setState(held, state, clock.now()))
    await recordChange(parts, factsOf(held, state), { before: held, after: { ...held, state }, effects })
  }
}

/** What the delegator gives now, which may be less than it told at first. */
async function keepScopes({ store, vault }: HeldParts, held: HeldConsent, scopes: readonly ConsentScope[]) {
  const details = await unsealDetails(vault, held)
  if (details?.subject === undefined || canonicalJson(details.scopes ?? []) === canonicalJson(scopes)) return []
  const sealed = await sealUnder(vault, vault.handleOf(details.subject), { ...details, scopes })
  return [store.saveDetails({ ...held, sealed })]
}

/** The state that a source's refusal to give a token tells. Throws the error when it tells none. */
export function stateOfRefusal({ delegation }: Pick<HeldConsent, 'delegation'>, error: unknown): ConsentState {
  if (!(error instanceof Problem)) throw error
  const { state } = error.members
  const told = ['paused', ...endedStates].find((known) => known === state)
  if (error.code === 'consent-inactive' && told !== undefined) return told as ConsentState
  // Who passes a part on no longer knows the delegation when it was ended.
  if (error.code === 'consent-unknown' && delegation !== undefined) return 'revoked'
  throw error
}

function factsOf({ consent, id, holder }: HeldConsent, state: ConsentState) {
  const delegation = id === consent ? {} : { delegation: id }
  return { type: 'consent-held', consent, ...delegation, peer: holder, state }
}

async function saveState(
  parts: HeldParts,
  held: HeldConsent,
  { state, lapsesMs = held.lapsesMs }: { readonly state: ConsentState; readonly lapsesMs?: number | undefined },
): Promise<void> {
  const { store, clock, vault } = parts
  const nowMs = clock.now()
  if (state === held.state) return void (await parts.execute([store.noteChecked(held.id, nowMs)]))
  const known: HeldConsent = { ...held, state, lapsesMs, changedMs: nowMs, checkedMs: nowMs }
  // Who did not consent is not named here any longer than needed.
  const isOver = endedStates.includes(state) && held.subject === undefined
  const emptied = { ...known, sealed: isOver ? await sealUnder(vault, handleOfRequests(vault), {}) : held.sealed }
  const effects = [store.save(known), ...(isOver ? [store.saveDetails(emptied)] : [])]
  await recordChange(parts, factsOf(held, state), { before: held, after: known, effects })
}

async function saveShown(parts: HeldParts, held: HeldConsent, shown: VerifiedShown): Promise<void> {
  const { store, vault, clock, keeper } = parts
  const nowMs = clock.now()
  const { record, hash, state, seq } = shown
  if (held.readRev === record.rev && held.hash === hash && held.state === state && held.seq === seq) {
    return void (await parts.execute([store.noteChecked(held.id, nowMs)]))
  }
  const subject = vault.handleOf(record.subject.id)
  const earlier = await unsealDetails(vault, held)
  const details: HeldDetails = { ...earlier, subject: record.subject.id, scopes: record.grants, record }
  if (held.subject === undefined) await admit(vault, subject, { execute: parts.execute, nowMs })
  const known: HeldConsent = {
    ...held,
    state,
    seq,
    hash,
    subject,
    rev: record.rev,
    readRev: record.rev,
    expiresMs: Date.parse(record.validity.expires),
    changedMs: nowMs,
    checkedMs: nowMs,
    sealed: await sealUnder(vault, subject, details),
  }
  const facts = { ...factsOf(held, state), rev: record.rev, hash, seq }
  const effects = [store.save(known), store.saveDetails(known)]
  await recordChange(parts, facts, { before: held, after: known, effects })
  if (state !== 'active' || hash !== held.hash) keeper.drop(held.id)
}

async function revoke(parts: HeldParts, held: HeldConsent, reason: string | undefined): Promise<void> {
  if (held.delegation !== undefined) {
    throw new Problem('consent-state', 'a delegation is ended by who gave it', { members: { state: held.state } })
  }
  if (endedStates.includes(held.state)) {
    throw new Problem('consent-state', 'the consent has ended', { members: { state: held.state } })
  }
  await parts.source.revoke(requirePartner(parts, held.source), held.consent, reason)
  parts.keeper.drop(held.id)
}

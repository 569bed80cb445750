/** Passing a part of a held consent on to a processor, without asking the holder: narrower always, renewed by this node
 *  for as long as both the consent and the delegation stand. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { mintDelegation } from '@comity/core/consent-token/delegation'
import type { PublicJwk } from '@comity/core/crypto/crypto'
import { consentDelegated } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import { findHeld, readAnew, requireActive, requirePartner } from './held-consents.ts'
import type { DelegatedPart, DelegatedTerms, Delegation, HeldConsent } from './held-consent.ts'
import { recordStep, type HeldParts } from './held-parts.ts'
import type { HeldToken } from './held-token-keeper.ts'
import { endingOf, settleDelegation, takePart, unsealTerms } from './settle-delegations.ts'

export interface DelegationOrder {
  /** Id of the held consent. */
  readonly consent: string
  /** Alias or DID of the processor. */
  readonly delegate: string
  readonly parts: readonly DelegatedPart[]
  /** Not later than the consent ends. */
  readonly untilMs: number
}

export interface DelegationView extends Omit<Delegation, 'sealed'> {
  readonly holder: string
  /** Undefined when the person was erased. */
  readonly scopes: readonly ConsentScope[] | undefined
  /** Grants of which a part was passed on, and which a narrowing of the consent has taken from the delegation. */
  readonly dropped: readonly string[]
}

export interface HeldDelegations {
  /** Throws `consent-unknown`, `consent-inactive`, `partner-unknown`, `already-exists`, `delegation-refused`. */
  delegate(order: DelegationOrder): Promise<DelegationView>
  /** Ends one; one that has ended stays as it is. Throws `consent-unknown`. */
  end(id: string): Promise<DelegationView>
  list(): Promise<DelegationView[]>
  /** A fresh chain for a delegate of this node that asks for it with the key it is to be bound to; undefined when
   *  nothing was passed on to it. Throws `consent-inactive`, `delegation-refused`, what the own source answers. */
  tokenFor(consent: string, delegate: DelegateKey): Promise<DelegatedToken | undefined>
}

export interface DelegateKey {
  readonly did: string
  readonly jwk: PublicJwk
  /** Hash of the record whose tokens the holder takes no more, by the delegate's word. */
  readonly refused?: string | undefined
}

export interface DelegatedToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expires: number
}

const maxListed = 1_000

export function createHeldDelegations(parts: HeldParts): HeldDelegations {
  return {
    delegate: (order) => delegate(parts, order),
    async end(id) {
      const delegation = await parts.store.findDelegation(id)
      if (delegation === undefined) throw new Problem('consent-unknown', 'there is no such delegation')
      const held = await findHeld(parts, delegation.held)
      if (delegation.endedMs === undefined) {
        const { consent, delegate: peer } = delegation
        const facts = { type: 'delegation-ended', consent, delegation: id, peer }
        const ending = { holder: held.holder, nowMs: parts.clock.now(), by: 'order' } as const
        await recordStep(parts, facts, endingOf(parts, delegation, ending))
        parts.outbox.wake()
      }
      return viewOf(parts, (await parts.store.findDelegation(id)) ?? delegation)
    },
    list: async () =>
      Promise.all((await parts.store.listDelegations(maxListed)).map((delegation) => viewOf(parts, delegation))),
    tokenFor: (consent, key) => tokenFor(parts, consent, key),
  }
}

async function viewOf(parts: HeldParts, delegation: Delegation): Promise<DelegationView> {
  const { sealed, ...rest } = delegation
  const { holder } = await findHeld(parts, delegation.held)
  const { scopes, parts: passedOn = [] } = (await unsealTerms(parts, { sealed })) ?? {}
  const left = new Set(scopes?.map(({ grant }) => grant))
  const dropped = passedOn.flatMap(({ grant }) => (left.has(grant) ? [] : [grant]))
  return { ...rest, holder, scopes, dropped }
}

async function delegate(parts: HeldParts, order: DelegationOrder): Promise<DelegationView> {
  const held = await readAnew(parts, await findHeld(parts, order.consent))
  requireActive(held)
  requireWithin(held, order.untilMs)
  const { did } = requirePartner(parts, order.delegate)
  if ((await parts.store.delegationsTo(held.consent, did)).length > 0) {
    throw new Problem('already-exists', 'a part of this consent is passed on to this participant: end that first')
  }
  const token = await parts.keeper.fresh(held)
  const scopes = scopesOf(order.parts, token)
  const id = `urn:uuid:${parts.newId()}`
  const jwk = await parts.authenticationKeyOf(did)
  const chain = mint(parts, { id, untilMs: order.untilMs, scopes, token, delegate: { did, jwk } })
  const nowMs = parts.clock.now()
  const key = await parts.vault.open(parts.vault.handleOf(token.verified.leaf.sub))
  const delegation: Delegation = {
    id,
    held: held.id,
    consent: held.consent,
    delegate: did,
    sealed: key.seal(JSON.stringify({ scopes, parts: order.parts } satisfies DelegatedTerms)),
    untilMs: order.untilMs,
    createdMs: nowMs,
    endedMs: undefined,
    endedBy: undefined,
  }
  const { consent, holder } = held
  const payload = { consent, holder, delegation: id, delegate: did, token: chain, until: order.untilMs }
  const notices = [did, held.holder].map((recipient) =>
    parts.outbox.statement({ recipient, type: consentDelegated, payload, occurredMs: nowMs }, key),
  )
  const facts = { type: 'consent-delegated', consent: held.consent, delegation: id, peer: did }
  await recordStep(parts, facts, [parts.store.insertDelegation(delegation), ...notices])
  parts.outbox.wake()
  return viewOf(parts, delegation)
}

/** A delegation that outlives its consent would promise what it cannot keep. */
function requireWithin({ expiresMs, delegation }: HeldConsent, untilMs: number): void {
  if (expiresMs === undefined || untilMs <= expiresMs) return
  const end = formatDateTime(expiresMs)
  const what = delegation === undefined ? 'the consent' : 'the delegation to this node'
  throw refused(`it may last until \`${end}\` at most, when ${what} ends`, { ends: end })
}

function scopesOf(wanted: readonly DelegatedPart[], { verified }: HeldToken): ConsentScope[] {
  if (wanted.length === 0) throw refused('nothing is to be passed on')
  return wanted.map((part) => {
    const own = verified.leaf.authorization_details.find(({ grant }) => grant === part.grant)
    if (own === undefined) throw refused(`there is no grant \`${part.grant.slice(0, 64)}\``)
    return takePart(part, own)
  })
}

interface Minting {
  readonly id: string
  readonly untilMs: number
  readonly scopes: readonly ConsentScope[]
  readonly token: HeldToken
  readonly delegate: DelegateKey
}

function mint(parts: HeldParts, { id, untilMs, scopes, token, delegate: to }: Minting): string {
  const createdAt = Math.floor(parts.clock.now() / 1_000)
  return mintDelegation(
    {
      parent: token.chain,
      delegate: to,
      delegation: id,
      scopes,
      createdAt,
      expiresAt: Math.min(token.verified.leaf.exp, Math.floor(untilMs / 1_000)),
      jti: parts.newId(),
    },
    parts.authenticationKey(),
  )
}

async function tokenFor(parts: HeldParts, consent: string, to: DelegateKey): Promise<DelegatedToken | undefined> {
  const nowMs = parts.clock.now()
  const standing = await parts.store.delegationsTo(consent, to.did)
  const delegation = standing.find(({ untilMs }) => untilMs > nowMs)
  if (delegation === undefined) return undefined
  const held = await findHeld(parts, delegation.held)
  requireActive(held)
  const token = await freshFor(parts, held, to)
  const scopes = await settleDelegation(parts, held, { delegation, giver: token.verified.leaf })
  if (scopes === undefined) return undefined
  const { id, untilMs } = delegation
  const chain = mint(parts, { id, untilMs, scopes, token, delegate: to })
  return { token: chain, expires: Math.min(token.verified.leaf.exp, Math.floor(untilMs / 1_000)) * 1_000 }
}

/** A delegate may have heard of a change before this node has. */
async function freshFor({ keeper }: HeldParts, held: HeldConsent, { refused: hash }: DelegateKey): Promise<HeldToken> {
  const token = await keeper.fresh(held)
  return hash === token.verified.root.consent.hash ? keeper.renewed(held, token.chain) : token
}

function refused(error: string, members: Readonly<Record<string, string>> = {}): Problem {
  return new Problem('delegation-refused', `the delegation is refused: ${error}`, {
    members: { errors: [error], ...members },
  })
}

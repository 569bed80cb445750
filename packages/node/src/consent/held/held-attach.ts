/** Finds the consent under which a call about a person is made, and the token that shows it: refused here, with what is
 *  missing, rather than at the holder. */
import { isPurposeWithin } from '@comity/core/consent/purposes'
import { consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { Problem } from '@comity/core/problems'
import { requireActive, stateOfRefusal } from './held-consents.ts'
import type { HeldConsent } from './held-consent.ts'
import { unsealDetails } from './held-details.ts'
import { recordChange } from './held-notice.ts'
import type { HeldParts } from './held-parts.ts'
import { createSuccessorSearch, type FindSuccessor } from './held-successor.ts'
import type { HeldToken } from './held-token-keeper.ts'

export interface CallAboutPerson {
  /** DID of the holder that is called. */
  readonly partner: string
  readonly product: string
  /** IRI. */
  readonly purpose: string | undefined
  /** Id of a consent or a delegation, as the application named it. */
  readonly named: string | undefined
  /** Pairwise id. */
  readonly subject: string | undefined
}

export interface AttachedConsent {
  readonly consent: string
  /** This node acts for another: the call is covered by that one's agreement, not by an own one. */
  readonly isDelegated: boolean
  /** The field `Authorization`. */
  readonly authorization: string
  /** The own key that the request must be signed with. */
  readonly keyid: string
  /** With another token, after the holder refused this one. */
  renewed(): Promise<AttachedConsent>
  /** For a consent that was found by the person: the one that has taken its place, if there is one. */
  successor(): Promise<AttachedConsent | undefined>
}

/** Undefined for a call that names neither a consent nor a person. Throws `consent-unknown`, `consent-inactive` with the
 *  state, `consent-ambiguous`, and what the source of tokens answers. */
export function createHeldAttach(parts: HeldParts): (call: CallAboutPerson) => Promise<AttachedConsent | undefined> {
  const findSuccessor = createSuccessorSearch(parts)
  return async (call) => {
    const held = await findFor(parts, call)
    if (held === undefined) return undefined
    const successor = call.named === undefined ? () => attachSuccessor(parts, findSuccessor, held) : nothing
    if (held.state === 'superseded') {
      const next = await successor()
      if (next !== undefined) return next
    }
    return attach(parts, requireCallable(parts, held), { take: () => parts.keeper.current(held), successor })
  }
}

type Successor = AttachedConsent['successor']

const nothing: Successor = () => Promise.resolve(undefined)

/** The successor of a successor is for the next call. */
async function attachSuccessor(
  parts: HeldParts,
  findSuccessor: FindSuccessor,
  held: HeldConsent,
): Promise<AttachedConsent | undefined> {
  const next = await findSuccessor(held)
  if (next === undefined || hasExpired(parts, next)) return undefined
  return attach(parts, next, { take: () => parts.keeper.current(next), successor: nothing })
}

/** As far as it is known which; whether it stands is not looked at where there is one only. */
async function findFor(parts: HeldParts, call: CallAboutPerson): Promise<HeldConsent | undefined> {
  if (call.named !== undefined) return findNamed(parts, call.named, call.partner)
  if (call.subject === undefined) return undefined
  const { vault, store } = parts
  const known = await store.findForSubject(call.partner, vault.handleOf(call.subject))
  const active = known.filter((held) => held.state === 'active' && !hasExpired(parts, held))
  const [only, ...others] = active
  if (only === undefined) return known[0] ?? missing('for this person')
  return others.length === 0 ? only : chooseAmong(parts, active, call)
}

async function findNamed({ store }: HeldParts, named: string, partner: string): Promise<HeldConsent> {
  const exact = await store.find(named)
  const rows = exact === undefined ? await store.findByConsent(named) : [exact]
  const atPartner = rows.filter(({ holder }) => holder === partner)
  const [first] = atPartner
  if (first === undefined) return missing('of this id')
  const standing = atPartner.filter(({ state }) => state === 'active')
  if (standing.length > 1) throw ambiguous(standing)
  return standing[0] ?? first
}

function missing(which: string): never {
  throw new Problem('consent-unknown', `this node holds no consent ${which} at this partner; ask for one, or name it`)
}

function hasExpired({ clock }: HeldParts, { expiresMs }: HeldConsent): boolean {
  return expiresMs !== undefined && expiresMs <= clock.now()
}

function requireCallable(parts: HeldParts, held: HeldConsent): HeldConsent {
  requireActive(hasExpired(parts, held) && held.state === 'active' ? { state: 'expired' } : held)
  return held
}

/** Those whose grants are about this product and purpose. */
async function chooseAmong(
  { vault }: HeldParts,
  active: readonly HeldConsent[],
  { product, purpose }: CallAboutPerson,
): Promise<HeldConsent> {
  const fits = await Promise.all(
    active.map(async (held) => {
      const { scopes = [] } = (await unsealDetails(vault, held)) ?? {}
      return scopes.some(
        (scope) =>
          scope.effect === 'permit' &&
          scope.products.includes(product) &&
          (purpose === undefined || isPurposeWithin(purpose, scope.purposes)),
      )
    }),
  )
  const fitting = active.filter((_, index) => fits[index])
  const [only, ...others] = fitting
  if (only === undefined || others.length > 0) throw ambiguous(only === undefined ? active : fitting)
  return only
}

function ambiguous(held: readonly HeldConsent[]): Problem {
  const consents = held.map(({ id }) => id)
  return new Problem('consent-ambiguous', 'several consents could cover this call', { members: { consents } })
}

interface Attaching {
  readonly take: () => Promise<HeldToken>
  readonly successor: Successor
}

async function attach(parts: HeldParts, held: HeldConsent, { take, successor }: Attaching): Promise<AttachedConsent> {
  let token: HeldToken
  try {
    token = await take().catch((error: unknown) => noteRefusal(parts, held, error))
  } catch (error) {
    const next = isSuperseded(error) ? await successor() : undefined
    if (next === undefined) throw error
    return next
  }
  return {
    consent: held.consent,
    isDelegated: held.delegation !== undefined,
    authorization: consentAuthorization(token.chain),
    keyid: token.keyid,
    renewed: () => attach(parts, held, { take: () => parts.keeper.renewed(held, token.chain), successor }),
    successor,
  }
}

function isSuperseded(error: unknown): boolean {
  return error instanceof Problem && error.code === 'consent-inactive' && error.members['state'] === 'superseded'
}

/** What the source says of the state counts here too until a step is told. */
async function noteRefusal(parts: HeldParts, held: HeldConsent, error: unknown): Promise<never> {
  const state = stateOfRefusal(held, error)
  const { consent, id, holder: peer } = held
  const delegation = id === consent ? {} : { delegation: id }
  const facts = { type: 'consent-held', consent, ...delegation, peer, state }
  const effects = [parts.store.setState(held, state, parts.clock.now())]
  await recordChange(parts, facts, { before: held, after: { ...held, state }, effects })
  throw new Problem('consent-inactive', `the consent is ${state}`, { cause: error, members: { state } })
}

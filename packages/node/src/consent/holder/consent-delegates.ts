/** What recipients tell their holder of delegations: who else has a part of a consent, so that an end reaches them too.
 *  Counted is only what a chain of tokens proves, and only from whom the chain names. */
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import { verifyConsentChain } from '@comity/core/consent-token/consent-chain'
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { consentDelegatedPayload, delegationEndedPayload } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../../storage/database.ts'
import { loadOwedRecord } from './consent-changes.ts'
import { missedBy } from './consent-effects.ts'
import type { ConsentsParts } from './consent-ports.ts'
import { isSameDelegation, maxDelegations, type KnownDelegate, type StoredConsent } from './consent-store.ts'
import { standingAt } from './standing.ts'

/** What was told, and by whom; the word is verified to be theirs. */
export interface ToldByDelegator {
  /** DID. */
  readonly issuer: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** Handlers of the inbox: each gives the writes that the event brings about. */
export interface DelegateEvents {
  /** Throws `event-invalid` for a chain that does not prove it. */
  consentDelegated(event: ToldByDelegator): Promise<readonly Statement[]>
  delegationEnded(event: ToldByDelegator): Promise<readonly Statement[]>
}

/** For events about consents of this holder; those about others give no writes. */
export function createDelegateEvents(parts: ConsentsParts): DelegateEvents {
  return {
    consentDelegated: (event) => delegated(parts, event),
    async delegationEnded({ issuer, payload }) {
      const { holder, consent, delegation } = delegationEndedPayload.parse(payload)
      if (holder !== parts.did) return []
      return [parts.store.endDelegate({ consent, delegation, delegator: issuer }, parts.clock.now())]
    },
  }
}

async function delegated(parts: ConsentsParts, { issuer, payload }: ToldByDelegator): Promise<readonly Statement[]> {
  const told = consentDelegatedPayload.parse(payload)
  // The same event goes to the delegate, for whom it is another's holder's.
  if (told.holder !== parts.did) return []
  const { chain, delegator } = await verifiedChain(parts, told.token)
  const { leaf, root } = chain
  const isTold =
    leaf.client_id === told.delegate && leaf.consent.id === told.consent && leaf.consent.delegation === told.delegation
  if (!isTold || delegator !== issuer) throw invalid()
  const consent = await parts.store.find(told.consent)
  if (consent?.recipient !== root.client_id || !(await isOwnRevision(parts, chain))) throw invalid()
  return entering(parts, consent, {
    consent: told.consent,
    delegation: told.delegation,
    delegator,
    delegate: told.delegate,
    depth: leaf.del_depth,
    firstSeenMs: parts.clock.now(),
    endedMs: undefined,
  })
}

async function entering(
  parts: ConsentsParts,
  consent: StoredConsent,
  delegate: KnownDelegate,
): Promise<readonly Statement[]> {
  const nowMs = parts.clock.now()
  const known = await parts.store.loadDelegates(consent.id)
  const same = known.find((one) => isSameDelegation(one, delegate))
  if (same?.delegate === delegate.delegate) return []
  if (same !== undefined) throw new Problem('event-invalid', 'the id of the delegation stands for another delegate')
  if (known.length >= maxDelegations) throw new Problem('event-invalid', 'the consent was passed on too often')
  const facts = { consent: standingAt(consent, nowMs), record: await loadOwedRecord(parts, consent), nowMs }
  return [parts.store.insertDelegate(delegate), ...missedBy(parts, delegate.delegate, facts)]
}

/** The chain as it counted when it was made: it need not have arrived while it did. */
async function verifiedChain(
  { did, resolveKey }: ConsentsParts,
  token: string,
): Promise<{ readonly chain: VerifiedChain; readonly delegator: string | undefined }> {
  const parsed = orInvalid(() => parseConsentChain(token))
  const last = parsed.links.at(-1)?.claims
  if (last === undefined || !parsed.root.kid.startsWith(`${did}#`)) throw invalid()
  const madeMs = last.nbf * 1000
  const key: VerifyingKey = await resolveKey(parsed.root.kid, 'assertionMethod', madeMs)
  const chain = orInvalid(() => verifyConsentChain(parsed, key, { holder: did, nowMs: madeMs, skewSeconds: 0 }))
  return { chain, delegator: parsed.links.at(-2)?.claims.client_id }
}

async function isOwnRevision({ store }: ConsentsParts, { leaf: { consent } }: VerifiedChain): Promise<boolean> {
  return (await store.findRevision(consent.id, consent.rev))?.hash === consent.hash
}

function orInvalid<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw invalid(cause)
  }
}

/** One text for everything, so that it does not tell which consents there are. */
function invalid(cause?: unknown): Problem {
  return new Problem('event-invalid', 'the chain does not show what the event tells', { cause })
}

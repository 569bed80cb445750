/** Believes of what a holder shows only what its signature and the hashes prove. */
import { proofKeyId, verifyConsentProof } from '@comity/core/consent/consent-proof'
import type { ConsentEvent, ConsentProof, ConsentRecord, ConsentState } from '@comity/core/consent/consent-record'
import {
  eventHash,
  parseConsentEvent,
  parseConsentRecord,
  recordHash,
  verifyEventChain,
} from '@comity/core/consent/parse-record'
import { didOfKeyId } from '@comity/core/identity/did'
import { Problem } from '@comity/core/problems'
import type { HeldConsent } from './held-consent.ts'
import type { HeldParts } from './held-parts.ts'
import type { ShownConsent } from './held-source.ts'

export interface VerifiedShown {
  readonly state: ConsentState
  /** Of the last step. */
  readonly seq: number
  readonly record: ConsentRecord
  readonly hash: string
  /** Of the last step, where it has one. */
  readonly reason: ConsentEvent['reason']
  /** Hash of the last step. */
  readonly stepHash: string
}

/** What another holder gives must not be taken for this one's answer. Throws `answer-unusable`. */
export async function requireOwnId({ store }: Pick<HeldParts, 'store'>, id: string, holder: string): Promise<void> {
  const known = await store.find(id)
  if (known === undefined || known.holder === holder) return
  throw new Problem('answer-unusable', `the node of \`${holder}\` answered with the id of a consent that another gives`)
}

/** The record with the holder's proof, about this consent and for this node, and the steps that led to its state.
 *  Throws `consent-record-invalid`, `consent-proof-invalid`, and what resolving the key throws. */
export async function verifyShownConsent(
  parts: Pick<HeldParts, 'did' | 'resolveKey'>,
  held: Pick<HeldConsent, 'consent' | 'holder'>,
  shown: ShownConsent,
): Promise<VerifiedShown> {
  const record = parseConsentRecord(shown.record)
  requireOurs(parts.did, held, record)
  const hash = recordHash(record)
  await verifyHolderProof(parts, record, { hash, holder: held.holder })
  const events = shown.events.map(parseConsentEvent)
  verifyEventChain(events)
  const last = events.at(-1)
  if (last === undefined || last.consent !== held.consent || last.state !== shown.state) {
    throw invalid('the steps are not those of the state')
  }
  return { state: shown.state, seq: last.seq, record, hash, reason: last.reason, stepHash: eventHash(last) }
}

function requireOurs(did: string, { consent, holder }: Pick<HeldConsent, 'consent' | 'holder'>, record: ConsentRecord) {
  const partyOf = (role: string) => record.parties.find((party) => party.role === role)?.id
  if (record.id !== consent) throw invalid('the record is of another consent')
  if (partyOf('holder') !== holder) throw invalid('the record is of another holder')
  if (partyOf('recipient') !== did) throw invalid('the record is for another recipient')
}

async function verifyHolderProof(
  { resolveKey }: Pick<HeldParts, 'resolveKey'>,
  record: ConsentRecord,
  { hash, holder }: { readonly hash: string; readonly holder: string },
): Promise<void> {
  const proof = record.proofs.find(isHolderProof)
  if (proof === undefined) throw invalid('the holder has not signed the record')
  const keyid = proofKeyId(proof)
  // Before the key is asked for: a holder must not make this node resolve DIDs of its choosing.
  if (didOfKeyId(keyid) !== holder) throw invalid('the record is signed by another')
  const holderKey = await resolveKey(keyid, 'assertionMethod', Date.parse(proof.at))
  verifyConsentProof(proof, hash, { holderKey })
}

function isHolderProof(proof: ConsentProof): proof is ConsentProof & { readonly type: 'jws' } {
  return proof.type === 'jws'
}

function invalid(detail: string): Problem {
  return new Problem('consent-record-invalid', detail)
}

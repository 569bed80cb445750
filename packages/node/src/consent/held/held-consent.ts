/** A consent as the one it was given to knows it: the words of the recipient's and the delegate's side. */
import { consentStates, type ConsentRecord, type ConsentState } from '@comity/core/consent/consent-record'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { isFinalState } from '@comity/core/consent/consent-states'

/** One consent that this node was given or has asked for, or one delegation to it. */
export interface HeldConsent {
  /** The consent's id; for a delegate the delegation's. */
  readonly id: string
  readonly consent: string
  /** DID of the participant that has the data. */
  readonly holder: string
  /** DID of who gives tokens: the holder, or the delegator. */
  readonly source: string
  readonly delegation: string | undefined
  /** Handle of the person's pairwise id; undefined while it is not known. */
  readonly subject: string | undefined
  /** Handle of the application's own name for the person. */
  readonly label: string | undefined
  readonly state: ConsentState
  /** 0 while nothing was granted. */
  readonly rev: number
  readonly hash: string | undefined
  /** Of the holder's last step that is known here. */
  readonly seq: number
  /** The same by the word of the delegator alone. */
  readonly sourceSeq: number
  readonly expiresMs: number | undefined
  /** When a request lapses undecided. */
  readonly lapsesMs: number | undefined
  readonly createdMs: number
  readonly changedMs: number
  /** When its source was asked last. */
  readonly checkedMs: number
  /** Revision that `sealed` tells of; a notice may have told of a later one. */
  readonly readRev: number
  /** `HeldDetails`, sealed. */
  readonly sealed: string
}

/** What names or describes the person. */
export interface HeldDetails {
  /** The application's own name for the person. */
  readonly label?: string | undefined
  /** The holder's reference that was asked with. */
  readonly reference?: string | undefined
  /** Pairwise id. */
  readonly subject?: string | undefined
  /** What the record or the chain grants. */
  readonly scopes?: readonly ConsentScope[] | undefined
  /** Newest revision; not known to a delegate. */
  readonly record?: ConsentRecord | undefined
}

/** A part of a held consent that was passed on. */
export interface Delegation {
  readonly id: string
  /** Id of the held consent that it is a part of. */
  readonly held: string
  readonly consent: string
  /** DID. */
  readonly delegate: string
  /** `DelegatedTerms` (JSON), sealed. */
  readonly sealed: string
  readonly untilMs: number
  readonly createdMs: number
  readonly endedMs: number | undefined
  /** Undefined while it stands, and where it ended before this was written down. */
  readonly endedBy: DelegationEnd | undefined
}

/** Why a delegation ended: `order` of this node's operator, `narrowing` of the consent, which does not cover it any more,
 *  or the end of the `consent` (or delegation) that it was a part of. */
export type DelegationEnd = 'order' | 'narrowing' | 'consent'

/** A part of one grant: the members that are given take the place of the grant's own, and must be narrower. */
export type DelegatedPart = Pick<ConsentScope, 'grant'> & Partial<ConsentScope>

/** What was passed on, as it stands now, and what was said when it was. */
export interface DelegatedTerms {
  readonly scopes: readonly ConsentScope[]
  readonly parts: readonly DelegatedPart[]
}

/** A template that this node signed. */
export interface SignedTemplate {
  readonly id: string
  readonly version: string
  readonly hash: string
  /** Compact JWS. */
  readonly jws: string
  readonly signedMs: number
}

/** States from which there is no way back. */
export const endedStates: readonly ConsentState[] = consentStates.filter(isFinalState)

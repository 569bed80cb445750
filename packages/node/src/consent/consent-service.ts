/** What the holder's side of consent offers to the rest of the node: the words of this feature, before its code. */
import type { Change } from '@comity/core/consent/decide-change'
import type {
  ConsentActor,
  ConsentEvent,
  ConsentGrant,
  ConsentGrantor,
  ConsentProof,
  ConsentRecord,
  ConsentState,
  LocalisedText,
} from '@comity/core/consent/consent-record'
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { Release } from '@comity/core/consent/release'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'

/** Where a consent stands now: its row, which is the truth about it. */
export interface ConsentStanding {
  readonly id: string
  readonly state: ConsentState
  /** 0 while nothing was granted. */
  readonly rev: number
  readonly hash: string | undefined
  /** DID. */
  readonly recipient: string
  /** Handle of the subject in the vault. */
  readonly subject: string
  readonly notBeforeMs: number | undefined
  readonly expiresMs: number | undefined
}

/** A request as the person and the operator see it. */
export interface ConsentRequestView {
  readonly id: string
  readonly state: ConsentState
  readonly recipient: { readonly did: string; readonly name: string; readonly country?: string | undefined }
  readonly kind: 'personal' | 'business'
  /** Of the template that was asked with. */
  readonly title?: LocalisedText | undefined
  readonly notice: { readonly version: string; readonly text: LocalisedText; readonly uri?: string | undefined }
  /** What is asked for; grants without a tick. */
  readonly grants: readonly ConsentGrant[]
  /** Longest time that is asked for, as an ISO 8601 duration. */
  readonly duration: string
  readonly requestedMs: number
  /** When it lapses undecided. */
  readonly lapsesMs: number
}

/** What the person decided of a request. A grant that is not listed is not given. */
export interface ConsentChoice {
  readonly grants: readonly {
    readonly id: string
    /** Narrower than asked: the field paths that are given. All that were asked when absent. */
    readonly fields?: readonly string[] | undefined
  }[]
  /** Not later than asked. RFC 3339. */
  readonly expires?: string | undefined
}

/** Who decides, and how that is known. */
export interface DecisionBy {
  readonly role: 'subject' | 'grantor'
  /** For a representative; the subject itself when absent. */
  readonly grantor?: ConsentGrantor | undefined
  /** `page` or `api`. */
  readonly method: string
  /** Language of the notice that was shown, one of the request's. */
  readonly lang: string
  readonly presentedMs: number
}

/** A record ready for the person's proof. */
export interface ConsentDraft {
  readonly record: ConsentRecord
  /** What the proof must be over, base64url. */
  readonly hash: string
}

export interface ConsentChange {
  readonly by: ConsentActor
  /** The operator's or the subject's name for the log; a pairwise id or a DID. */
  readonly actorId: string
  readonly method: string
  readonly reason?: { readonly code: string; readonly text?: string | undefined } | undefined
}

/** The life of consents at the holder. Every change is one transaction with its event, its entry in the log, its
 *  status and the notices it causes; it has happened when the promise resolves. */
export interface Consents {
  find(id: string): Promise<ConsentStanding | undefined>
  /** For a page or a portal. Throws `consent-unknown`. */
  request(id: string): Promise<ConsentRequestView>
  /** The record's revisions, oldest first; empty when the subject was erased. */
  records(id: string): Promise<readonly ConsentRecord[]>
  events(id: string): Promise<readonly ConsentEvent[]>
  /** Newest first; `before` is the last id of the page before. */
  list(filter: ConsentFilter): Promise<readonly ConsentStanding[]>
  /** The subject's reference as the holder's systems know it; undefined when erased. */
  referenceOf(id: string): Promise<string | undefined>
  /** Notes that the person saw the request. */
  present(id: string, by: DecisionBy): Promise<void>
  /** The record that the choice would make. Nothing is kept. Throws `consent-choice-invalid`, `consent-state`. */
  draft(id: string, choice: ConsentChoice, by: DecisionBy): Promise<ConsentDraft>
  /** Grants by a draft and its proof; one that gives what is given already changes nothing, and has the revision in
   *  force as its answer. Throws `consent-proof-invalid`, `consent-state` for what was decided already. */
  grant(draft: ConsentDraft, proof: ConsentProof, by: DecisionBy): Promise<ConsentStanding>
  refuse(id: string, by: DecisionBy): Promise<ConsentStanding>
  defer(id: string, by: DecisionBy): Promise<ConsentStanding>
  /** A narrower revision of an active consent: draft with `draft`, then `grant`. */
  pause(id: string, change: ConsentChange): Promise<ConsentStanding>
  resume(id: string, change: ConsentChange): Promise<ConsentStanding>
  /** By the subject. */
  withdraw(id: string, change: ConsentChange): Promise<ConsentStanding>
  /** By holder or recipient. */
  revoke(id: string, change: ConsentChange): Promise<ConsentStanding>
  /** Closes what ran out; called every few seconds. Expiry counts at its moment even before. */
  expireDue(): Promise<void>
}

export interface ConsentFilter {
  readonly subject?: string | undefined
  readonly recipient?: string | undefined
  readonly state?: ConsentState | undefined
  readonly before?: string | undefined
  readonly limit?: number | undefined
}

/** What a decision is about: one call that has passed every check before `consent`. */
export interface ConsentQuestion {
  /** The field `Authorization` as received. */
  readonly authorization: string | undefined
  /** The field `Comity-Subject`. */
  readonly subjectField: string | undefined
  readonly caller: { readonly did: string; readonly keyThumbprint: string; readonly country: string | undefined }
  /** IRI, from the agreement's check; undefined when the caller stated none. */
  readonly purpose: string | undefined
  readonly action: ConsentAction
  readonly product: string
  /** What the request names as its subject: a pairwise id or a reference of the holder's. */
  readonly subject: string | undefined
  /** The product's labelled fields in their order, and those that the call asks for (all when undefined). */
  readonly labels: readonly { readonly path: string; readonly domain: string }[]
  readonly requested: readonly string[] | undefined
  /** What the call changes; undefined for one that changes nothing. */
  readonly change?: Change | undefined
  readonly nowMs: number
}

export type ConsentVerdict =
  | {
      readonly allowed: true
      readonly consent: { readonly id: string; readonly rev: number; readonly hash: string }
      /** DIDs from the recipient to the caller, when the caller acts by delegation; else empty. */
      readonly via: readonly string[]
      /** The subject's key, under which everything that describes the call is kept; the reference for the upstream. */
      readonly key: SubjectKey
      readonly reference: string
      /** The pairwise id towards the root's recipient. */
      readonly pairwise: string
      readonly release: Release
      /** For the transform `hash`: keyed, other towards every recipient. */
      readonly keyedHash: (text: string) => string
      /** Reads the consent once more: why it does not stand now, if it does not. */
      confirm(nowMs: number): Promise<ConsentRefused | undefined>
      /** Writes the use down; goes into the transaction that records the outcome, and with `mustStand` fails it when the
       *  consent was ended or changed before. */
      use(exchangeId: string, nowMs: number, options?: { readonly mustStand?: boolean }): readonly Statement[]
      /** Ends the call's hold on the counters: `released` when an answer left, so the use counts. */
      settle(released: boolean): void
    }
  | ConsentRefused

/** Why a call is refused. */
export interface ConsentRefused {
  readonly allowed: false
  readonly code: ConsentRefusal
  readonly detail: string
  /** For the problem: the consent's `state`, or `retryAfterSeconds`. */
  readonly members?: Readonly<Record<string, unknown>> | undefined
}

/** One code for all that a stranger may not tell apart: no token, no consent, no such person, another person's. */
export type ConsentRefusal =
  | 'consent-required'
  | 'consent-token-invalid'
  | 'consent-token-expired'
  | 'consent-inactive'
  | 'consent-superseded'
  | 'consent-scope'
  | 'consent-purpose'
  | 'consent-quota'
  | 'consent-place'

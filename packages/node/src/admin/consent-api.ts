/** Shapes of the admin API's answers about consents, version 1. The `comity` command reads exactly these. */
import type {
  ConsentEvent,
  ConsentGrant,
  ConsentRecord,
  ConsentState,
  LocalisedText,
} from '@comity/core/consent/consent-record'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import type { ConsentTokenClaims } from '@comity/core/consent-token/consent-claims'

/** A consent that this node keeps as the holder. Times are ISO 8601. */
export interface ConsentView {
  readonly id: string
  readonly state: ConsentState
  /** DID. */
  readonly recipient: string
  /** 0 while nothing was granted. */
  readonly rev: number
  readonly hash: string | undefined
  readonly notBefore: string | undefined
  readonly expires: string | undefined
}

/** `POST /v1/consents/{id}/decide`. */
export interface DecidedConsentView extends ConsentView {
  /** True when exactly this was in force already: no revision was made, and tokens stay good. */
  readonly isUnchanged?: true
}

/** `GET /v1/consents/{id}`. */
export interface ConsentDetailsView extends ConsentView {
  /** The person as the holder's systems know them; undefined when they were erased. */
  readonly reference: string | undefined
  readonly request:
    | {
        readonly kind: 'personal' | 'business'
        readonly notice: { readonly version: string; readonly text: LocalisedText; readonly uri?: string | undefined }
        readonly grants: readonly ConsentGrant[]
        readonly duration: string
        readonly requested: string
        readonly lapses: string
      }
    | undefined
  /** Revisions and steps, oldest first; empty when the person was erased. */
  readonly records: readonly ConsentRecord[]
  readonly events: readonly ConsentEvent[]
}

/** One answer that left under a consent. */
export interface ConsentUseView {
  /** Id of the exchange, for `GET /v1/exchanges/{id}/evidence`. */
  readonly exchange: string
  readonly at: string
  /** DID: the recipient, or a delegate of its. */
  readonly caller: string
  readonly product: string
  readonly purpose: string | undefined
  readonly released: readonly string[]
  readonly withheld: readonly string[]
}

/** A consent that this node was given or has asked for. */
export interface HeldConsentView {
  readonly id: string
  readonly consent: string
  readonly state: ConsentState
  /** DIDs. */
  readonly holder: string
  readonly source: string
  readonly delegation: string | undefined
  readonly rev: number
  readonly hash: string | undefined
  readonly expires: string | undefined
  readonly lapses: string | undefined
  /** All undefined when the person was erased. */
  readonly label: string | undefined
  readonly reference: string | undefined
  readonly subject: string | undefined
  readonly grants: readonly ConsentScope[] | undefined
  readonly record: ConsentRecord | undefined
}

/** `POST /v1/held-consents/{id}/token`. */
export interface HeldTokenView {
  /** The chain as the field `Authorization` carries it behind the scheme. */
  readonly token: string
  readonly expires: string
  /** From the root to the own token. */
  readonly claims: readonly ConsentTokenClaims[]
}

export interface DelegationView {
  readonly id: string
  readonly consent: string
  readonly holder: string
  readonly delegate: string
  readonly until: string
  readonly created: string
  readonly ended: string | undefined
  /** `order` of the operator, `narrowing` of the consent, which does not cover it any more, or the end of the `consent`. */
  readonly endedBy: 'order' | 'narrowing' | 'consent' | undefined
  /** What is left of it. */
  readonly grants: readonly ConsentScope[] | undefined
  /** Grants of which a part was passed on, and which a narrowing of the consent has taken from it since. */
  readonly dropped: readonly string[]
}

export interface TemplateView {
  readonly id: string
  readonly version: string
  readonly title: LocalisedText
  readonly hash: string
  readonly signed: string
  readonly jws: string
}

/** `POST /v1/subjects/link`. */
export interface SubjectLinkView {
  readonly url: string
  readonly expires: string
}

/** `POST /v1/subjects/reset`: the same whether there is such a person or not. */
export interface SubjectResetView {
  readonly reset: true
}

/** `POST /v1/subjects/readmit`: the same whether the person was erased or not. */
export interface SubjectReadmittedView {
  readonly readmitted: true
}

/** `POST /v1/subjects/erase`. */
export interface SubjectErasedView {
  /** Consents that ended with it, as holder; and those of the person that this node held as recipient. */
  readonly ended: number
  readonly forgotten: number
}

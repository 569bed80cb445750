/** What the people's pages need of the rest of the node. */
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

/** Where a consent stands. */
export interface PersonConsent {
  readonly id: string
  readonly state: ConsentState
  readonly rev: number
  readonly hash: string | undefined
  /** DID. */
  readonly recipient: string
  /** Handle of the subject in the vault. */
  readonly subject: string
  readonly notBeforeMs: number | undefined
  readonly expiresMs: number | undefined
}

/** A request as the person sees it. */
export interface PersonRequest {
  readonly id: string
  readonly state: ConsentState
  readonly recipient: { readonly did: string; readonly name: string; readonly country?: string | undefined }
  readonly kind: 'personal' | 'business'
  /** Of the template that was asked with. */
  readonly title?: LocalisedText | undefined
  readonly notice: { readonly version: string; readonly text: LocalisedText; readonly uri?: string | undefined }
  readonly grants: readonly ConsentGrant[]
  /** ISO 8601. */
  readonly duration: string
  readonly requestedMs: number
  readonly lapsesMs: number
}

export interface PersonChoice {
  readonly grants: readonly { readonly id: string; readonly fields?: readonly string[] | undefined }[]
  /** RFC 3339. */
  readonly expires?: string | undefined
}

export interface PersonDecision {
  readonly role: 'subject' | 'grantor'
  readonly grantor?: ConsentGrantor | undefined
  readonly method: string
  readonly lang: string
  readonly presentedMs: number
}

export interface PersonDraft {
  readonly record: ConsentRecord
  /** base64url. */
  readonly hash: string
}

interface PersonChange {
  readonly by: ConsentActor
  readonly actorId: string
  readonly method: string
}

/** The part of the holder's service that a person uses. */
export interface PersonConsents {
  find(id: string): Promise<PersonConsent | undefined>
  request(id: string): Promise<PersonRequest>
  records(id: string): Promise<readonly ConsentRecord[]>
  events(id: string): Promise<readonly ConsentEvent[]>
  list(filter: {
    readonly subject?: string | undefined
    readonly before?: string | undefined
    readonly limit?: number | undefined
  }): Promise<readonly PersonConsent[]>
  present(id: string, by: PersonDecision): Promise<void>
  draft(id: string, choice: PersonChoice, by: PersonDecision): Promise<PersonDraft>
  grant(draft: PersonDraft, proof: ConsentProof, by: PersonDecision): Promise<PersonConsent>
  refuse(id: string, by: PersonDecision): Promise<PersonConsent>
  defer(id: string, by: PersonDecision): Promise<PersonConsent>
  pause(id: string, change: PersonChange): Promise<PersonConsent>
  resume(id: string, change: PersonChange): Promise<PersonConsent>
  withdraw(id: string, change: PersonChange): Promise<PersonConsent>
}

/** One time that somebody read data under a consent. */
export interface PersonUse {
  /** Id of the exchange. */
  readonly exchange: string
  readonly consent: string
  readonly atMs: number
  /** DID of who called; the recipient, or a delegate of its. */
  readonly caller: string
  readonly product: string
  /** IRI. */
  readonly purpose: string | undefined
  readonly released: readonly string[]
  readonly withheld: readonly string[]
}

/** The log of uses. */
export interface PersonAccessLog {
  /** Newest first; `before` is the last exchange of the page before. */
  list(filter: {
    readonly subject: string
    readonly consent?: string | undefined
    readonly before?: string | undefined
    readonly limit: number
  }): Promise<readonly PersonUse[]>
  find(exchange: string): Promise<PersonUse | undefined>
  /** When the person's data was erased, and with it what was told of their uses until then: of all, or of those of one
   *  consent. Undefined where nothing is missing. In milliseconds. */
  erasedMs(filter: { readonly subject: string; readonly consent?: string | undefined }): Promise<number | undefined>
  /** The proof that the use stands in the log, to be verified offline; undefined while it is not published yet. */
  proof(exchange: string): Promise<unknown>
}

/** The labelled fields of a product, in their order; empty for one that is not there. */
export type FieldsOfProduct = (product: string) => readonly { readonly path: string; readonly domain: string }[]

/** In whatever language, or in several. */
export type PersonName = string | LocalisedText

/** What people call what documents name by ids; undefined where nobody gave it a name. */
export interface PersonNames {
  product(id: string): string | undefined
  /** Of a labelled field, in one of the products or in any. */
  field(path: string, products?: readonly string[]): PersonName | undefined
  domain(domain: string, products?: readonly string[]): PersonName | undefined
  participant(did: string): string | undefined
}

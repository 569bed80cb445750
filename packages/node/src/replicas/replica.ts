/** A replica: an answer of a partner that this node keeps, and what it may be used for. */

/** What a call of an application asks for, in every respect on which the partner's answer may depend. */
export interface ReplicaAddress {
  /** DID. */
  readonly holder: string
  readonly product: string
  /** As the application wrote them. */
  readonly path: string
  readonly query: string
  readonly purpose: string | undefined
  readonly agreement: string | undefined
  /** A consent or delegation that the call names. */
  readonly consent: string | undefined
  /** Pairwise id. */
  readonly subject: string | undefined
  readonly actor: string | undefined
  readonly accept: string | undefined
  readonly language: string | undefined
}

export interface Replica {
  /** Keyed hash of the address: it tells nothing of whom the call was about. */
  readonly id: string
  /** DID. */
  readonly holder: string
  readonly product: string
  readonly version: string | undefined
  readonly operation: string | undefined
  /** The own agreement that it was received under; undefined for what is public, and under a delegation. */
  readonly agreement: string | undefined
  readonly purpose: string | undefined
  /** Id of the held consent or delegation; undefined for what is about nobody. */
  readonly held: string | undefined
  readonly consent: string | undefined
  /** Of the consent's record: what it granted when this was received. */
  readonly consentHash: string | undefined
  /** Handle of the person's key. */
  readonly subject: string | undefined
  /** Id of the exchange that brought the content. */
  readonly exchange: string
  readonly fetchedMs: number
  /** When the holder said last that this is what it would answer. */
  readonly validatedMs: number
  /** When the holder said last that the consent stands. */
  readonly confirmedMs: number
  /** End of the retention; undefined where nobody set one. */
  readonly untilMs: number | undefined
  /** `ReplicaContent`, sealed; empty when it was taken away and the own fields were not. */
  readonly sealed: string
  /** The organisation's own fields (a JSON object), sealed. */
  readonly own: string | undefined
}

/** What was received, and what was asked. */
export interface ReplicaContent {
  /** By which it is asked for anew. */
  readonly request: {
    readonly path: string
    readonly query: string
    readonly headers: Readonly<Record<string, string>>
  }
  /** Fields of the answer that a local application gets, name and value in turn. */
  readonly headers: readonly string[]
  readonly etag: string | undefined
  /** The holder's signed statement about the exchange. */
  readonly receipt: string
  readonly released: readonly string[] | undefined
  /** Base64. */
  readonly body: string
}

/** What the configuration says of a partner's product. */
export interface ReplicaRule {
  /** Alias or DID. */
  readonly partner: string
  readonly product: string
  /** Operation ids; all when undefined. */
  readonly operations: readonly string[] | undefined
  readonly maxAgeMs: number
  /** How often it is asked for anew without a call; undefined for never. */
  readonly everyMs: number | undefined
}

/** Why no replica answers, or none was kept. */
export type ReplicaReason =
  | 'not-configured'
  | 'none'
  | 'emptied'
  | 'stale'
  | 'unconfirmed'
  | 'retention-over'
  | 'consent-inactive'
  | 'consent-changed'
  | 'agreement-ended'
  | 'refresh-asked'
  | 'no-receipt'
  | 'not-an-answer'
  | 'streamed'
  | 'too-large'
  | 'no-store'
  | 'mode-not-granted'
  | 'consent-unclear'

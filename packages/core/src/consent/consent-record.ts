/** The consent record: what one subject decided, as one immutable revision of a hash-chained series. Its hash is
 *  SHA-256 (base64url) over the canonical JSON (RFC 8785) of everything but `proofs`. Members follow ISO/IEC TS
 *  27560:2023 and the sources named in `docs/protocols/consent.md`. Times are RFC 3339 in UTC. */
import type { ConsentScope } from './consent-scope.ts'

export const consentRecordSchemaIri = 'urn:comity:consent-record:1'

/** A text in several languages: BCP 47 tag → text. */
export type LocalisedText = Readonly<Record<string, string>>

/** One separable decision (GDPR recital 43). The enforced part is the scope; the rest is told and kept. */
export interface ConsentGrant extends ConsentScope {
  /** What the person reads beside the tick-box. */
  readonly title?: LocalisedText | undefined
  /** IRI, e.g. `https://w3id.org/dpv/legal/eu/gdpr#A6-1-a`. */
  readonly legalBasis?: string | undefined
  /** Whether the service that is asked for works without it; never a reason to tick it beforehand. */
  readonly necessity?: 'required' | 'optional' | undefined
  /** Countries (ISO 3166-1 alpha-2) where the recipient stores and processes. */
  readonly storage?: readonly string[] | undefined
  readonly processing?: readonly string[] | undefined
  /** DPV processing operations, by IRI. */
  readonly operations?: readonly string[] | undefined
  readonly automatedDecision?: { readonly logic: string; readonly consequence: string } | undefined
  readonly sensitivity?: { readonly level: string; readonly special?: readonly string[] | undefined } | undefined
}

export interface ConsentParty {
  /** DID, or a URL for who has none. */
  readonly id: string
  readonly role: 'holder' | 'recipient' | 'processor' | 'operator' | 'thirdParty' | 'authority' | 'dpo'
  readonly name: string
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | undefined
  readonly address?: string | undefined
  readonly contact?:
    | { readonly email?: string | undefined; readonly url?: string | undefined; readonly phone?: string | undefined }
    | undefined
  /** Register of legal entities and the number there (LEI, EUID). */
  readonly registry?: string | undefined
  readonly registeredId?: string | undefined
}

/** The notice exactly as it was shown. `hash` is SHA-256 (base64url) of the UTF-8 bytes of `text`. */
export interface ConsentNotice {
  readonly uri?: string | undefined
  readonly version: string
  /** BCP 47 tag of the language in which it was shown. */
  readonly lang: string
  readonly text: string
  readonly hash: string
  readonly presentedAt: string
}

export interface ConsentGrantor {
  /** The subject's pairwise id for `self`; else an identifier of the representative, as the holder knows it. */
  readonly id: string
  readonly capacity: 'self' | 'guardian' | 'attorney' | 'officer'
  /** What shows the capacity: a kind (`birth-register`, `power-of-attorney`) and the hash of the document. */
  readonly evidence?: readonly { readonly kind: string; readonly hash: string }[] | undefined
}

export interface ConsentRecord {
  readonly schema: typeof consentRecordSchemaIri
  /** `urn:uuid:` and a UUIDv7: the same in request, record, token and API. */
  readonly id: string
  /** From 1. */
  readonly rev: number
  /** Hash of revision `rev - 1`. */
  readonly prev?: string | undefined
  /** Hash of the request that was decided on. */
  readonly request: { readonly hash: string }
  readonly template?: { readonly id: string; readonly version: string; readonly hash: string } | undefined
  readonly kind: 'personal' | 'business'
  /** `id` is pairwise: another towards every recipient. */
  readonly subject: { readonly id: string; readonly type: 'person' | 'child' | 'org' | 'device' }
  readonly grantor: ConsentGrantor
  readonly parties: readonly ConsentParty[]
  readonly notice: ConsentNotice
  readonly grants: readonly ConsentGrant[]
  readonly validity: { readonly notBefore: string; readonly expires: string; readonly reconfirmBy?: string | undefined }
  readonly revocation: {
    /** Where the person can end it. */
    readonly uri?: string | undefined
    readonly by: readonly ('subject' | 'grantor' | 'holder' | 'recipient')[]
    readonly status: { readonly uri: string; readonly idx: number }
  }
  readonly rights?: { readonly uri?: string | undefined; readonly authority?: string | undefined } | undefined
  readonly law?: { readonly jurisdiction: string; readonly applicable?: readonly string[] | undefined } | undefined
  readonly createdAt: string
  readonly proofs: readonly ConsentProof[]
}

/** What shows that the record is the grantor's will, and that the holder vouches for it. All are over the record's
 *  hash. `jws`: a compact JWS whose payload is `{"hash":…}`. `webauthn`: an assertion whose challenge is the hash.
 *  `link`: nothing but that the one-time link was used; `session`: what a portal of the holder says of the sign-in. */
export type ConsentProof =
  | { readonly by: string; readonly role: 'holder'; readonly type: 'jws'; readonly at: string; readonly value: string }
  | {
      readonly by: string
      readonly role: 'subject' | 'grantor'
      readonly type: 'webauthn'
      readonly at: string
      readonly value: WebAuthnProof
    }
  | {
      readonly by: string
      readonly role: 'subject' | 'grantor'
      readonly type: 'link' | 'session'
      readonly at: string
      /** How the person was authenticated, in the words of OpenID Connect, and by whom. */
      readonly value: {
        readonly channel: string
        readonly acr?: string | undefined
        readonly amr?: readonly string[] | undefined
        readonly authTime?: number | undefined
      }
    }

/** A WebAuthn assertion (Level 3, §7.2); all members base64url. `publicKey` is the credential's as a JWK. */
export interface WebAuthnProof {
  readonly credentialId: string
  readonly publicKey: Readonly<Record<string, string>>
  readonly rpId: string
  readonly origin: string
  readonly authenticatorData: string
  readonly clientDataJSON: string
  readonly signature: string
}

/** States of a consent, from the request on. `withdrawn` is by the subject, `revoked` by holder or recipient. */
export const consentStates = [
  'requested',
  'deferred',
  'refused',
  'active',
  'paused',
  'expired',
  'withdrawn',
  'revoked',
  'superseded',
] as const
export type ConsentState = (typeof consentStates)[number]

/** Who did something to a consent. */
export type ConsentActor = 'subject' | 'grantor' | 'holder' | 'recipient' | 'clock'

/** One step in a consent's life. Steps are hash-chained: `prev` is the hash (SHA-256, base64url) of the canonical JSON
 *  of the step before, without which step 2 does not count. */
export interface ConsentEvent {
  readonly consent: string
  /** From 1. */
  readonly seq: number
  readonly at: string
  readonly type:
    | 'requested'
    | 'presented'
    | 'deferred'
    | 'refused'
    | 'granted'
    | 'amended'
    | 'paused'
    | 'resumed'
    | 'withdrawn'
    | 'revoked'
    | 'expired'
    | 'superseded'
  /** After the step. */
  readonly state: ConsentState
  readonly rev?: number | undefined
  readonly by: { readonly id: string; readonly role: ConsentActor }
  /** `page`, `api`, `wire`, `clock`. */
  readonly method: string
  readonly reason?: { readonly code: string; readonly text?: string | undefined } | undefined
  readonly prev?: string | undefined
}

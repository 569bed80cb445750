/** What the holder's side of consent asks of the rest of the node; `assembly` gives it something that fits. */
import type { ConsentParty, ConsentRecord, WebAuthnProof } from '@comity/core/consent/consent-record'
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { PasskeyFacts } from '@comity/core/consent/webauthn-assertion'
import type { SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import type { Clock } from '@comity/core/ports'
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../../vault/vault.ts'
import type { ConsentStore, StoredConsent } from './consent-store.ts'

/** What of a product a consent can speak about. */
export interface ConsentableProduct {
  /** Labelled fields in the product's order. */
  readonly labels: readonly { readonly path: string; readonly domain: string }[]
  /** What its operations do. */
  readonly actions: readonly ConsentAction[]
  /** Operations whose rows carry no date, by which a period could be kept to, and the paths of the labelled fields that
   *  their answers may have. */
  readonly undated: readonly {
    readonly id: string
    readonly action: ConsentAction
    readonly fields: readonly string[]
  }[]
}

/** A partner of this node, as far as the holder knows it. */
export interface KnownRecipient {
  readonly name?: string | undefined
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | undefined
}

/** Deletion that a participant owes when a consent has ended, or was narrowed. */
export interface DutyToImpose {
  readonly kind: 'delete' | 'anonymise'
  readonly consent: string
  /** The subject's pairwise id towards the consent's recipient. */
  readonly subjectPairwise: string
  /** Their handle here. */
  readonly subject: string
  /** DID. */
  readonly debtor: string
  readonly dueMs: number
  /** Only what these paths hold; everything received under the consent when undefined. */
  readonly fields?: readonly string[] | undefined
}

/** An event of the log; text and salt are kept under the key of the subject. */
export interface EventToRecord {
  readonly id: string
  readonly type: string
  readonly timeMs: number
  readonly body: string
  readonly subject?: SubjectKey | undefined
}

/** Everything that `createConsents` needs. */
export interface ConsentsParts {
  /** Own DID. */
  readonly did: string
  readonly store: ConsentStore
  readonly vault: SubjectVault
  readonly clock: Clock
  /** A UUIDv7, lower case. */
  readonly newId: () => string
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  /** For templates; resolves the node's own keys too. `atMs` is when the key was used. */
  readonly resolveKey: (keyid: string, purpose: 'assertionMethod', atMs: number) => Promise<VerifyingKey>
  /** Writes an event of the log and the statements in one transaction. */
  readonly record: (event: EventToRecord, effects: readonly Statement[]) => Promise<unknown>
  readonly outbox: {
    statement(event: {
      readonly recipient: string
      readonly type: string
      readonly payload: Readonly<Record<string, unknown>>
      readonly occurredMs: number
    }): Statement
    wake(): void
  }
  readonly statusLists: {
    allocate():
      | { readonly entry: { readonly uri: string; readonly idx: number }; readonly statement: Statement }
      | Promise<{ readonly entry: { readonly uri: string; readonly idx: number }; readonly statement: Statement }>
    set(entry: { readonly uri: string; readonly idx: number }, status: 'valid' | 'invalid' | 'suspended'): Statement
  }
  readonly duties: { impose(duty: DutyToImpose): readonly Statement[] }
  readonly webhooks: {
    statement(
      event: {
        readonly type: 'consent.requested' | 'consent.changed'
        readonly payload: Readonly<Record<string, unknown>>
      },
      subject?: SubjectKey,
    ): readonly Statement[]
    wake(): void
  }
  /** One-time links to the page where a person decides; undefined when people are asked elsewhere. */
  readonly links:
    | {
        /** One that lasts as long as the request waits. */
        create(invitation: { readonly consent: string; readonly lifetimeMs: number }): LinkMade | Promise<LinkMade>
      }
    | undefined
  readonly products: { describe(id: string): ConsentableProduct | undefined }
  readonly recipients: {
    /** Undefined for who is no partner: strangers do not write to people. */
    find(did: string): KnownRecipient | undefined
  }
  /** What a passkey's assertion for this consent must say; undefined where passkeys are not taken. */
  readonly passkeyFacts: (proof: WebAuthnProof, consent: StoredConsent) => PasskeyAnswer | Promise<PasskeyAnswer>
  readonly options: ConsentOptions
}

type PasskeyAnswer = PasskeyFacts | undefined

export interface LinkMade {
  readonly url: string
  /** Go into the transaction of the request. */
  readonly statements: readonly Statement[]
}

export interface ConsentOptions {
  /** The holder as records name it. */
  readonly holder: Omit<ConsentParty, 'id' | 'role'>
  /** How long a request waits for a decision. */
  readonly requestDays: number
  /** Where people end what they gave, as records say it. */
  readonly withdrawalUri?: string | undefined
  readonly rights?: ConsentRecord['rights']
  readonly law?: ConsentRecord['law']
}

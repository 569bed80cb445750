/** What people's requests need of the rest of the node. */
import type { SigningKey } from '@comity/core/crypto/crypto'
import type { DutyKind, DutyOutcome } from '@comity/core/duties/duty-receipt'
import type { Clock } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { RightsStore } from './rights-store.ts'

export interface RightsParts {
  /** Own DID. */
  readonly did: string
  readonly store: RightsStore
  /** `destroy` gives the writes that take away all that other parts keep of a person, the key with it. */
  readonly vault: Pick<SubjectVault, 'open' | 'unseal' | 'destroy' | 'forget'>
  readonly clock: Clock
  readonly newId: () => string
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  readonly products: () => readonly ProductAboutPeople[]
  readonly consents: RightsConsents
  readonly duties: {
    impose(duty: {
      readonly kind: DutyKind
      readonly consent?: string | undefined
      readonly subjectPairwise: string
      /** Handle. */
      readonly subject: string
      readonly debtor: string
      readonly dueMs: number
      readonly rightsRequest: string
      readonly fields?: readonly string[] | undefined
    }): readonly Statement[]
    list(filter: { readonly rightsRequest: string; readonly limit: number }): Promise<readonly DutyOfRequest[]>
  }
  readonly outbox: { wake(): void }
  readonly webhooks: {
    statement(
      event: {
        readonly type: 'rights.requested' | 'rights.closed'
        readonly payload: Readonly<Record<string, unknown>>
      },
      subject?: SubjectKey,
    ): readonly Statement[]
    wake(): void
  }
  /** Writes an event of the log and the statements in one transaction; with `key`, body and salt are sealed. */
  readonly record: (
    event: { readonly id: string; readonly type: string; readonly timeMs: number; readonly body: string },
    effects: readonly Statement[],
    key?: SubjectKey,
  ) => Promise<unknown>
  /** Within this time a use is written down that was let through right before its consent ended: so long nothing is
   *  closed that recipients have to hear of. */
  readonly lastUseMs: number
  readonly execute: (statements: readonly Statement[]) => Promise<unknown>
  /** Told of what went wrong in what is tried again later. */
  readonly onError: (error: unknown) => void
}

/** A product that holds data about people. */
export interface ProductAboutPeople {
  readonly id: string
  /** Its labelled field paths. */
  readonly fields: readonly string[]
}

/** A consent of a person, as a request about it needs it. */
export interface ConsentOfPerson {
  readonly id: string
  readonly state: string
  readonly recipient: string
  readonly requestedMs: number
  /** The products that its grants name; undefined when some grant names none, and so any. */
  readonly products: readonly string[] | undefined
  /** What the holder paused it for, where it did: the id of a request. */
  readonly pausedFor: string | undefined
}

/** Who was given data of a person, under which consent. */
export interface Reader {
  /** DID of a recipient or of its delegate. */
  readonly did: string
  readonly consent: string
  /** The person's pairwise id towards the consent's recipient. */
  readonly pairwise: string
}

export interface RightsConsents {
  /** All of them, whatever their state. */
  list(subject: string): Promise<readonly ConsentOfPerson[]>
  /** Everyone who was given data under these consents, each once for each consent. */
  readers(consents: readonly ConsentOfPerson[]): Promise<readonly Reader[]>
  /** The person's reference at the holder, by what any of their consents was asked for. */
  referenceOf(subject: string): Promise<string | undefined>
  /** Each throws `consent-state` when the consent is not in a state for it. */
  pause(id: string, request: string): Promise<unknown>
  resume(id: string, request: string): Promise<unknown>
  revoke(id: string, request: string): Promise<unknown>
  withdraw(id: string, request: string): Promise<unknown>
  /** Records with their steps, uses, and evidence of uses, as they go into a bundle: names and JSON values. */
  describe(consents: readonly ConsentOfPerson[]): Promise<Readonly<Record<string, unknown>>>
}

export interface DutyOfRequest {
  readonly id: string
  readonly kind: DutyKind
  readonly consent: string | undefined
  readonly debtor: string
  readonly state: 'open' | 'done' | 'refused'
  readonly outcome: DutyOutcome | undefined
  readonly receipt: string | undefined
  readonly dueMs: number
}

/** What people's requests need of the rest of the node. */
import type { SigningKey } from '@comity/core/crypto/crypto'
import type { DutyKind, DutyOutcome } from '@comity/core/duties/duty-receipt'
import type { RightsRequest, RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import type { Clock } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { RightsFilter, RightsStore } from './rights-store.ts'

export interface RightsParts {
  /** Own DID. */
  readonly did: string
  readonly store: RightsStore
  readonly vault: Pick<SubjectVault, 'open' | 'unseal' | 'destroy' | 'forget'>
  readonly clock: Clock
  readonly newId: () => string
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  /** Ids of the products that hold data about people. */
  readonly products: () => readonly string[]
  readonly consents: RightsConsents
  readonly duties: {
    impose(duty: {
      readonly kind: DutyKind
      readonly consent?: string | undefined
      readonly subjectPairwise: string
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
}

/** A consent of a person, as a request about it needs it. */
export interface ConsentOfPerson {
  readonly id: string
  readonly state: string
  readonly recipient: string
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
  list(subject: string): Promise<readonly ConsentOfPerson[]>
  /** Everyone who was given data, each once for each consent. */
  readers(subject: string): Promise<readonly Reader[]>
  pause(id: string, reason: string): Promise<unknown>
  resume(id: string, reason: string): Promise<unknown>
  revoke(id: string, reason: string): Promise<unknown>
  withdraw(id: string, reason: string): Promise<unknown>
  /** Records with their steps, and uses with their proofs, as they go into a bundle. */
  describe(subject: string): Promise<{ readonly consents: unknown; readonly uses: unknown }>
}

export interface DutyOfRequest {
  readonly id: string
  readonly kind: DutyKind
  readonly debtor: string
  readonly state: 'open' | 'done' | 'refused'
  readonly outcome: DutyOutcome | undefined
  readonly receipt: string | undefined
  readonly dueMs: number
}

/** What a system of the holder says it did. */
export interface TaskReport {
  readonly state: 'done' | 'refused'
  /** Why not, or by which law; needed with `refused`. */
  readonly ground?: string | undefined
  /** The person's data as this system has it, for `access` and `port`. */
  readonly data?: unknown
}

export interface RightsView {
  readonly id: string
  readonly type: RightsType
  readonly status: RightsStatus
  readonly receivedMs: number
  readonly dueMs: number
  readonly isOverdue: boolean
  readonly extension: string | undefined
  readonly closedMs: number | undefined
  /** What was asked; undefined once the person was erased. */
  readonly request: RightsRequest | undefined
  readonly tasks: readonly {
    readonly product: string
    readonly state: 'open' | 'done' | 'refused'
    readonly reportedMs: number | undefined
  }[]
  readonly duties: readonly DutyOfRequest[]
}

export interface Rights {
  /** Takes a request of a person, acts on it at once as far as the node itself can, and asks everyone who has to
   *  report. Throws `rights-request-invalid`, `subject-erased`. */
  open(
    person: { readonly subject: string; readonly reference: string },
    input: unknown,
    method: string,
  ): Promise<RightsView>
  list(filter: RightsFilter): Promise<readonly RightsView[]>
  /** Throws `rights-request-unknown`; also when `subject` is given and it is another person's. */
  show(id: string, subject?: string): Promise<RightsView>
  /** Throws `rights-request-unknown`, `rights-request-invalid`, `rights-request-state` for a task that was reported. */
  report(id: string, product: string, report: TaskReport): Promise<RightsView>
  /** Once, before it is due. Throws `rights-request-state`. */
  extend(id: string, reason: string): Promise<RightsView>
  /** The person takes the request back. Throws `rights-request-state` for a closed one. */
  revoke(id: string, subject: string): Promise<RightsView>
  /** Ends a restriction that was fulfilled. Throws `rights-request-state`. */
  lift(id: string): Promise<RightsView>
  /** The signed bundle as JSON text. Throws `rights-request-state` before the request is closed, `subject-erased`. */
  bundle(id: string): Promise<string>
  /** Closes what everyone has reported on; called when a duty was reported, and every minute or so. */
  settle(): Promise<void>
}

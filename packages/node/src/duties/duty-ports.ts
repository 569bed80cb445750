/** What the duties of a node need of its other parts. */
import type { SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import type { Clock } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { Duty, DutyStore } from './duty-store.ts'

/** The node's own copies of the holder's answers about a person. The node does its part of a duty by itself; whether the
 *  organisation's other systems have done theirs is for the organisation to report. */
export interface ReplicasOfDuties {
  /** The writes that take away what the duty says must not stay. */
  settle(duty: DutyAboutPerson): readonly Statement[]
  /** How many were removed, and when the last of them was, in milliseconds; undefined for none. */
  removed(duty: DutyAboutPerson): Promise<{ readonly removed: number; readonly at: number } | undefined>
}

export type DutyAboutPerson = Pick<Duty, 'kind' | 'consent' | 'holder' | 'handle' | 'fields'>

export interface DutiesParts {
  /** Own DID. */
  readonly did: string
  readonly store: DutyStore
  readonly vault: Pick<SubjectVault, 'handleOf' | 'open' | 'unseal'>
  /** The node's own key for what has to outlive an erasure: that of `handleOfDuties`. */
  readonly ownKey: SubjectKey
  readonly clock: Clock
  /** How far the clocks of others may differ. */
  readonly skewSeconds: number
  readonly newId: () => string
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  readonly resolveKey: (keyid: string, purpose: 'assertionMethod', atMs?: number) => Promise<VerifyingKey>
  readonly outbox: {
    statement(
      event: {
        readonly recipient: string
        readonly type: string
        readonly payload: Readonly<Record<string, unknown>>
        readonly occurredMs: number
      },
      subject: SubjectKey,
    ): Statement
    wake(): void
  }
  readonly webhooks: {
    statement(
      event: {
        readonly type: 'duty.owed' | 'duty.overdue'
        readonly payload: Readonly<Record<string, unknown>>
      },
      subject: SubjectKey,
    ): readonly Statement[]
    wake(): void
  }
  /** Writes an event of the log and the statements in one transaction. */
  readonly record: (
    event: {
      readonly id: string
      readonly type: string
      readonly timeMs: number
      readonly body: string
    },
    effects: readonly Statement[],
  ) => Promise<unknown>
  readonly database: { execute(statements: readonly Statement[]): Promise<unknown> }
  /** Makes everything unreadable that this node itself keeps about the person of a duty; repeating it does no harm. Done
   *  before it is signed that a person was erased here. */
  readonly eraseSubject: (duty: Duty & { readonly subject: string }) => Promise<unknown>
  /** What this node keeps itself of what it received; absent where it keeps nothing. */
  readonly replicas?: ReplicasOfDuties | undefined
  /** Told, for the operator, of each duty that was not done in time. */
  readonly onOverdue: (duty: Duty) => void
}

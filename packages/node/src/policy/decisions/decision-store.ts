/** What was decided about calls, with everything that was looked at: so that it can be explained, and decided again by
 *  a changed set. What is about a person is sealed under that person's key. */
import type { FieldMask } from '@comity/core/policy/field-mask'
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey } from '../../vault/vault.ts'
import type { RequestRelations } from './policy-request.ts'
import type { PolicyQuestion } from '../policy-service.ts'

/** How it went: `failed` when policies could not be applied. */
export type Outcome = 'allowed' | 'denied' | 'failed'

/** What was asked, what was known, what came of it. */
export interface DecisionDetails {
  readonly question: PolicyQuestion
  readonly relations: RequestRelations
  readonly outcome: Outcome
  readonly policies: readonly string[]
  /** What it leaves of what was asked for; of a denied call the same, where it is denied for that. */
  readonly mask?: FieldMask | undefined
}

export interface StoredDecision {
  /** Id of the exchange: UUIDv7. */
  readonly exchange: string
  readonly atMs: number
  /** Of the set that decided; 0 when there was none. */
  readonly version: number
  /** Undefined when the person that the call was about was erased since. */
  readonly details: DecisionDetails | undefined
}

export interface NewDecision {
  readonly exchange: string
  readonly atMs: number
  readonly version: number
  readonly details: DecisionDetails
}

export interface DecisionStore {
  insert(decision: NewDecision, subject: SubjectKey | undefined): Statement
  find(exchange: string): Promise<StoredDecision | undefined>
  /** Ids of the parts of a composite that were decided, in order; none for any other exchange. */
  parts(exchange: string): Promise<readonly string[]>
  /** Newest first, older than `before` when given. */
  list(limit: number, before?: string): Promise<readonly StoredDecision[]>
  /** Drops all but the newest `keep`. */
  prune(keep: number): Statement
}

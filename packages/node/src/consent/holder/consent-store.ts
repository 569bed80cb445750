/** What the node keeps of the consents that it holds. Writes are given as statements, for the transaction that also
 *  logs them. Bodies are sealed texts; the store neither seals nor opens them. */
import type { ConsentActor, ConsentEvent, ConsentState } from '@comity/core/consent/consent-record'
import type { Statement } from '../../storage/database.ts'
import type { ConsentFilter, ConsentStanding } from '../consent-service.ts'

/** The row of a consent. */
export interface StoredConsent extends ConsentStanding {
  /** Number and hash of its last step. */
  readonly seq: number
  readonly stepHash: string
  /** The subject's reference at the holder, sealed; empty once the request was forgotten. */
  readonly reference: string
  /** Id of the template that was asked with. */
  readonly template: string | undefined
  readonly requestedMs: number
  readonly lapsesMs: number
  /** When the clock ends it; undefined once it has ended. */
  readonly dueMs: number | undefined
  readonly pausedBy: ConsentActor | undefined
  /** Its entry in the status list, the same for all its revisions. */
  readonly status: { readonly uri: string; readonly idx: number }
}

/** What a step changes in the row. */
export type ConsentMove = Pick<
  StoredConsent,
  'state' | 'seq' | 'stepHash' | 'rev' | 'hash' | 'notBeforeMs' | 'expiresMs' | 'dueMs' | 'pausedBy'
>

export interface StoredRequest {
  readonly consent: string
  readonly recipient: string
  readonly idempotencyKey: string | undefined
  /** Keyed hash of the request, by which it is known when the body is gone. */
  readonly fingerprint: string | undefined
  /** Empty once the request was forgotten. */
  readonly body: string
}

export interface StoredRevision {
  readonly consent: string
  readonly rev: number
  readonly hash: string
  readonly createdMs: number
  readonly body: string
}

export interface StoredStep {
  readonly consent: string
  readonly seq: number
  readonly type: ConsentEvent['type']
  readonly state: ConsentState
  readonly atMs: number
  readonly hash: string
  /** Id of its event in the log. */
  readonly event: string
  readonly body: string
}

/** Delegations of one consent that a holder keeps, ended ones too. Each must be told of every change and may owe duties,
 *  and a delegator can name as many as it likes. */
export const maxDelegations = 200

/** Who was passed a part of a consent on, by whom. `depth` is 1 for a delegate of the recipient itself. */
export interface KnownDelegate {
  readonly consent: string
  readonly delegation: string
  /** DID. */
  readonly delegator: string
  /** DID. */
  readonly delegate: string
  readonly depth: number
  readonly firstSeenMs: number
  readonly endedMs: number | undefined
}

/** True for two words about one delegation: a delegator names each by an id of its own. */
export function isSameDelegation(
  one: Pick<KnownDelegate, 'delegation' | 'delegator'>,
  other: Pick<KnownDelegate, 'delegation' | 'delegator'>,
): boolean {
  return one.delegation === other.delegation && one.delegator === other.delegator
}

export interface ConsentStore {
  /** One row, by its key. */
  find(id: string): Promise<StoredConsent | undefined>
  /** The recipient's open request to the subject, else the newest consent between the two. */
  findLatest(recipient: string, subject: string): Promise<StoredConsent | undefined>
  /** Newest first, by id. */
  list(filter: ConsentFilter): Promise<StoredConsent[]>
  /** Those whose `dueMs` has come, the longest due first; at most `limit`. */
  findDue(nowMs: number, limit: number): Promise<StoredConsent[]>
  findRequest(consent: string): Promise<StoredRequest | undefined>
  findRequestByKey(recipient: string, idempotencyKey: string): Promise<StoredRequest | undefined>
  findRevision(consent: string, rev: number): Promise<StoredRevision | undefined>
  /** Oldest first. */
  loadRevisions(consent: string): Promise<StoredRevision[]>
  /** Oldest first. */
  loadSteps(consent: string): Promise<StoredStep[]>
  /** In the order in which they became known. */
  loadDelegates(consent: string): Promise<KnownDelegate[]>

  /** Fails in the transaction when the subject has an open request of the recipient. */
  insertConsent(consent: StoredConsent): Statement
  /** Changes the row only if its last step is still `fromSeq`. */
  moveConsent(id: string, fromSeq: number, move: ConsentMove): Statement
  insertRequest(request: StoredRequest): Statement
  /** Empties what was asked, and about whom, of requests that lapsed before then and were never granted. Rows and steps
   *  stay. */
  forgetLapsed(beforeMs: number): Statement[]
  insertRevision(revision: StoredRevision): Statement
  /** Fails in the transaction when the consent has this step already. */
  insertStep(step: StoredStep): Statement
  /** The first word about a delegation stays; one that names another delegate fails in the transaction. */
  insertDelegate(delegate: KnownDelegate): Statement
  /** Changes nothing, and fails its transaction unless the consent is active with these terms. */
  mustStand(terms: { readonly id: string; readonly hash: string }): Statement
  endDelegate(delegation: Pick<KnownDelegate, 'consent' | 'delegation' | 'delegator'>, atMs: number): Statement
}

/** What is kept of replicas. What takes replicas away is given as statements, for the transaction of the change that
 *  demands it; what was taken away is counted there too. */
import type { Statement } from '../storage/database.ts'
import type { Replica } from './replica.ts'

/** Whose replicas: of a held consent, or of a person at a holder. */
export type ReplicasOf =
  | { readonly held: string }
  | { readonly holder: string; readonly consent: string }
  | { readonly holder: string; readonly subject: string }

export interface UnderAgreement extends Pick<Replica, 'holder' | 'product' | 'operation' | 'purpose'> {
  readonly agreement: string
}

export interface ReplicaFilter {
  readonly holder?: string | undefined
  readonly consent?: string | undefined
  /** Ids after this one. */
  readonly after?: string | undefined
  readonly limit: number
}

/** What is due for a while, a page of it. */
export interface Due {
  readonly beforeMs: number
  readonly limit: number
  /** Where the page before ended. */
  readonly after?: DueKey | undefined
}

/** A place in the order of what is due: since when, and the id among those of one moment. */
export interface DueKey {
  readonly sinceMs: number
  readonly id: string
}

export interface DueReplicas extends Due {
  /** DID. */
  readonly holder: string
  readonly product: string
  /** Operation ids; all when undefined. */
  readonly operations: readonly string[] | undefined
}

/** A held consent of which nothing was heard since. */
export interface Unconfirmed {
  readonly held: string
  readonly sinceMs: number
}

/** That the holder would answer the same. */
export interface Revalidation {
  readonly consentHash: string | undefined
  readonly agreement: string | undefined
  readonly untilMs: number | undefined
  readonly nowMs: number
}

export interface ReplicaStore {
  find(id: string): Promise<Replica | undefined>
  /** By id. */
  list(filter: ReplicaFilter): Promise<Replica[]>
  /** With content, not asked for since `beforeMs`; the oldest first. */
  findUnvalidated(due: DueReplicas): Promise<Replica[]>
  /** Held consents of replicas with content of which nothing was heard since `beforeMs`; the longest unheard first. */
  findUnconfirmed(due: Due): Promise<Unconfirmed[]>
  /** Keeps it if `condition` (SQL) holds; own fields of one of the same id stay. */
  put(replica: Replica, condition: Statement): Statement
  /** Counts while the content is the one of that exchange. */
  revalidate(replica: Pick<Replica, 'id' | 'exchange'>, known: Revalidation): Statement
  /** The consent stands, by the holder's word. */
  confirm(held: string, nowMs: number): Statement
  /** Undefined takes them away, and with them a row that has nothing else. */
  setOwn(id: string, own: string | undefined): Statement[]
  /** Takes the content away, the own fields stay. */
  empty(of: ReplicasOf, nowMs: number): Statement[]
  emptyOne(id: string, nowMs: number): Statement[]
  /** What was received under an agreement and is kept, once for each operation and purpose. */
  agreements(): Promise<UnderAgreement[]>
  /** Takes away the content that came under an agreement. */
  emptyUnder(under: UnderAgreement, nowMs: number): Statement[]
  /** Takes away all of it. */
  remove(of: ReplicasOf, nowMs: number): Statement[]
  removeOne(id: string, nowMs: number): Statement[]
  /** Whose retention is over. */
  removeDue(nowMs: number): Statement[]
  /** How many have reached the end of their retention. */
  countDue(nowMs: number): Promise<number>
  /** Everything about a person, the counts too. */
  deleteSubject(subject: string): Statement[]
  /** How much was removed, and when the last of it was; undefined for nothing. */
  removed(of: Exclude<ReplicasOf, { readonly held: string }>): Promise<{ removed: number; at: number } | undefined>
}

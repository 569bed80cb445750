/** What is kept of duties. A duty is never deleted: it and its receipt are evidence. */
import type { DutyKind, DutyOutcome } from '@comity/core/duties/duty-receipt'
import type { Statement } from '../storage/database.ts'
import type { SubjectHandle } from '../vault/vault.ts'

export interface Duty {
  readonly id: string
  /** `imposed` on another by this node, or `owed` by this node. */
  readonly side: 'imposed' | 'owed'
  readonly kind: DutyKind
  readonly consent: string | undefined
  /** DIDs. */
  readonly holder: string
  readonly debtor: string
  /** Pairwise id of the person; undefined once they were erased. */
  readonly subject: string | undefined
  /** Of the person's key here; undefined in rows of earlier versions. */
  readonly handle: SubjectHandle | undefined
  /** The request of the person that it serves, at the holder. */
  readonly rightsRequest: string | undefined
  readonly dueMs: number
  readonly createdMs: number
  readonly state: 'open' | 'done' | 'refused'
  /** Field paths: for `rectify` those that were put right, for others all that the duty is about. */
  readonly fields: readonly string[] | undefined
  readonly outcome: DutyOutcome | undefined
  /** The debtor's signed receipt; undefined while there is none, and once the person was erased after it. */
  readonly receipt: string | undefined
  readonly closedMs: number | undefined
}

/** A duty as it is kept. */
export interface StoredDuty extends Omit<Duty, 'subject'> {
  /** Sealed, in rows of earlier versions in clear; empty when nothing is kept of the person. So is the receipt. */
  readonly subject: string
}

export type NewDuty = Omit<StoredDuty, 'state' | 'outcome' | 'receipt' | 'closedMs'>

export interface ClosedDuty {
  readonly state: 'done' | 'refused'
  readonly outcome: DutyOutcome
  readonly receipt: string
  /** Takes the place of the one that was kept while the duty was open. */
  readonly subject: string
  readonly closedMs: number
}

export interface DutyFilter {
  readonly side?: Duty['side'] | undefined
  readonly state?: Duty['state'] | undefined
  readonly consent?: string | undefined
  readonly rightsRequest?: string | undefined
  /** Of the person. */
  readonly handle?: SubjectHandle | undefined
  /** Only what is open and due by then. */
  readonly dueByMs?: number | undefined
  /** Only older ids than this one. */
  readonly before?: string | undefined
  /** 100 unless told. */
  readonly limit?: number | undefined
}

export interface DutyStore {
  /** The same id twice counts once. */
  insert(duty: NewDuty): Statement
  /** Closes an open duty; changes nothing of a closed one. */
  close(id: string, closed: ClosedDuty): Statement
  find(id: string): Promise<StoredDuty | undefined>
  /** Newest first. */
  list(filter: DutyFilter): Promise<readonly StoredDuty[]>
  /** Open duties whose time is over and of which nobody was told yet, oldest first. */
  overdueUntold(nowMs: number, limit: number): Promise<readonly StoredDuty[]>
  markTold(id: string): Statement
  /** Open duties whose time is over. */
  countOverdue(nowMs: number): Promise<number>
}

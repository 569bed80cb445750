/** What is kept of people's requests. A request is never deleted; what names the person in it is sealed. */
import type { RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import type { Statement } from '../storage/database.ts'

export interface StoredRights {
  readonly id: string
  /** Handle of the person in the vault. */
  readonly subject: string
  readonly type: RightsType
  /** The request as JSON text, sealed. */
  readonly body: string
  /** `open` until it is closed: what is under way is told by the reports. */
  readonly status: RightsStatus
  readonly receivedMs: number
  readonly dueMs: number
  /** The node itself has done what it can, for all that stood then. */
  readonly isApplied: boolean
  /** Why the answer takes longer, as the person was told; sealed. */
  readonly extension: string | undefined
  readonly closedMs: number | undefined
  /** When a restriction that was fulfilled ended. */
  readonly liftedMs: number | undefined
  /** The signed bundle as JSON text; sealed, unless it closed an erasure and holds nothing of the person. */
  readonly bundle: string | undefined
}

export type NewRights = Pick<StoredRights, 'id' | 'subject' | 'type' | 'body' | 'receivedMs' | 'dueMs'>

/** What one system of the holder has to report: the one behind a product. */
export interface StoredTask {
  readonly request: string
  readonly product: string
  readonly state: 'open' | 'done' | 'refused'
  /** What it reported, as JSON text, sealed. */
  readonly report: string | undefined
  readonly reportedMs: number | undefined
}

export interface RightsFilter {
  readonly subject?: string | undefined
  readonly isOpen?: boolean | undefined
  /** Only older ids than this one. */
  readonly before?: string | undefined
  /** 100 unless told. */
  readonly limit?: number | undefined
}

export interface RightsStore {
  /** As an open request that nothing was done for yet. */
  insert(request: NewRights): Statement
  insertTask(request: string, product: string): Statement
  /** Takes the first report on an open task; later ones change nothing. */
  reportTask(task: StoredTask): Statement
  markApplied(id: string): Statement
  extend(id: string, dueMs: number, reason: string): Statement
  /** Changes nothing of a request that is closed. */
  close(
    id: string,
    closed: { readonly status: RightsStatus; readonly closedMs: number; readonly bundle: string },
  ): Statement
  /** Changes nothing of a request that is open or was lifted. */
  lift(id: string, atMs: number): Statement
  find(id: string): Promise<StoredRights | undefined>
  tasks(request: string): Promise<readonly StoredTask[]>
  /** Newest first. */
  list(filter: RightsFilter): Promise<readonly StoredRights[]>
  /** Ids of the open requests that the node has something to do for: what it does by itself is not done yet, or no
   *  system of the holder has to report any more. Oldest first, after `after`. */
  listToSettle(after: string, limit: number): Promise<readonly string[]>
  /** Open requests whose time is over. */
  countOverdue(nowMs: number): Promise<number>
  /** Keeps the sealed reference of a subject, the newest. */
  saveReference(subject: string, sealed: string): Statement
  findReference(subject: string): Promise<string | undefined>
  deleteReference(subject: string): Statement
}

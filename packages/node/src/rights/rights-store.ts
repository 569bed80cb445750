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
  readonly status: RightsStatus
  readonly receivedMs: number
  readonly dueMs: number
  /** Why the answer takes longer, as the person was told. */
  readonly extension: string | undefined
  readonly closedMs: number | undefined
  /** The signed bundle as JSON text; sealed, unless it holds nothing of the person. */
  readonly bundle: string | undefined
}

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
  insert(request: Omit<StoredRights, 'closedMs' | 'bundle' | 'extension'>): Statement
  insertTask(request: string, product: string): Statement
  /** Takes the first report on an open task; later ones change nothing. */
  reportTask(task: Required<StoredTask>): Statement
  setStatus(id: string, status: RightsStatus): Statement
  extend(id: string, dueMs: number, reason: string): Statement
  /** Changes nothing of a request that is closed. */
  close(
    id: string,
    closed: { readonly status: RightsStatus; readonly closedMs: number; readonly bundle: string },
  ): Statement
  find(id: string): Promise<StoredRights | undefined>
  tasks(request: string): Promise<readonly StoredTask[]>
  /** Newest first. */
  list(filter: RightsFilter): Promise<readonly StoredRights[]>
}

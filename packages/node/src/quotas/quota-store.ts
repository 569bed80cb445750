/** Where requests for a higher quota are kept, on both sides. */
import type { Statement } from '../storage/database.ts'
import type { QuotaAsk, QuotaAsker, QuotaDecision, QuotaRequest, QuotaRequestState } from './quota-request.ts'

export interface QuotaPage {
  readonly state?: QuotaRequestState | undefined
  /** Newest first, older than this id. */
  readonly before?: string | undefined
  readonly limit: number
}

/** Statements go into the transaction that records what they do. */
export interface QuotaStore {
  /** Fails the transaction where the asker has one open already for the same limit and product. */
  insertRequest(request: QuotaRequest): Statement
  findRequest(id: string): Promise<QuotaRequest | undefined>
  /** The one that is open. */
  findOpen(asker: QuotaAsker, limit: string, product: string): Promise<QuotaRequest | undefined>
  listRequests(page: QuotaPage): Promise<QuotaRequest[]>
  /** Granted, and not over. */
  grants(nowMs: number): Promise<QuotaRequest[]>
  /** Changes one row, or none when it is decided already. */
  decideRequest(id: string, decision: QuotaDecision): Statement
  /** Changes one row, or none when it is not granted. */
  changeGrant(id: string, decision: QuotaDecision): Statement
  saveAsk(ask: QuotaAsk): Statement
  findAsk(id: string): Promise<QuotaAsk | undefined>
  listAsks(page: QuotaPage): Promise<QuotaAsk[]>
  /** Of this partner's; nothing when it is not known, or what is known was decided then or later. */
  decideAsk(id: string, partner: string, decision: QuotaDecision): Statement
}

/** What the node keeps of agreements. Writes are given as statements, for the transaction that also logs them. */
import type { AgreementEnvelope } from '@comity/core/agreement/agreement-signature'
import type { Statement } from '../storage/database.ts'

/** An agreement that counts on this node. */
export interface StoredAgreement {
  readonly envelope: AgreementEnvelope
  /** SHA-256 of the canonical agreement, base64url. */
  readonly hash: string
  readonly importedMs: number
}

/** One side's word that an agreement has ended. */
export interface Termination {
  /** `urn:uuid:…` */
  readonly agreement: string
  /** DID. */
  readonly by: string
  readonly atMs: number
  readonly reason: string
}

export interface AgreementStore {
  /** All agreements in the order of their import. */
  loadAgreements(): Promise<StoredAgreement[]>
  /** All terminations, those of agreements that are not known too; the earliest first. */
  loadTerminations(): Promise<Termination[]>
  /** The terminations of one agreement, whoever sent them; the earliest first. */
  findTerminations(agreement: string): Promise<Termination[]>
  /** The same id twice keeps the first. */
  insertAgreement(agreement: StoredAgreement): Statement
  /** The same side's second word about an agreement changes nothing. */
  insertTermination(termination: Termination): Statement
}

/** What the partners feature keeps. */
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'

/** A partner as it is kept. */
export interface StoredPartner {
  readonly alias: string
  readonly did: string
  readonly url: string
  readonly tlsFingerprints: readonly string[]
  readonly requireClientCertificate: boolean
  /** ISO 3166-1 alpha-2, as the operator says. */
  readonly country?: string | undefined
  /** As the operator knows it. */
  readonly name?: string | undefined
  /** As the operator demands it; by default what the partner's document announces. */
  readonly sealing?: SealingSettings | undefined
}

/** TLS keys that a partner's document named when it was last fetched under trust. */
export interface LearnedTlsKeys {
  readonly did: string
  /** The fingerprints that had been agreed out of band when these were learned; with others they count for nothing. */
  readonly agreed: readonly string[]
  readonly named: readonly string[]
}

/** Every method throws `storage-failed` when the storage does. */
export interface PartnerStore {
  /** By alias. */
  list(): Promise<StoredPartner[]>
  /** False when a partner of this alias or DID is there already; then nothing changes. */
  insert(partner: StoredPartner, nowMs: number): Promise<boolean>
  /** Removes a partner and what was learned about it. False when there was none. */
  remove(did: string): Promise<boolean>
  listLearned(): Promise<LearnedTlsKeys[]>
  saveLearned(keys: LearnedTlsKeys, nowMs: number): Promise<void>
}

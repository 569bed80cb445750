/** What is kept of the uses of API keys: when, from which network, how often; and the last sequence numbers. */
import type { Statement } from '../storage/database.ts'

/** The uses of a key from one network. Times are milliseconds since the epoch. */
export interface KeyNetworkUse {
  readonly key: string
  /** Prefix of the address: 24 bits of IPv4, 48 of IPv6. */
  readonly network: string
  readonly firstMs: number
  readonly lastMs: number
  readonly uses: number
  /** What `uses` was when the overlap of the last rotation began. */
  readonly marked: number
}

export interface KeyHour {
  readonly key: string
  /** Hours since the epoch. */
  readonly hour: number
  readonly uses: number
}

/** Uses since the last write. */
export interface KeyUseBatch {
  readonly networks: readonly Omit<KeyNetworkUse, 'marked'>[]
  readonly hours: readonly KeyHour[]
}

export interface KeyUseStore {
  /** Of keys that have not ended, or not before then. */
  loadUses(endedSinceMs: number): Promise<KeyNetworkUse[]>
  loadHours(sinceHour: number): Promise<KeyHour[]>
  /** Most uses first. */
  usesOf(key: string): Promise<KeyNetworkUse[]>
  /** Adds the batch to what is there. */
  add(batch: KeyUseBatch): Promise<void>
  /** Remembers the number of uses of now, from which those of the overlap are told. */
  mark(key: string): Statement
  pruneHours(beforeHour: number): Promise<void>
  /** Durable when it resolves: true for each number that is higher than the last of its key, in order. */
  takeSequences(taken: readonly { readonly key: string; readonly sequence: number }[]): Promise<boolean[]>
}

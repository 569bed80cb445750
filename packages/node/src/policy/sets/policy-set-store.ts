/** The sets of policies that were in force, and the one that is: the newest. */
import type { Statement } from '../../storage/database.ts'
import type { PreparedSet } from '../engine/policy-engine.ts'
import type { PolicyText } from './prepare-set.ts'

/** Where a set came from. */
export type PolicySource = 'admin' | 'directory'

/** A set as it is kept. */
export interface StoredSet {
  /** From 1, without gaps. */
  readonly version: number
  readonly texts: readonly PolicyText[]
  readonly prepared: PreparedSet
  /** What it was prepared from and by; another value means that it must be prepared anew. */
  readonly preparedAs: string
  readonly source: PolicySource
  /** Why, in the operator's words. */
  readonly note?: string | undefined
  readonly setMs: number
}

/** A set without what it says. */
export type SetSummary = Omit<StoredSet, 'texts' | 'prepared' | 'preparedAs'> & { readonly hash: string }

export interface PolicySetStore {
  /** The newest. */
  current(): Promise<StoredSet | undefined>
  find(version: number): Promise<StoredSet | undefined>
  /** Newest first, older than `before` when given. */
  list(limit: number, before?: number): Promise<readonly SetSummary[]>
  /** Fails its transaction with a constraint when the version is taken. */
  insert(set: StoredSet): Statement
  /** Another form of the same set, after an upgrade. */
  prepareAnew(version: number, prepared: PreparedSet, preparedAs: string): Statement
}

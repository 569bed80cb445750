/** What status lists need of storage. */
import type { Statement } from '../storage/database.ts'

/** One entry's status and its place in the changes of its list. */
export interface StatusChange {
  readonly index: number
  readonly value: number
  /** From 1, greater for each change of the list. */
  readonly change: number
}

export interface StatusStore {
  /** Number of the newest list, from 1; undefined while there is none. */
  newestList(): Promise<number | undefined>
  /** Indices of the list that were given away. */
  usedIndices(list: number): Promise<number[]>
  hasList(list: number): Promise<boolean>
  /** Entries whose last change came after `change`, in order. Entries that never changed are not among them. */
  changesAfter(list: number, change: number): Promise<StatusChange[]>
  /** Gives an entry away, with status 0. The transaction fails when it was given away before. */
  insertEntry(list: number, index: number): Statement
  /** Changes a status. One that is `final` already stays. */
  updateEntry(entry: { readonly list: number; readonly index: number }, value: number, final: number): Statement
}

/** Entries that were just committed, kept in memory so that integrating them needs no database; bounded, since
 *  integration may stand still while appends go on (a full disk). What is not here is read from the database. */
import { eventEntry } from '@comity/core/audit-log/event-commitment'
import { leafHash } from '@comity/core/audit-log/merkle'
import { Problem } from '@comity/core/problems'
import type { Database } from '../storage/database.ts'
import { loadCommitments } from './log-store.ts'
import type { TreeEntry } from './tree-edge.ts'

const maxRemembered = 16_384

export class RecentEntries {
  readonly #database: Database
  #first = 0
  #entries: TreeEntry[] = []

  constructor(database: Database) {
    this.#database = database
  }

  /** Remembers entries from position `first` on; forgets what was there if they do not join on or are too many. */
  add(first: number, entries: readonly TreeEntry[]): void {
    const joins = first === this.#first + this.#entries.length && this.#entries.length < maxRemembered
    if (!joins) {
      this.#first = first
      this.#entries = []
    }
    for (const { entry, leafHash: hash } of entries) this.#entries.push({ entry, leafHash: hash })
  }

  /** Entries from `start` up to `end`. Throws `log-inconsistent` when the database has a hole there. */
  async read(start: number, end: number): Promise<readonly TreeEntry[]> {
    if (start >= this.#first && end <= this.#first + this.#entries.length)
      return this.#entries.slice(start - this.#first, end - this.#first)
    return loadTreeEntries(this.#database, start, end)
  }

  /** Forgets the entries before `end`. */
  forgetBefore(end: number): void {
    const count = Math.min(end - this.#first, this.#entries.length)
    if (count <= 0) return
    this.#entries = this.#entries.slice(count)
    this.#first += count
  }
}

/** Entries from `start` up to `end`, made again from the commitments in the database. Throws `log-inconsistent` when
 *  one is missing. */
export async function loadTreeEntries(database: Database, start: number, end: number): Promise<TreeEntry[]> {
  const commitments = await loadCommitments(database, start, end)
  if (commitments.length !== end - start)
    throw new Problem('log-inconsistent', `the database lacks log entries between ${start} and ${end}`)
  return commitments.map((commitment) => {
    const entry = eventEntry(commitment)
    return { entry, leafHash: leafHash(entry) }
  })
}

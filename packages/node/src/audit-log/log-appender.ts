/** Group commit: appends that come while the event loop turns once, or while a transaction is being written, share
 *  the next transaction and its fsync. An idle node adds no delay. */
import { Problem } from '@comity/core/problems'
import type { Database, Statement } from '../storage/database.ts'
import { insertEntryStatement, loadEntryCount, type PreparedEvent } from './log-store.ts'

interface Waiting {
  readonly event: PreparedEvent
  readonly effects: readonly Statement[]
  readonly resolve: (position: number) => void
  readonly reject: (error: unknown) => void
}

/** Called with the events of one transaction after it is durable; `first` is the position of the first of them. */
export type OnCommitted = (first: number, events: readonly PreparedEvent[]) => void

interface AppenderOptions {
  readonly database: Database
  /** Number of entries in the database. */
  readonly entryCount: number
  readonly onCommitted: OnCommitted
  /** Told when a transaction failed for the storage's fault, before its appends are rejected. */
  readonly onStorageFault?: () => void
}

/** Bounds how long one transaction keeps the others waiting. */
const maxEntriesPerCommit = 500

/** INVARIANT: positions are given in `#commit` only, one commit at a time, and taken back when it fails, so the log
 *  has no hole. */
export class LogAppender {
  readonly #database: Database
  readonly #onCommitted: OnCommitted
  readonly #onStorageFault: (() => void) | undefined
  #next: number
  #queue: Waiting[] = []
  /** Settles when the queue has been written out; undefined while there is nothing to write. */
  #flushing: Promise<void> | undefined
  /** After a failure the database is asked again what it holds: a commit may fail after it took effect. */
  #isCountUncertain = false
  #isClosed = false

  constructor({ database, entryCount, onCommitted, onStorageFault }: AppenderOptions) {
    this.#database = database
    this.#next = entryCount
    this.#onCommitted = onCommitted
    this.#onStorageFault = onStorageFault
  }

  /** Number of entries known to be durable. */
  get entryCount(): number {
    return this.#next
  }

  /** Gives the entry's position once it and its effects are durable. Throws `record-failed`; then neither is. */
  append(event: PreparedEvent, effects: readonly Statement[] = []): Promise<number> {
    if (this.#isClosed) return Promise.reject(recordFailed(new Error('the log is closed')))
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, effects, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /** Takes no more appends; resolves when those that wait are settled. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#flushing
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      await this.#commit(this.#queue.splice(0, maxEntriesPerCommit))
    }
    this.#flushing = undefined
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    let first: number
    try {
      if (this.#isCountUncertain) await this.#recount()
      first = this.#next
      await this.#database.execute(statementsOf(batch, first))
    } catch (error) {
      this.#isCountUncertain = true
      return this.#fail(batch, error)
    }
    this.#next = first + batch.length
    this.#onCommitted(
      first,
      batch.map(({ event }) => event),
    )
    for (const [i, { resolve }] of batch.entries()) resolve(first + i)
  }

  /** Unless the storage itself failed, one append is at fault (its id is taken, its effect breaks a constraint): the
   *  others shall not suffer for it, so each is tried alone. */
  async #fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    const isStorageFault = error instanceof Problem && error.code === 'storage-failed'
    if (isStorageFault) this.#onStorageFault?.()
    if (isStorageFault || batch.length === 1) for (const { reject } of batch) reject(recordFailed(error))
    else for (const waiting of batch) await this.#commit([waiting])
  }

  async #recount(): Promise<void> {
    this.#next = await loadEntryCount(this.#database)
    this.#isCountUncertain = false
  }
}

function statementsOf(batch: readonly Waiting[], first: number): Statement[] {
  const statements: Statement[] = []
  for (const [i, { event, effects }] of batch.entries()) {
    statements.push(insertEntryStatement(first + i, event))
    for (const effect of effects) statements.push(effect)
  }
  return statements
}

/** What an append rejects with. */
export function recordFailed(cause: unknown): Problem {
  return new Problem('record-failed', 'the event could not be written to the log', { cause })
}

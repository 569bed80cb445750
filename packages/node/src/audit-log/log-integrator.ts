/** Brings durable entries into the published log: tiles and bundles to disk, then a signed checkpoint into the
 *  database, then the `checkpoint` file. Each step is durable before the next, so whatever a crash leaves is either
 *  not referred to yet or can be made again, the same, from the database. */
import { signCheckpoint } from '@comity/core/audit-log/checkpoint'
import type { NoteSigner } from '@comity/core/audit-log/note'
import { parseTilePath, tileAt } from '@comity/core/audit-log/tiles'
import { utf8Bytes } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'
import type { Database } from '../storage/database.ts'
import type { LogFile, LogFiles } from './log-files.ts'
import { replaceCheckpoint, type StoredCheckpoint } from './log-store.ts'
import type { RecentEntries } from './recent-entries.ts'
import type { TreeEdge } from './tree-edge.ts'

/** Entries hashed and written between two turns of the event loop. */
const entriesPerStep = 512
/** Entries that one checkpoint adds at most, so that a long backlog is published piece by piece. */
const entriesPerCheckpoint = 65_536

interface IntegratorOptions {
  readonly origin: string
  readonly signer: NoteSigner
  readonly database: Database
  readonly files: LogFiles
  readonly recent: RecentEntries
  /** The tree of `stored`. */
  readonly edge: TreeEdge
  /** The last checkpoint that was signed. */
  readonly stored: StoredCheckpoint
  /** True when the `checkpoint` file holds it. */
  readonly isPublished: boolean
}

/** INVARIANT: `#edge` is the tree of `#stored`, the checkpoint in the database; `#published` is what the file says
 *  and never ahead of it. A round that fails changes neither. */
export class LogIntegrator {
  readonly #options: IntegratorOptions
  #edge: TreeEdge
  #stored: StoredCheckpoint
  #published: StoredCheckpoint | undefined
  /** Directories of partial tiles whose full tiles are written. */
  readonly #superseded: string[] = []
  /** Settles when the round that runs has ended. */
  #round: Promise<void> = Promise.resolve()

  constructor(options: IntegratorOptions) {
    this.#options = options
    this.#edge = options.edge
    this.#stored = options.stored
    this.#published = options.isPublished ? options.stored : undefined
  }

  /** The checkpoint in the `checkpoint` file; before there is one, the last that was signed. */
  get published(): StoredCheckpoint {
    return this.#published ?? this.#stored
  }

  /** True when entries up to `size`, at least, are in the published checkpoint. */
  isIntegrated(size: number): boolean {
    return this.#published === this.#stored && this.#stored.size >= size
  }

  /** Publishes all entries up to position `size`. Rounds run one after the other. Throws `storage-failed` when a
   *  step could not be made durable, `log-inconsistent` when the database holds another checkpoint than ours. */
  integrate(size: number): Promise<void> {
    const round = this.#round.catch(() => undefined).then(() => this.#run(size))
    this.#round = round
    return round
  }

  async #run(size: number): Promise<void> {
    await this.#publish()
    while (this.#stored.size < size) {
      await this.#extend(Math.min(size, this.#stored.size + entriesPerCheckpoint))
      await this.#publish()
    }
  }

  async #extend(size: number): Promise<void> {
    const { files, recent } = this.#options
    const edge = this.#edge.clone()
    for (let start = edge.size; start < size; start = edge.size) {
      for (const entry of await recent.read(start, Math.min(size, start + entriesPerStep))) edge.append(entry)
      const completed = edge.takeCompleted()
      await files.write(completed)
      this.#superseded.push(...this.#supersededBy(completed))
    }
    await files.write(edge.partialFiles(this.#stored.size))
    await files.sync()
    await this.#sign(edge)
    this.#edge = edge
    recent.forgetBefore(size)
  }

  #supersededBy(completed: readonly LogFile[]): string[] {
    return completed.flatMap(({ path }) => {
      const { level, index } = parseTilePath(path)!
      return tileAt(level, index, this.#stored.size) === undefined ? [] : [`${path}.p`]
    })
  }

  async #sign(edge: TreeEdge): Promise<void> {
    const { origin, signer, database } = this.#options
    const root = edge.root()
    const note = signCheckpoint({ origin, size: edge.size, rootHash: root }, [signer])
    const next = { size: edge.size, root, note }
    if (!(await replaceCheckpoint(database, this.#stored, next)))
      throw new Problem('log-inconsistent', 'the database holds another checkpoint than the one signed last here')
    this.#stored = next
  }

  async #publish(): Promise<void> {
    if (this.#published === this.#stored) return
    await this.#options.files.write([{ path: 'checkpoint', bytes: utf8Bytes(this.#stored.note) }])
    await this.#options.files.sync()
    this.#published = this.#stored
    await this.#removeSuperseded()
  }

  /** Only now, when the checkpoint that needed them is gone from the directory, so that a reader of the files alone
   *  never misses one. Left behind by a crash, partial tiles are in nobody's way. */
  async #removeSuperseded(): Promise<void> {
    for (const path of this.#superseded.splice(0)) await this.#options.files.remove(path).catch(() => undefined)
  }
}

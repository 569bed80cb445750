/** The node's append-only log: events in the database, their commitments in a published Merkle tree that anyone can
 *  check (c2sp.org/tlog-tiles). An append is durable when it resolves; it is provable from the next checkpoint on. */
import { eventCommitment, eventEntry } from '@comity/core/audit-log/event-commitment'
import { leafHash } from '@comity/core/audit-log/merkle'
import { ed25519NoteSigner } from '@comity/core/audit-log/note'
import { inclusionProofFromTiles } from '@comity/core/audit-log/tiles'
import { formatTlogProof } from '@comity/core/audit-log/tlog-proof'
import { formatVerifierKey, verifierKey } from '@comity/core/audit-log/verifier-key'
import type { SigningKey } from '@comity/core/crypto/crypto'
import type { RandomBytes } from '@comity/core/ports'
import type { Database, Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'
import { IntegrationSchedule } from './integration-schedule.ts'
import { LogAppender, recordFailed } from './log-appender.ts'
import { openLogFiles, type LogFiles } from './log-files.ts'
import { LogHealth } from './log-health.ts'
import { LogIntegrator } from './log-integrator.ts'
import { recoverLog, type RecoveredLog } from './log-recovery.ts'
import {
  loadEvent,
  loadEvents,
  probeStatement,
  type EventRange,
  type PreparedEvent,
  type StoredEvent,
} from './log-store.ts'
import { readPublishedTile } from './published-tile.ts'
import { RecentEntries } from './recent-entries.ts'
import { createSalts } from './salts.ts'
import { keptText, readText, type ReadText, type Unsealer } from './sealed-event.ts'

/** What is logged. `id` is unique in the log, and like `type` and `timeMs` says nothing about a person; `body` is JSON
 *  text, kept verbatim. */
export interface LogEvent {
  readonly id: string
  readonly type: string
  readonly timeMs: number
  readonly body: string
  /** The person that the event is about: text and salt are kept under this key. */
  readonly subject?: SubjectKey | undefined
}

/** An event as it stands in the log. Without `body` and `salt` the person that it was about has been erased. */
export type LoggedEvent = Omit<StoredEvent, 'body' | 'salt'> & ReadText

/** All that proves an event to a stranger who has the log's verifier key. Without `body` and `salt` the person that it
 *  was about has been erased: the entry is proved, what it said is not known. */
export type EventProof = ReadText & {
  /** Position in the log. */
  readonly index: number
  /** `.tlog-proof` text (c2sp.org/tlog-proof) against the published checkpoint. */
  readonly proof: string
}

export interface AuditLog extends AsyncDisposable {
  readonly origin: string
  /** Verifier key of the checkpoints, as a vkey (c2sp.org/signed-note). */
  readonly verifierKey: string
  /** False while the storage takes no entries, or publishing them keeps failing: then appends are refused. It becomes
   *  true by itself. */
  readonly isWritable: boolean
  /** Salts and commits to an event: no I/O, nothing is logged yet, but its leaf hash is known. */
  prepare(event: LogEvent): PreparedEvent
  /** Gives the event's position once it and `effects` are durable, in one transaction, whose fsync concurrent
   *  appends share. Throws `record-failed`; then neither happened. */
  append(event: PreparedEvent, effects?: readonly Statement[]): Promise<number>
  /** The published checkpoint, a signed note. */
  checkpoint(): string
  /** Proof of an event; `pending` while the published checkpoint does not cover it, undefined when unknown. */
  proof(eventId: string): Promise<EventProof | 'pending' | undefined>
  /** A tile or entry bundle of the published tree by its path (`tile/0/000.p/5`). */
  tile(path: string): Promise<Uint8Array | undefined>
  /** Events in order; of one person only, when the range names one. */
  readEvents(range?: EventRange): Promise<LoggedEvent[]>
  /** The event of an id. */
  readEvent(id: string): Promise<LoggedEvent | undefined>
  /** Publishes all that is appended so far, now. Throws `storage-failed` when it cannot be written; it is tried
   *  again later by itself. */
  integrate(): Promise<void>
}

export interface AuditLogOptions {
  readonly database: Database
  /** Where `checkpoint`, `tile/…` and `log.vkey` are. */
  readonly directory: string
  /** Name of the log: its URL without scheme and trailing slash, such as `node.example.org/log`. */
  readonly origin: string
  /** Ed25519 key of this log alone. */
  readonly signingKey: SigningKey
  readonly randomBytes: RandomBytes
  /** Told when publishing fails; it is tried again, and appends go on unless it keeps failing. */
  readonly onProblem?: (error: unknown) => void
  /** Least time between two checkpoints made by themselves; 1,000 unless told. */
  readonly intervalMs?: number
  /** Reads events about people; without it they can be appended but not read. */
  readonly vault?: Unsealer
  /** Another file system than the directory's, to make it fail. */
  readonly files?: LogFiles
}

/** Opens the log, or begins it: finishes what a crash left, and goes on. The tables must be there
 *  (`auditLogTables`). Throws `log-inconsistent` when database and directory contradict each other, and
 *  `storage-failed`. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { database, origin, signingKey, files = openLogFiles(options.directory) } = options
  const signer = ed25519NoteSigner(origin, signingKey)
  const vkey = formatVerifierKey(verifierKey(origin, signingKey.publicJwk))
  const recovered = await recoverLog({ origin, verifierKey: vkey, signer, database, files })
  const recent = new RecentEntries(database)
  const integrator = new LogIntegrator({ origin, signer, database, files, recent, ...recovered })
  const log = new DurableAuditLog({ options, files, vkey, recovered, recent, integrator })
  await log.start()
  return log
}

interface Parts {
  readonly options: AuditLogOptions
  readonly files: LogFiles
  readonly vkey: string
  readonly recovered: RecoveredLog
  readonly recent: RecentEntries
  readonly integrator: LogIntegrator
}

class DurableAuditLog implements AuditLog {
  readonly origin: string
  readonly verifierKey: string
  readonly #options: AuditLogOptions
  readonly #files: LogFiles
  readonly #nextSalt: () => Uint8Array
  readonly #appender: LogAppender
  readonly #integrator: LogIntegrator
  readonly #schedule: IntegrationSchedule
  readonly #health: LogHealth

  constructor({ options, files, vkey, recovered, recent, integrator }: Parts) {
    this.origin = options.origin
    this.verifierKey = vkey
    this.#options = options
    this.#files = files
    this.#nextSalt = createSalts(options.randomBytes)
    this.#integrator = integrator
    const { database, intervalMs = 1_000 } = options
    this.#health = new LogHealth({ probe: () => database.execute([probeStatement]), intervalMs })
    this.#appender = new LogAppender({
      database,
      entryCount: recovered.entryCount,
      onCommitted: (first, events) => {
        recent.add(first, events)
        this.#health.committed()
        this.#schedule.notify()
      },
      onStorageFault: () => this.#health.commitFailed(),
    })
    this.#schedule = new IntegrationSchedule({
      run: () => this.integrate(),
      isDue: () => !integrator.isIntegrated(this.#appender.entryCount),
      intervalMs,
      onFailure: (error) => options.onProblem?.(error),
    })
  }

  get isWritable(): boolean {
    return this.#health.isWell
  }

  /** Publishes the stored checkpoint, if a crash came before; entries beyond it follow by themselves. */
  async start(): Promise<void> {
    await this.#integrator.integrate(0).catch((error: unknown) => this.#options.onProblem?.(error))
    this.#schedule.notify()
  }

  prepare({ id, type, timeMs, body, subject }: LogEvent): PreparedEvent {
    const salt = this.#nextSalt()
    const commitment = eventCommitment(body, salt)
    const entry = eventEntry(commitment)
    const kept = keptText({ body, salt }, subject)
    return { id, type, timeMs, ...kept, subject: subject?.handle, commitment, entry, leafHash: leafHash(entry) }
  }

  append(event: PreparedEvent, effects?: readonly Statement[]): Promise<number> {
    const { refusal } = this.#health
    return refusal === undefined ? this.#appender.append(event, effects) : Promise.reject(recordFailed(refusal))
  }

  checkpoint(): string {
    return this.#integrator.published.note
  }

  async proof(eventId: string): Promise<EventProof | 'pending' | undefined> {
    const event = await loadEvent(this.#options.database, eventId)
    if (event === undefined) return undefined
    const { size, note } = this.#integrator.published
    if (event.position >= size) return 'pending'
    const readTile = (path: string) => readPublishedTile(this.#files, path, size)
    const hashes = await inclusionProofFromTiles(event.position, size, readTile)
    const proof = formatTlogProof({ index: event.position, hashes, checkpoint: note })
    return { index: event.position, proof, ...(await readText(event, this.#options.vault)) }
  }

  tile(path: string): Promise<Uint8Array | undefined> {
    return readPublishedTile(this.#files, path, this.#integrator.published.size)
  }

  async readEvents(range?: EventRange): Promise<LoggedEvent[]> {
    const { database, vault } = this.#options
    const stored = await loadEvents(database, range)
    return Promise.all(stored.map(async (event) => ({ ...event, ...(await readText(event, vault)) })))
  }

  async readEvent(id: string): Promise<LoggedEvent | undefined> {
    const { database, vault } = this.#options
    const stored = await loadEvent(database, id)
    return stored && { ...stored, ...(await readText(stored, vault)) }
  }

  async integrate(): Promise<void> {
    try {
      await this.#integrator.integrate(this.#appender.entryCount)
    } catch (error) {
      this.#health.publicationFailed()
      throw error
    }
    this.#health.published()
  }

  /** Settles the appends that wait and publishes them, if that works now; else the next start does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#health.close()
    await this.#appender.close()
    await this.#schedule.close()
    await this.integrate().catch((error: unknown) => this.#options.onProblem?.(error))
  }
}

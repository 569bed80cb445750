/** What the tests of the audit log share: a fresh log on SQLite, and worlds that fail. */
import { verifyLogContent, readCheckpoint, type LogSource } from '@comity/core/audit-log/log-reader'
import { ed25519NoteVerifier } from '@comity/core/audit-log/note'
import { verifierKey } from '@comity/core/audit-log/verifier-key'
import { generatePrivateJwk, importSigningKey, sha256 } from '@comity/core/crypto/crypto-node'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Database, Statement } from '../storage/database.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { auditLogTables } from './audit-log-schema.ts'
import { openAuditLog, type AuditLog, type AuditLogOptions, type LogEvent } from './audit-log.ts'
import type { LogFile, LogFiles } from './log-files.ts'

export const origin = 'node.example.org/log'
export const signingKey = importSigningKey(generatePrivateJwk('ed25519'))
export const verifier = ed25519NoteVerifier(verifierKey(origin, signingKey.publicJwk))

/** Bytes that look random and are the same in every run. */
export function madeUpRandomness(seed: string): RandomBytes {
  let draws = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) bytes.set(sha256(`${seed} ${draws++}`).subarray(0, length - at), at)
    return bytes
  }
}

/** A database in memory with the log's tables and one table for effects. */
export async function freshDatabase(path = ':memory:'): Promise<Database> {
  const database = await openSqlite(path)
  await database.execute([...auditLogTables, 'CREATE TABLE effects (name TEXT UNIQUE)'].map((sql) => ({ sql })))
  return database
}

let opened = 0

/** Opens the log on these files, integrating by itself hardly ever. */
export function openLog(database: Database, files: LogFiles, more: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  const quiet = { intervalMs: 1_000_000, directory: '/nowhere' }
  const randomBytes = madeUpRandomness(`log ${opened++}`)
  return openAuditLog({ database, files, origin, signingKey, randomBytes, ...quiet, ...more })
}

export function eventOf(id: number | string): LogEvent {
  return { id: `event-${id}`, type: 'exchange', timeMs: 1_700_000_000_000, body: JSON.stringify({ id, text: 'ä' }) }
}

/** Appends events `from` up to `to`, at once. */
export function appendEvents(log: AuditLog, from: number, to: number): Promise<number[]> {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i)
  return Promise.all(numbers.map((i) => log.append(log.prepare(eventOf(i)))))
}

/** The size of a published log, every file of which is consistent with its signed checkpoint. */
export async function verifiedSize(source: LogSource): Promise<number> {
  const { checkpoint } = await readCheckpoint(source, verifier)
  await verifyLogContent(source, checkpoint)
  return checkpoint.size
}

/** Files in memory that forget, like a disk at power failure, names that were not synced. After `failAt` operations
 *  every further one fails. */
export class PowerlessFiles implements LogFiles {
  readonly durable: Map<string, Uint8Array>
  readonly #unsynced = new Map<string, Uint8Array | undefined>()
  operations = 0
  failAt: number

  constructor(durable: Map<string, Uint8Array> = new Map(), failAt = Infinity) {
    this.durable = durable
    this.failAt = failAt
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#unsynced.has(path) ? this.#unsynced.get(path) : this.durable.get(path)
  }

  async write(files: readonly LogFile[]): Promise<void> {
    for (const { path, bytes } of files) {
      this.#count()
      this.#unsynced.set(path, Uint8Array.from(bytes))
    }
  }

  async sync(): Promise<void> {
    this.#count()
    for (const [path, bytes] of this.#unsynced) this.#settle(path, bytes)
    this.#unsynced.clear()
  }

  async remove(path: string): Promise<void> {
    this.#count()
    for (const known of [...this.durable.keys(), ...this.#unsynced.keys()])
      if (known === path || known.startsWith(`${path}/`)) this.#unsynced.set(known, undefined)
  }

  /** What is there after the power came back: of what was not synced, those that `survives` picks. */
  afterPowerLoss(survives: (path: string) => boolean): Map<string, Uint8Array> {
    for (const [path, bytes] of this.#unsynced) if (survives(path)) this.#settle(path, bytes)
    return this.durable
  }

  #settle(path: string, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.durable.delete(path)
    else this.durable.set(path, bytes)
  }

  #count(): void {
    if (this.operations >= this.failAt) throw new Problem('storage-failed', 'the power is gone')
    this.operations++
  }
}

/** A database that counts its transactions that hold log entries, and fails those that `fails` picks, before or after they took effect. */
export function watchedDatabase(inner: Database) {
  const watched = {
    commits: [] as number[],
    fails: (_statements: readonly Statement[]): 'before' | 'after' | undefined => undefined,
    all: inner.all.bind(inner) as Database['all'],
    get: inner.get.bind(inner) as Database['get'],
    transaction: inner.transaction.bind(inner) as Database['transaction'],
    async execute(statements: readonly Statement[]): Promise<number[]> {
      const failure = watched.fails(statements)
      if (failure === 'before') throw new Problem('storage-failed', 'the disk is full')
      const changed = await inner.execute(statements)
      if (failure === 'after') throw new Problem('storage-failed', 'the disk failed to write')
      if (statements[0]?.sql.includes('INTO log_entries')) watched.commits.push(statements.length)
      return changed
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
  return watched
}

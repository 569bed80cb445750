/** `node bench/log-appends.ts`: how many events a second the audit log makes durable, by how many are appended at
 *  once. Every append waits for its fsync; tiles and checkpoints are written meanwhile, as in a node. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { auditLogTables } from '@comity/node/audit-log/audit-log-schema'
import { openAuditLog, type AuditLog } from '@comity/node/audit-log/audit-log'
import { openSqlite } from '@comity/node/storage/sqlite'

/** What one batch size gave. */
export interface LogAppendRow {
  /** `log-append-` and the batch size. */
  readonly name: string
  /** Appends that wait together. */
  readonly batch: number
  readonly appendsPerSecond: number
  /** CPU of the whole process, all threads. */
  readonly cpuMicrosPerAppend: number
  /** Time until a batch was durable. */
  readonly p50Ms: number
  readonly p99Ms: number
}

interface BenchOptions {
  /** How long each batch size is measured; 2,000 unless told. */
  readonly msPerBatch?: number
  /** Where the log is written: a disk, not a memory file system, or the fsyncs cost nothing. */
  readonly directory?: string
}

const batches = [1, 10, 100, 1_000]
/** As long as the event of an exchange. */
const padding = 'x'.repeat(700)

/** Measures each batch size on a fresh log, which is removed afterwards. */
export async function benchLogAppends(options: BenchOptions = {}): Promise<LogAppendRow[]> {
  const directory = await mkdtemp(join(options.directory ?? tmpdir(), 'comity-bench-log-'))
  try {
    await using database = await openSqlite(join(directory, 'comity.db'))
    await database.execute(auditLogTables.map((sql) => ({ sql })))
    const signingKey = importSigningKey(generatePrivateJwk('ed25519'))
    const place = { directory: join(directory, 'log'), origin: 'bench.example/log' }
    await using log = await openAuditLog({ database, signingKey, randomBytes, ...place })
    const rows: LogAppendRow[] = []
    for (const batch of batches) rows.push(await measureBatch(log, batch, options.msPerBatch ?? 2_000))
    return rows
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function measureBatch(log: AuditLog, batch: number, durationMs: number): Promise<LogAppendRow> {
  await appendFor(log, batch, durationMs / 10)
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const times = await appendFor(log, batch, durationMs)
  const elapsedMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpuBefore)
  const appends = times.length * batch
  const sorted = times.toSorted((a, b) => a - b)
  return {
    name: `log-append-${batch}`,
    batch,
    appendsPerSecond: Math.round((appends / elapsedMs) * 1_000),
    cpuMicrosPerAppend: (user + system) / appends,
    p50Ms: sorted[Math.floor(sorted.length * 0.5)]!,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)]!,
  }
}

/** Appends batch after batch; gives how long each took, in milliseconds. */
async function appendFor(log: AuditLog, batch: number, durationMs: number): Promise<number[]> {
  const times: number[] = []
  const endsAt = performance.now() + durationMs
  for (let now = performance.now(); now < endsAt;) {
    await Promise.all(Array.from({ length: batch }, () => log.append(log.prepare(nextEvent()))))
    const done = performance.now()
    times.push(done - now)
    now = done
  }
  return times
}

let events = 0

function nextEvent() {
  const number = events++
  return { id: `event-${number}`, type: 'exchange', timeMs: number, body: `{"number":${number},"text":"${padding}"}` }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, appendsPerSecond, cpuMicrosPerAppend, p50Ms, p99Ms } of await benchLogAppends())
    console.log(
      `${name.padEnd(16)}${String(appendsPerSecond).padStart(8)}/s  ${cpuMicrosPerAppend.toFixed(1).padStart(8)} µs CPU` +
        `  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`,
    )
}

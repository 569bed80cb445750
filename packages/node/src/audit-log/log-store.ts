/** The audit log in the database. Positions count from 0 without a hole. */
import type { Database, Row, Statement } from '../storage/database.ts'

/** An event made ready to be logged: its text, and the log entry that commits to it (core/audit-log). */
export interface PreparedEvent {
  readonly id: string
  readonly type: string
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number
  /** JSON text, kept verbatim; or `sealed:…` of it and the salt, when it is about a person. */
  readonly body: string
  /** 32 random bytes; none beside a sealed text. */
  readonly salt: Uint8Array
  /** Handle of the person that the event is about. */
  readonly subject: string | undefined
  readonly commitment: Uint8Array
  /** Bytes of the log entry. */
  readonly entry: Uint8Array
  /** RFC 6962 hash of the entry. */
  readonly leafHash: Uint8Array
}

/** An event as it stands in the database: `body` and `salt` as in `PreparedEvent`. */
export interface StoredEvent {
  readonly position: number
  readonly id: string
  readonly type: string
  readonly timeMs: number
  readonly subject: string | undefined
  readonly body: string
  readonly salt: Uint8Array
}

/** Which events: from position `from` on (0 unless told), at most `limit` (100 unless told), of one person only. */
export interface EventRange {
  readonly from?: number
  readonly limit?: number
  readonly subject?: string | undefined
}

/** A signed checkpoint as it is kept: what it says and its note. */
export interface StoredCheckpoint {
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
}

interface EventRow extends Row {
  readonly position: number
  readonly id: string
  readonly type: string
  readonly time_ms: number
  readonly subject: string | null
  readonly body: string
  readonly salt: Uint8Array
}

const insertEntry = `INSERT INTO log_entries (position, id, type, time_ms, salt, body, commitment, subject)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
const selectNext = 'SELECT COALESCE(MAX(position) + 1, 0) AS next FROM log_entries'
const selectCommitments = 'SELECT commitment FROM log_entries WHERE position >= ? AND position < ? ORDER BY position'
const columns = 'position, id, type, time_ms, subject, body, salt'
const selectEvent = `SELECT ${columns} FROM log_entries WHERE id = ?`
const selectEvents = `SELECT ${columns} FROM log_entries WHERE position >= ? ORDER BY position LIMIT ?`
const selectSubjectEvents = `SELECT ${columns} FROM log_entries WHERE subject = ? AND position >= ?
  ORDER BY position LIMIT ?`
const selectCheckpoint = 'SELECT size, root, note FROM log_checkpoint WHERE id = 1'
const insertCheckpoint = 'INSERT INTO log_checkpoint (id, size, root, note) VALUES (1, ?, ?, ?)'
const updateCheckpoint =
  'UPDATE log_checkpoint SET size = ?, root = ?, note = ? WHERE id = 1 AND size = ? AND root = ? AND size < ?'

/** The statement that records an event at a position. */
export function insertEntryStatement(position: number, event: PreparedEvent): Statement {
  return {
    sql: insertEntry,
    params: [
      position,
      event.id,
      event.type,
      event.timeMs,
      event.salt,
      event.body,
      event.commitment,
      event.subject ?? null,
    ],
  }
}

/** The position after the last entry, which is the number of entries. */
export async function loadEntryCount(database: Database): Promise<number> {
  return (await database.get<{ next: number }>(selectNext))!.next
}

/** Writes the last checkpoint over itself: a durable write that changes nothing. */
export const probeStatement: Statement = { sql: 'UPDATE log_checkpoint SET note = note WHERE id = 1' }

/** Commitments of the entries from position `start` up to `end`, in order. */
export async function loadCommitments(database: Database, start: number, end: number): Promise<Uint8Array[]> {
  const rows = await database.all<{ commitment: Uint8Array }>(selectCommitments, [start, end])
  return rows.map(({ commitment }) => commitment)
}

/** The event of an id. */
export async function loadEvent(database: Database, id: string): Promise<StoredEvent | undefined> {
  const row = await database.get<EventRow>(selectEvent, [id])
  return row && eventOf(row)
}

/** Events in order. */
export async function loadEvents(
  database: Database,
  { from = 0, limit = 100, subject }: EventRange = {},
): Promise<StoredEvent[]> {
  const rows =
    subject === undefined
      ? database.all<EventRow>(selectEvents, [from, limit])
      : database.all<EventRow>(selectSubjectEvents, [subject, from, limit])
  return (await rows).map(eventOf)
}

function eventOf({ position, id, type, time_ms: timeMs, subject, body, salt }: EventRow): StoredEvent {
  return { position, id, type, timeMs, subject: subject ?? undefined, body, salt }
}

/** The last checkpoint that was signed; undefined in a new log. */
export async function loadCheckpoint(database: Database): Promise<StoredCheckpoint | undefined> {
  return database.get<StoredCheckpoint & Row>(selectCheckpoint)
}

/** Keeps the first checkpoint of a new log. Fails when there is one. */
export async function saveFirstCheckpoint(database: Database, { size, root, note }: StoredCheckpoint): Promise<void> {
  await database.execute([{ sql: insertCheckpoint, params: [size, root, note] }])
}

/** Puts `next` in the place of `last`, only if `last` is what is there and smaller: false when it is not. This is
 *  what makes two signed histories impossible, not unlikely. */
export async function replaceCheckpoint(
  database: Database,
  last: StoredCheckpoint,
  next: StoredCheckpoint,
): Promise<boolean> {
  const params = [next.size, next.root, next.note, last.size, last.root, next.size]
  const [changed] = await database.execute([{ sql: updateCheckpoint, params }])
  return changed === 1
}

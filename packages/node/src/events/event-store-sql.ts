/** The event store on the node's database. */
import type { Database, Row } from '../storage/database.ts'
import { isSealed } from '../vault/sealed-text.ts'
import type { EventStore, OutboxEntry } from './event-store.ts'

const columns = `id, recipient, type, payload, occurred_ms, attempts, next_attempt_ms, last_error, token, acknowledged_ms`

/** The tables are `eventsMigrations`. */
export function createEventStore(database: Database): EventStore {
  return { ...outboxOf(database), ...inboxOf(database) }
}

type Inbox = Pick<EventStore, 'hasReceived' | 'insertReceived' | 'deleteReceivedBefore'>

function outboxOf(database: Database): Omit<EventStore, keyof Inbox> {
  return {
    insertOutgoing: ({ id, recipient, type, payload, occurredMs }, nowMs, sealed) => ({
      sql: `INSERT INTO outbox_events (id, recipient, type, payload, occurred_ms, attempts, next_attempt_ms)
        VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT (id) DO NOTHING`,
      params: [id, recipient, type, sealed ?? JSON.stringify(payload), occurredMs, nowMs],
    }),
    async findDueRecipients(nowMs, limit) {
      const sql = `SELECT recipient FROM outbox_events WHERE acknowledged_ms IS NULL AND next_attempt_ms <= ?
        GROUP BY recipient ORDER BY MIN(next_attempt_ms), recipient LIMIT ?`
      return (await database.all(sql, [nowMs, limit])).map((row) => String(row['recipient']))
    },
    async findDue(recipient, nowMs, limit) {
      const sql = `SELECT ${columns} FROM outbox_events
        WHERE acknowledged_ms IS NULL AND next_attempt_ms <= ? AND recipient = ? ORDER BY occurred_ms, id LIMIT ?`
      return (await database.all(sql, [nowMs, recipient, limit])).map(entryOf)
    },
    async nextDueMs(afterMs) {
      const sql = `SELECT MIN(next_attempt_ms) AS due FROM outbox_events
        WHERE acknowledged_ms IS NULL AND next_attempt_ms > ?`
      const row = await database.get<Row & { due: number | null }>(sql, [afterMs])
      return row?.due ?? undefined
    },
    async saveAcknowledged(id, token, atMs) {
      const sql = `UPDATE outbox_events SET acknowledged_ms = ?, token = ?, attempts = attempts + 1, last_error = NULL,
        payload = CASE WHEN payload LIKE 'sealed:%' THEN '{}' ELSE payload END
        WHERE id = ? AND acknowledged_ms IS NULL`
      await database.execute([{ sql, params: [atMs, token, id] }])
    },
    async saveDropped(id, reason, atMs) {
      const sql = `UPDATE outbox_events SET acknowledged_ms = ?, last_error = ?, payload = '{}'
        WHERE id = ? AND acknowledged_ms IS NULL`
      await database.execute([{ sql, params: [atMs, reason, id] }])
    },
    async saveFailed(id, { attempts, nextAttemptMs, error }) {
      const sql = `UPDATE outbox_events SET attempts = ?, next_attempt_ms = ?, last_error = ?
        WHERE id = ? AND acknowledged_ms IS NULL`
      await database.execute([{ sql, params: [attempts, nextAttemptMs, error, id] }])
    },
    async postpone(recipient, untilMs) {
      const sql = `UPDATE outbox_events SET next_attempt_ms = ?
        WHERE recipient = ? AND acknowledged_ms IS NULL AND next_attempt_ms < ?`
      await database.execute([{ sql, params: [untilMs, recipient, untilMs] }])
    },
    async listOutgoing(limit) {
      const sql = `SELECT ${columns} FROM outbox_events
        ORDER BY CASE WHEN acknowledged_ms IS NULL THEN 0 ELSE 1 END, occurred_ms DESC, id DESC LIMIT ?`
      return (await database.all(sql, [limit])).map(entryOf)
    },
  }
}

function inboxOf(database: Database): Inbox {
  return {
    async hasReceived(issuer, id) {
      const sql = 'SELECT 1 AS taken FROM inbox_events WHERE issuer = ? AND id = ?'
      return (await database.get(sql, [issuer, id])) !== undefined
    },
    insertReceived: (issuer, id, atMs) => ({
      sql: 'INSERT INTO inbox_events (issuer, id, received_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      params: [issuer, id, atMs],
    }),
    deleteReceivedBefore: (atMs) => ({ sql: 'DELETE FROM inbox_events WHERE received_ms < ?', params: [atMs] }),
  }
}

function entryOf(row: Row): OutboxEntry {
  const payload = String(row['payload'])
  const sealed = isSealed(payload) ? payload : undefined
  return {
    id: String(row['id']),
    recipient: String(row['recipient']),
    type: String(row['type']),
    payload: sealed === undefined ? (JSON.parse(payload) as Record<string, unknown>) : {},
    sealed,
    occurredMs: Number(row['occurred_ms']),
    attempts: Number(row['attempts']),
    nextAttemptMs: Number(row['next_attempt_ms']),
    lastError: typeof row['last_error'] === 'string' ? row['last_error'] : undefined,
    token: typeof row['token'] === 'string' ? row['token'] : undefined,
    acknowledgedMs: typeof row['acknowledged_ms'] === 'number' ? row['acknowledged_ms'] : undefined,
  }
}

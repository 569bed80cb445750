/** The outbox of webhooks on the node's database. */
import type { Database, Row } from '../storage/database.ts'
import type { WebhookEntry, WebhookStore } from './webhook-store.ts'

const columns =
  'id, endpoint, type, payload, occurred_ms, attempts, next_attempt_ms, last_error, delivered_ms, dead_ms, waiting_since_ms'
/** As `endpointName` of a client's webhook makes it: no address of an own system has a fragment. */
const isOfClient = `endpoint LIKE '%/#%'`
const ofState = { waiting: 'AND dead_ms IS NULL', dead: 'AND dead_ms IS NOT NULL' }
const isWaiting = 'payload IS NOT NULL AND dead_ms IS NULL'

/** The table is `webhooksSchema`. */
export function createWebhookStore(database: Database): WebhookStore {
  return { ...readsOf(database), ...writesOf(database), ...deadLettersOf(database) }
}

type Reads = Pick<WebhookStore, 'findDue' | 'findClientsDue' | 'nextDueMs' | 'list'>

function readsOf(database: Database): Reads {
  return {
    async findDue(endpoint, nowMs, limit) {
      const sql = `SELECT ${columns} FROM webhook_messages
        WHERE ${isWaiting} AND next_attempt_ms <= ? AND endpoint = ? ORDER BY occurred_ms, id LIMIT ?`
      return (await database.all(sql, [nowMs, endpoint, limit])).map(entryOf)
    },
    async findClientsDue(nowMs, limit) {
      const sql = `SELECT endpoint FROM webhook_messages WHERE ${isWaiting} AND next_attempt_ms <= ? AND ${isOfClient}
        GROUP BY endpoint ORDER BY MIN(next_attempt_ms), endpoint LIMIT ?`
      return (await database.all(sql, [nowMs, limit])).map(({ endpoint }) => String(endpoint))
    },
    async nextDueMs(afterMs) {
      const sql = `SELECT MIN(next_attempt_ms) AS due FROM webhook_messages
        WHERE ${isWaiting} AND next_attempt_ms > ?`
      const row = await database.get<Row & { due: number | null }>(sql, [afterMs])
      return row?.due ?? undefined
    },
    async list(limit) {
      const sql = `SELECT ${columns} FROM webhook_messages
        ORDER BY CASE WHEN ${isWaiting} THEN 0 WHEN payload IS NOT NULL THEN 1 ELSE 2 END, occurred_ms DESC, id DESC, endpoint LIMIT ?`
      return (await database.all(sql, [limit])).map(entryOf)
    },
  }
}

type DeadLetters = Pick<WebhookStore, 'saveDead' | 'resend'>

function deadLettersOf(database: Database): DeadLetters {
  return {
    saveDead: async ({ id, endpoint }, { attempts, error, atMs }) =>
      void (await database.execute([
        {
          sql: `UPDATE webhook_messages SET attempts = ?, last_error = ?, dead_ms = ?
            WHERE id = ? AND endpoint = ? AND ${isWaiting}`,
          params: [attempts, error, atMs, id, endpoint],
        },
      ])),
    async resend({ id, state, endpoint }, nowMs) {
      const sql = `UPDATE webhook_messages SET next_attempt_ms = ?, dead_ms = NULL,
          attempts = CASE WHEN dead_ms IS NULL THEN attempts ELSE 0 END,
          waiting_since_ms = CASE WHEN dead_ms IS NULL THEN waiting_since_ms ELSE ? END
        WHERE payload IS NOT NULL AND endpoint = ? ${state === undefined ? '' : ofState[state]}
          ${id === undefined ? '' : 'AND id = ?'}`
      const [count = 0] = await database.execute([
        { sql, params: [nowMs, nowMs, endpoint, ...(id === undefined ? [] : [id])] },
      ])
      return count
    },
  }
}

function writesOf(database: Database): Omit<WebhookStore, keyof Reads | keyof DeadLetters> {
  const run = async (sql: string, params: readonly (string | number)[]): Promise<void> =>
    void (await database.execute([{ sql, params }]))
  return {
    insert: ({ id, endpoint, type, payload, occurredMs }, condition = { sql: '1 = 1' }) => ({
      sql: `INSERT INTO webhook_messages (id, endpoint, type, payload, occurred_ms, attempts, next_attempt_ms, waiting_since_ms)
        SELECT ?, ?, ?, ?, ?, 0, ?, ? WHERE ${condition.sql} ON CONFLICT DO NOTHING`,
      params: [id, endpoint, type, payload, occurredMs, occurredMs, occurredMs, ...(condition.params ?? [])],
    }),
    saveDelivered: ({ id, endpoint }, atMs) =>
      run(
        `UPDATE webhook_messages SET delivered_ms = ?, payload = NULL, attempts = attempts + 1, last_error = NULL
          WHERE id = ? AND endpoint = ? AND payload IS NOT NULL`,
        [atMs, id, endpoint],
      ),
    saveFailed: ({ id, endpoint }, { attempts, nextAttemptMs, error }) =>
      run(
        `UPDATE webhook_messages SET attempts = ?, next_attempt_ms = ?, last_error = ?
          WHERE id = ? AND endpoint = ? AND ${isWaiting}`,
        [attempts, nextAttemptMs, error, id, endpoint],
      ),
    saveGivenUp: ({ id, endpoint }, reason) =>
      run(
        `UPDATE webhook_messages SET payload = NULL, last_error = ?
          WHERE id = ? AND endpoint = ? AND payload IS NOT NULL`,
        [reason, id, endpoint],
      ),
    giveUp: (endpoint, reason) => ({
      sql: `UPDATE webhook_messages SET payload = NULL, last_error = ? WHERE endpoint = ? AND payload IS NOT NULL`,
      params: [reason, endpoint],
    }),
    postpone: (endpoint, untilMs) =>
      run(
        `UPDATE webhook_messages SET next_attempt_ms = ?
          WHERE endpoint = ? AND ${isWaiting} AND next_attempt_ms < ?`,
        [untilMs, endpoint, untilMs],
      ),
    giveUpOthers: (endpoints, reason) =>
      run(
        `UPDATE webhook_messages SET payload = NULL, last_error = ? WHERE payload IS NOT NULL AND NOT ${isOfClient}
          ${endpoints.map(() => 'AND endpoint <> ?').join(' ')}`,
        [reason, ...endpoints],
      ),
    prune: (beforeMs) =>
      run(
        `DELETE FROM webhook_messages WHERE (payload IS NULL AND occurred_ms < ?)
          OR (dead_ms IS NOT NULL AND dead_ms < ?)`,
        [beforeMs, beforeMs],
      ),
  }
}

function entryOf(row: Row): WebhookEntry {
  const text = (name: string): string | undefined => {
    const value = row[name]
    return typeof value === 'string' ? value : undefined
  }
  const number = (name: string): number | undefined => {
    const value = row[name]
    return typeof value === 'number' ? value : undefined
  }
  return {
    id: String(row['id']),
    endpoint: String(row['endpoint']),
    type: String(row['type']),
    payload: text('payload'),
    occurredMs: Number(row['occurred_ms']),
    attempts: Number(row['attempts']),
    nextAttemptMs: Number(row['next_attempt_ms']),
    lastError: text('last_error'),
    deliveredMs: number('delivered_ms'),
    deadMs: number('dead_ms'),
    waitingSinceMs: Number(row['waiting_since_ms'] ?? row['occurred_ms']),
  }
}

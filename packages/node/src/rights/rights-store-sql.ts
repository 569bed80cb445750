/** The store of people's requests on the node's database. */
import type { RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import type { Database, Row } from '../storage/database.ts'
import type { RightsFilter, RightsStore, StoredRights, StoredTask } from './rights-store.ts'

/** The tables are `rightsSchema`. */
export function createRightsStore(database: Database): RightsStore {
  return {
    insert: ({ id, subject, type, body, status, receivedMs, dueMs }) => ({
      sql: `INSERT INTO rights_requests (id, subject, type, body, status, received_ms, due_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
      params: [id, subject, type, body, status, receivedMs, dueMs],
    }),
    insertTask: (request, product) => ({
      sql: `INSERT INTO rights_tasks (request, product, state) VALUES (?, ?, 'open')`,
      params: [request, product],
    }),
    reportTask: ({ request, product, state, report, reportedMs }) => ({
      sql: `UPDATE rights_tasks SET state = ?, report = ?, reported_ms = ?
        WHERE request = ? AND product = ? AND state = 'open'`,
      params: [state, report ?? null, reportedMs ?? null, request, product],
    }),
    setStatus: (id, status) => ({
      sql: 'UPDATE rights_requests SET status = ? WHERE id = ? AND closed_ms IS NULL',
      params: [status, id],
    }),
    extend: (id, dueMs, reason) => ({
      sql: 'UPDATE rights_requests SET due_ms = ?, extension = ? WHERE id = ? AND closed_ms IS NULL',
      params: [dueMs, reason, id],
    }),
    close: (id, { status, closedMs, bundle }) => ({
      sql: 'UPDATE rights_requests SET status = ?, closed_ms = ?, bundle = ? WHERE id = ? AND closed_ms IS NULL',
      params: [status, closedMs, bundle, id],
    }),
    async find(id) {
      const row = await database.get('SELECT * FROM rights_requests WHERE id = ?', [id])
      return row && requestOf(row)
    },
    async tasks(request) {
      const sql = 'SELECT * FROM rights_tasks WHERE request = ? ORDER BY product'
      return (await database.all(sql, [request])).map(taskOf)
    },
    async list(filter) {
      const { sql, params } = listQuery(filter)
      return (await database.all(sql, params)).map(requestOf)
    },
  }
}

function listQuery({ subject, isOpen, before, limit = 100 }: RightsFilter) {
  const conditions = [
    ...(subject === undefined ? [] : ['subject = ?']),
    ...(before === undefined ? [] : ['id < ?']),
    ...(isOpen === undefined ? [] : [isOpen ? 'closed_ms IS NULL' : 'closed_ms IS NOT NULL']),
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const given = [subject, before].filter((value) => value !== undefined)
  return { sql: `SELECT * FROM rights_requests ${where} ORDER BY id DESC LIMIT ?`, params: [...given, limit] }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

function requestOf(row: Row): StoredRights {
  return {
    id: String(row['id']),
    subject: String(row['subject']),
    type: String(row['type']) as RightsType,
    body: String(row['body']),
    status: String(row['status']) as RightsStatus,
    receivedMs: Number(row['received_ms']),
    dueMs: Number(row['due_ms']),
    extension: textOf(row['extension']),
    closedMs: numberOf(row['closed_ms']),
    bundle: textOf(row['bundle']),
  }
}

function taskOf(row: Row): StoredTask {
  return {
    request: String(row['request']),
    product: String(row['product']),
    state: String(row['state']) as StoredTask['state'],
    report: textOf(row['report']),
    reportedMs: numberOf(row['reported_ms']),
  }
}

/** The store of people's requests on the node's database. */
import type { RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import type { Database, Row, Statement } from '../storage/database.ts'
import type { RightsFilter, RightsStore, StoredRights, StoredTask } from './rights-store.ts'

/** The tables are `rightsSchema`. */
export function createRightsStore(database: Database): RightsStore {
  return { ...writes, ...referenceWrites, ...readsOf(database) }
}

type Writes = 'insert' | 'insertTask' | 'reportTask' | 'markApplied' | 'extend' | 'close' | 'lift'

const writes: Pick<RightsStore, Writes> = {
  insert: ({ id, subject, type, body, receivedMs, dueMs }) => ({
    sql: `INSERT INTO rights_requests (id, subject, type, body, status, received_ms, due_ms)
      VALUES (?, ?, ?, ?, 'open', ?, ?)`,
    params: [id, subject, type, body, receivedMs, dueMs],
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
  markApplied: (id) => ({ sql: 'UPDATE rights_requests SET applied = 1 WHERE id = ?', params: [id] }),
  extend: (id, dueMs, reason) => ({
    sql: 'UPDATE rights_requests SET due_ms = ?, extension = ? WHERE id = ? AND closed_ms IS NULL',
    params: [dueMs, reason, id],
  }),
  close: (id, { status, closedMs, bundle }) => ({
    sql: 'UPDATE rights_requests SET status = ?, closed_ms = ?, bundle = ? WHERE id = ? AND closed_ms IS NULL',
    params: [status, closedMs, bundle, id],
  }),
  lift: (id, atMs) => ({
    sql: 'UPDATE rights_requests SET lifted_ms = ? WHERE id = ? AND closed_ms IS NOT NULL AND lifted_ms IS NULL',
    params: [atMs, id],
  }),
}

const referenceWrites: Pick<RightsStore, 'saveReference' | 'deleteReference'> = {
  saveReference: (subject, sealed) => ({
    sql: `INSERT INTO rights_references (subject, reference) VALUES (?, ?)
      ON CONFLICT (subject) DO UPDATE SET reference = excluded.reference`,
    params: [subject, sealed],
  }),
  deleteReference: (subject): Statement => ({
    sql: 'DELETE FROM rights_references WHERE subject = ?',
    params: [subject],
  }),
}

const selectToSettle = `SELECT id FROM rights_requests WHERE closed_ms IS NULL AND id > ?
  AND (applied = 0 OR NOT EXISTS (
    SELECT 1 FROM rights_tasks WHERE rights_tasks.request = rights_requests.id AND rights_tasks.state = 'open'
  )) ORDER BY id LIMIT ?`

function readsOf(database: Database): Omit<RightsStore, Writes | keyof typeof referenceWrites> {
  return {
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
    async listToSettle(after, limit) {
      return (await database.all(selectToSettle, [after, limit])).map((row) => String(row['id']))
    },
    async countOverdue(nowMs) {
      const sql = 'SELECT COUNT(*) AS count FROM rights_requests WHERE closed_ms IS NULL AND due_ms <= ?'
      return Number((await database.get(sql, [nowMs]))?.['count'] ?? 0)
    },
    async findReference(subject) {
      const row = await database.get('SELECT reference FROM rights_references WHERE subject = ?', [subject])
      return textOf(row?.['reference'])
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
    isApplied: Number(row['applied']) === 1,
    extension: textOf(row['extension']),
    closedMs: numberOf(row['closed_ms']),
    liftedMs: numberOf(row['lifted_ms']),
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

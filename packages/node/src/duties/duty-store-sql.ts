/** The duty store on the node's database. */
import type { DutyKind, DutyOutcome } from '@comity/core/duties/duty-receipt'
import type { Database, Row } from '../storage/database.ts'
import type { DutyFilter, DutyStore, StoredDuty } from './duty-store.ts'

const insertSql = `INSERT INTO duties
  (id, side, kind, consent, holder, debtor, subject, rights_request, due_ms, created_ms, state, fields, handle)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT (id) DO NOTHING`

/** The tables are `dutiesSchema`, `sealedDutiesSchema` and `dutiesByPersonSchema`. */
export function createDutyStore(database: Database): DutyStore {
  return {
    insert: (duty) => ({
      sql: insertSql,
      params: [
        duty.id,
        duty.side,
        duty.kind,
        duty.consent ?? null,
        duty.holder,
        duty.debtor,
        duty.subject,
        duty.rightsRequest ?? null,
        duty.dueMs,
        duty.createdMs,
        duty.fields === undefined ? null : JSON.stringify(duty.fields),
        duty.handle ?? null,
      ],
    }),
    close: (id, { state, outcome, receipt, subject, closedMs }) => ({
      sql: `UPDATE duties SET state = ?, outcome = ?, receipt = ?, subject = ?, closed_ms = ?
        WHERE id = ? AND state = 'open'`,
      params: [state, outcome, receipt, subject, closedMs, id],
    }),
    async find(id) {
      const row = await database.get('SELECT * FROM duties WHERE id = ?', [id])
      return row && dutyOf(row)
    },
    async list(filter) {
      const { sql, params } = listQuery(filter)
      return (await database.all(sql, params)).map(dutyOf)
    },
    async overdueUntold(nowMs, limit) {
      const sql = `SELECT * FROM duties WHERE state = 'open' AND due_ms <= ? AND overdue_told = 0
        ORDER BY due_ms, id LIMIT ?`
      return (await database.all(sql, [nowMs, limit])).map(dutyOf)
    },
    markTold: (id) => ({ sql: 'UPDATE duties SET overdue_told = 1 WHERE id = ?', params: [id] }),
    async countOverdue(nowMs) {
      const sql = `SELECT COUNT(*) AS count FROM duties WHERE state = 'open' AND due_ms <= ?`
      return Number((await database.get(sql, [nowMs]))?.['count'] ?? 0)
    },
  }
}

function listQuery({ side, state, consent, rightsRequest, handle, dueByMs, before, limit = 100 }: DutyFilter) {
  const conditions: readonly (readonly [string, string | number | undefined])[] = [
    ['side = ?', side],
    ['state = ?', state],
    ['consent = ?', consent],
    ['rights_request = ?', rightsRequest],
    ['handle = ?', handle],
    [`state = 'open' AND due_ms <= ?`, dueByMs],
    ['id < ?', before],
  ]
  const given = conditions.filter(([, value]) => value !== undefined)
  const where = given.length === 0 ? '' : `WHERE ${given.map(([condition]) => condition).join(' AND ')}`
  const params = [...given.map(([, value]) => value as string | number), limit]
  return { sql: `SELECT * FROM duties ${where} ORDER BY id DESC LIMIT ?`, params }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function dutyOf(row: Row): StoredDuty {
  return {
    id: String(row['id']),
    side: row['side'] === 'owed' ? 'owed' : 'imposed',
    kind: String(row['kind']) as DutyKind,
    consent: textOf(row['consent']),
    holder: String(row['holder']),
    debtor: String(row['debtor']),
    subject: String(row['subject']),
    handle: textOf(row['handle']),
    rightsRequest: textOf(row['rights_request']),
    dueMs: Number(row['due_ms']),
    createdMs: Number(row['created_ms']),
    state: String(row['state']) as StoredDuty['state'],
    fields: typeof row['fields'] === 'string' ? (JSON.parse(row['fields']) as string[]) : undefined,
    outcome: textOf(row['outcome']) as DutyOutcome | undefined,
    receipt: textOf(row['receipt']),
    closedMs: typeof row['closed_ms'] === 'number' ? row['closed_ms'] : undefined,
  }
}

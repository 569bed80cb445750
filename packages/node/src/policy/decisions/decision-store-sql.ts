/** Decisions in the database. */
import { maxParts, partId } from '@comity/core/exchange/composite-parts'
import type { Database, Row } from '../../storage/database.ts'
import type { SubjectVault } from '../../vault/vault.ts'
import type { DecisionDetails, DecisionStore, StoredDecision } from './decision-store.ts'

interface DecisionRow extends Row {
  readonly exchange: string
  readonly at_ms: number
  readonly version: number
  readonly details: string
  readonly subject: string | null
}

const columns = 'exchange, at_ms, version, details, subject'
const insertSql = `INSERT INTO policy_decisions (exchange, at_ms, version, details, subject) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (exchange) DO NOTHING`
const pruneSql = `DELETE FROM policy_decisions WHERE exchange <=
  (SELECT exchange FROM policy_decisions ORDER BY exchange DESC LIMIT 1 OFFSET ?)`

/** A store on the tables of `policies-schema.ts`; `vault` reads what is kept under a person's key. */
export function createDecisionStore(database: Database, vault: Pick<SubjectVault, 'unseal'>): DecisionStore {
  return {
    insert({ exchange, atMs, version, details }, subject) {
      const text = JSON.stringify(details)
      return {
        sql: insertSql,
        params: [exchange, atMs, version, subject?.seal(text) ?? text, subject?.handle ?? null],
      }
    },
    async find(exchange) {
      const sql = `SELECT ${columns} FROM policy_decisions WHERE exchange = ?`
      const row = await database.get<DecisionRow>(sql, [exchange])
      return row && decisionOf(row, vault)
    },
    async parts(exchange) {
      if (!/^[0-9A-Za-z-]{1,64}$/.test(exchange)) return []
      const sql = `SELECT exchange FROM policy_decisions WHERE exchange LIKE ? ORDER BY exchange LIMIT ${maxParts}`
      const rows = await database.all<Pick<DecisionRow, 'exchange'>>(sql, [partId(exchange, '%')])
      return rows.map((row) => row.exchange)
    },
    async list(limit, before = '~') {
      const sql = `SELECT ${columns} FROM policy_decisions WHERE exchange < ? ORDER BY exchange DESC LIMIT ?`
      const rows = await database.all<DecisionRow>(sql, [before, limit])
      return Promise.all(rows.map((row) => decisionOf(row, vault)))
    },
    prune: (keep) => ({ sql: pruneSql, params: [keep] }),
  }
}

async function decisionOf(row: DecisionRow, vault: Pick<SubjectVault, 'unseal'>): Promise<StoredDecision> {
  const { exchange, at_ms: atMs, version, details, subject } = row
  const text = subject === null ? details : await vault.unseal(details)
  return { exchange, atMs, version, details: text === undefined ? undefined : (JSON.parse(text) as DecisionDetails) }
}

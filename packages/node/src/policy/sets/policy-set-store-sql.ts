/** Sets of policies in the database. */
import type { Database, Row } from '../../storage/database.ts'
import type { PreparedSet } from '../engine/policy-engine.ts'
import type { PolicySetStore, PolicySource, SetSummary, StoredSet } from './policy-set-store.ts'
import type { PolicyText } from './prepare-set.ts'

interface SummaryRow extends Row {
  readonly version: number
  readonly hash: string
  readonly source: string
  readonly note: string | null
  readonly set_ms: number
}

interface SetRow extends SummaryRow {
  readonly prepared_as: string
  readonly texts: string
  readonly prepared: string
}

const summaryColumns = 'version, hash, source, note, set_ms'
const columns = `${summaryColumns}, prepared_as, texts, prepared`
const insertSet = `INSERT INTO policy_sets
  (version, hash, prepared_as, texts, prepared, source, note, set_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

/** A store on the tables of `policies-schema.ts`. */
export function createPolicySetStore(database: Database): PolicySetStore {
  return {
    async current() {
      const row = await database.get<SetRow>(`SELECT ${columns} FROM policy_sets ORDER BY version DESC LIMIT 1`)
      return row && setOf(row)
    },
    async find(version) {
      const row = await database.get<SetRow>(`SELECT ${columns} FROM policy_sets WHERE version = ?`, [version])
      return row && setOf(row)
    },
    async list(limit, before = Number.MAX_SAFE_INTEGER) {
      const sql = `SELECT ${summaryColumns} FROM policy_sets WHERE version < ? ORDER BY version DESC LIMIT ?`
      return (await database.all<SummaryRow>(sql, [before, limit])).map(summaryOf)
    },
    insert({ version, texts, prepared, preparedAs, source, note, setMs }) {
      const written = [preparedAs, JSON.stringify(texts), JSON.stringify(prepared)]
      return { sql: insertSet, params: [version, prepared.hash, ...written, source, note ?? null, setMs] }
    },
    prepareAnew: (version, prepared, preparedAs) => ({
      sql: 'UPDATE policy_sets SET hash = ?, prepared = ?, prepared_as = ? WHERE version = ?',
      params: [prepared.hash, JSON.stringify(prepared), preparedAs, version],
    }),
  }
}

function summaryOf({ version, hash, source, note, set_ms: setMs }: SummaryRow): SetSummary {
  return { version, hash, source: source as PolicySource, setMs, ...(note !== null && { note }) }
}

function setOf(row: SetRow): StoredSet {
  const { hash: _, ...summary } = summaryOf(row)
  return {
    ...summary,
    texts: JSON.parse(row.texts) as PolicyText[],
    prepared: JSON.parse(row.prepared) as PreparedSet,
    preparedAs: row.prepared_as,
  }
}

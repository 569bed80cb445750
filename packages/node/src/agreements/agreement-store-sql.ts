/** The agreement store on the node's database. */
import { parseAgreementEnvelope } from '@comity/core/agreement/agreement-signature'
import type { Database, Row } from '../storage/database.ts'
import type { AgreementStore, Termination } from './agreement-store.ts'

const terminationColumns = 'agreement, terminated_by, terminated_ms, reason'

/** The tables are `agreementsMigrations`. */
export function createAgreementStore(database: Database): AgreementStore {
  return {
    async loadAgreements() {
      const rows = await database.all('SELECT envelope, hash, imported_ms FROM agreements ORDER BY imported_ms, id')
      return rows.map((row) => ({
        envelope: parseAgreementEnvelope(JSON.parse(String(row['envelope']))),
        hash: String(row['hash']),
        importedMs: Number(row['imported_ms']),
      }))
    },
    async loadTerminations() {
      const sql = `SELECT ${terminationColumns} FROM agreement_terminations ORDER BY terminated_ms, terminated_by`
      return (await database.all(sql)).map(terminationOf)
    },
    async findTerminations(agreement) {
      const sql = `SELECT ${terminationColumns} FROM agreement_terminations WHERE agreement = ?
        ORDER BY terminated_ms, terminated_by`
      return (await database.all(sql, [agreement])).map(terminationOf)
    },
    insertAgreement: ({ envelope, hash, importedMs }) => ({
      sql: 'INSERT INTO agreements (id, hash, envelope, imported_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      params: [envelope.agreement['@id'], hash, JSON.stringify(envelope), importedMs],
    }),
    insertTermination: ({ agreement, by, atMs, reason }) => ({
      sql: `INSERT INTO agreement_terminations (${terminationColumns}) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      params: [agreement, by, atMs, reason],
    }),
  }
}

function terminationOf(row: Row): Termination {
  return {
    agreement: String(row['agreement']),
    by: String(row['terminated_by']),
    atMs: Number(row['terminated_ms']),
    reason: String(row['reason']),
  }
}

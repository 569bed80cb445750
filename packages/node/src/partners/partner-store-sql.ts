/** Partners in the database. */
import type { Database, Row } from '../storage/database.ts'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { LearnedTlsKeys, PartnerStore, StoredPartner } from './partner-store.ts'

interface PartnerRow extends Row {
  readonly alias: string
  readonly did: string
  readonly url: string
  readonly tls_fingerprints: string
  readonly require_client_certificate: number
  readonly country: string | null
  readonly name: string | null
  readonly sealing: string | null
}

interface LearnedRow extends Row {
  readonly did: string
  readonly agreed_fingerprints: string
  readonly named_fingerprints: string
}

const insertPartner = `INSERT INTO partners
  (alias, did, url, tls_fingerprints, require_client_certificate, country, name, sealing, added_at_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`
const upsertLearned = `INSERT INTO partner_tls_keys
  (did, agreed_fingerprints, named_fingerprints, learned_at_ms) VALUES (?, ?, ?, ?)
  ON CONFLICT (did) DO UPDATE SET agreed_fingerprints = excluded.agreed_fingerprints,
    named_fingerprints = excluded.named_fingerprints, learned_at_ms = excluded.learned_at_ms`

/** A store on the tables of `partners-schema.ts`. */
export function createSqlPartnerStore(database: Database): PartnerStore {
  return {
    async list() {
      const rows = await database.all<PartnerRow>(
        'SELECT alias, did, url, tls_fingerprints, require_client_certificate, country, name, sealing FROM partners ORDER BY alias',
      )
      return rows.map(partnerOf)
    },
    async insert(partner, nowMs) {
      const { alias, did, url, tlsFingerprints, requireClientCertificate, country = null, name = null } = partner
      const demanded = requireClientCertificate ? 1 : 0
      const sealing = partner.sealing === undefined ? null : JSON.stringify(partner.sealing)
      const params = [alias, did, url, tlsFingerprints.join(' '), demanded, country, name, sealing, nowMs]
      const [changed] = await database.execute([{ sql: insertPartner, params }])
      return changed === 1
    },
    async remove(did) {
      const [changed] = await database.execute([
        { sql: 'DELETE FROM partners WHERE did = ?', params: [did] },
        { sql: 'DELETE FROM partner_tls_keys WHERE did = ?', params: [did] },
      ])
      return changed === 1
    },
    async listLearned() {
      const rows = await database.all<LearnedRow>(
        'SELECT did, agreed_fingerprints, named_fingerprints FROM partner_tls_keys ORDER BY did',
      )
      return rows.map(learnedOf)
    },
    async saveLearned({ did, agreed, named }, nowMs) {
      await database.execute([{ sql: upsertLearned, params: [did, agreed.join(' '), named.join(' '), nowMs] }])
    },
  }
}

function partnerOf(row: PartnerRow): StoredPartner {
  const { alias, did, url, country, name, sealing } = row
  return {
    alias,
    did,
    url,
    tlsFingerprints: words(row.tls_fingerprints),
    requireClientCertificate: row.require_client_certificate === 1,
    ...(country !== null && { country }),
    ...(name !== null && { name }),
    ...(sealing !== null && { sealing: JSON.parse(sealing) as SealingSettings }),
  }
}

function learnedOf(row: LearnedRow): LearnedTlsKeys {
  return { did: row.did, agreed: words(row.agreed_fingerprints), named: words(row.named_fingerprints) }
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}

/** The store of the uses of API keys, on the node's database. */
import type { Database, Row, Statement } from '../storage/database.ts'
import type { KeyHour, KeyNetworkUse, KeyUseBatch, KeyUseStore } from './key-use-store.ts'

const columns = 'key_id, network, first_ms, last_ms, uses, marked'
const addUses = `INSERT INTO key_uses (${columns}) VALUES (?, ?, ?, ?, ?, 0)
  ON CONFLICT (key_id, network) DO UPDATE SET uses = key_uses.uses + excluded.uses,
    last_ms = CASE WHEN excluded.last_ms > key_uses.last_ms THEN excluded.last_ms ELSE key_uses.last_ms END`
const addHour = `INSERT INTO key_hours (key_id, hour, uses) VALUES (?, ?, ?)
  ON CONFLICT (key_id, hour) DO UPDATE SET uses = key_hours.uses + excluded.uses`
const takeSequence = `INSERT INTO key_sequences (key_id, last) VALUES (?, ?)
  ON CONFLICT (key_id) DO UPDATE SET last = excluded.last WHERE key_sequences.last < excluded.last`

/** The tables are those of `apiKeysSchema`. */
export function createKeyUseStore(database: Database): KeyUseStore {
  return {
    async loadUses(endedSinceMs) {
      const sql = `SELECT ${columns} FROM key_uses WHERE key_id IN
        (SELECT id FROM api_keys WHERE ended_ms IS NULL OR ended_ms >= ?) ORDER BY key_id, first_ms, network`
      return (await database.all(sql, [endedSinceMs])).map(toUse)
    },
    async loadHours(sinceHour) {
      return (await database.all('SELECT key_id, hour, uses FROM key_hours WHERE hour >= ?', [sinceHour])).map(toHour)
    },
    async usesOf(key) {
      const sql = `SELECT ${columns} FROM key_uses WHERE key_id = ? ORDER BY uses DESC, network`
      return (await database.all(sql, [key])).map(toUse)
    },
    async add(batch) {
      await database.execute(addingStatements(batch))
    },
    mark: (key) => ({ sql: 'UPDATE key_uses SET marked = uses WHERE key_id = ?', params: [key] }),
    async pruneHours(beforeHour) {
      await database.execute([{ sql: 'DELETE FROM key_hours WHERE hour < ?', params: [beforeHour] }])
    },
    async takeSequences(taken) {
      const statements = taken.map(({ key, sequence }) => ({ sql: takeSequence, params: [key, sequence] }))
      return (await database.execute(statements)).map((changed) => changed === 1)
    },
  }
}

function addingStatements({ networks, hours }: KeyUseBatch): Statement[] {
  return [
    ...networks.map(({ key, network, firstMs, lastMs, uses }) => ({
      sql: addUses,
      params: [key, network, firstMs, lastMs, uses],
    })),
    ...hours.map(({ key, hour, uses }) => ({ sql: addHour, params: [key, hour, uses] })),
  ]
}

function toUse(row: Row): KeyNetworkUse {
  return {
    key: String(row['key_id']),
    network: String(row['network']),
    firstMs: Number(row['first_ms']),
    lastMs: Number(row['last_ms']),
    uses: Number(row['uses']),
    marked: Number(row['marked']),
  }
}

function toHour(row: Row): KeyHour {
  return { key: String(row['key_id']), hour: Number(row['hour']), uses: Number(row['uses']) }
}

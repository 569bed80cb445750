/** The status lists on the node's database. */
import type { Database } from '../storage/database.ts'
import type { StatusStore } from './status-store.ts'

/** The tables are `statusMigrations`. */
export function createStatusStore(database: Database): StatusStore {
  return {
    async newestList() {
      const row = await database.get('SELECT MAX(list) AS list FROM status_entries')
      return typeof row?.['list'] === 'number' ? row['list'] : undefined
    },
    async usedIndices(list) {
      const rows = await database.all('SELECT idx FROM status_entries WHERE list = ?', [list])
      return rows.map((row) => Number(row['idx']))
    },
    async hasList(list) {
      return (await database.get('SELECT 1 AS found FROM status_entries WHERE list = ? LIMIT 1', [list])) !== undefined
    },
    async changesAfter(list, change) {
      const sql = 'SELECT idx, value, changed FROM status_entries WHERE list = ? AND changed > ? ORDER BY changed'
      const rows = await database.all(sql, [list, change])
      return rows.map((row) => ({
        index: Number(row['idx']),
        value: Number(row['value']),
        change: Number(row['changed']),
      }))
    },
    insertEntry: (list, index) => ({
      sql: 'INSERT INTO status_entries (list, idx, value, changed) VALUES (?, ?, 0, 0)',
      params: [list, index],
    }),
    updateEntry: ({ list, index }, value, final) => ({
      sql: `UPDATE status_entries
        SET value = ?, changed = (SELECT MAX(changed) + 1 FROM status_entries WHERE list = ?)
        WHERE list = ? AND idx = ? AND value <> ? AND value <> ?`,
      params: [value, list, list, index, value, final],
    }),
  }
}

/** The catalogue's store in SQL. */
import type { Database } from '../storage/database.ts'
import type { ProductStore, StoredProduct } from './product-store.ts'

type ProductRow = { id: string; settings: string; document: string; added_ms: number }

const toProduct = (row: ProductRow): StoredProduct => ({
  id: row.id,
  settings: row.settings,
  document: row.document,
  addedMs: row.added_ms,
})

/** A store over a database that has `productsSchema`. */
export function createSqlProductStore(database: Database): ProductStore {
  return {
    async list() {
      const rows = await database.all<ProductRow>('SELECT id, settings, document, added_ms FROM products ORDER BY id')
      return rows.map(toProduct)
    },
    async insert({ id, settings, document, addedMs }) {
      const [changed] = await database.execute([
        {
          sql: 'INSERT INTO products (id, settings, document, added_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
          params: [id, settings, document, addedMs],
        },
      ])
      return changed === 1
    },
    async replace(id, { id: newId, settings, document, addedMs }) {
      await database.execute([
        { sql: 'DELETE FROM products WHERE id = ?', params: [id] },
        {
          sql: 'INSERT INTO products (id, settings, document, added_ms) VALUES (?, ?, ?, ?)',
          params: [newId, settings, document, addedMs],
        },
      ])
    },
    async remove(id) {
      const [changed] = await database.execute([{ sql: 'DELETE FROM products WHERE id = ?', params: [id] }])
      return changed === 1
    },
    async isValid(hash) {
      return (await database.get('SELECT 1 AS found FROM valid_documents WHERE hash = ?', [hash])) !== undefined
    },
    async recordValid(hash, checkedMs) {
      await database.execute([
        {
          sql: 'INSERT INTO valid_documents (hash, checked_ms) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING',
          params: [hash, checkedMs],
        },
      ])
    },
  }
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSqlite } from '../../storage/sqlite.ts'
import { consentUsesMigrations } from './uses-schema.ts'
import { testUsesStore } from './uses-store-contract.ts'
import { createConsentUsesStore } from './uses-store-sql.ts'

async function open() {
  const database = await openSqlite(':memory:')
  await database.execute(consentUsesMigrations.map((sql) => ({ sql })))
  return {
    store: createConsentUsesStore(database),
    write: (statements: Parameters<typeof database.execute>[0]) => database.execute(statements),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

describe('the store of uses on SQLite', () => testUsesStore(open))

test('counting is a search of an index, however many uses of others there are', async () => {
  await using database = await openSqlite(':memory:')
  await database.execute(consentUsesMigrations.map((sql) => ({ sql })))
  const sql = 'SELECT COUNT(*) AS uses FROM consent_uses WHERE consent = ? AND grant_id = ? AND link = ? AND at_ms > ?'
  const rows = await database.all(`EXPLAIN QUERY PLAN ${sql}`, ['c', 'g', '', 0])
  assert.match(
    String(rows[0]?.['detail']),
    /^SEARCH consent_uses USING COVERING INDEX .*\(consent=\? AND grant_id=\? AND link=\? AND at_ms>\?\)$/,
  )
})

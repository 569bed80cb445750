import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSqlite } from '../../storage/sqlite.ts'
import { consentsMigrations, requestFingerprintSchema } from './consent-schema.ts'
import { consentStoreContract } from './consent-store-contract.ts'
import { createConsentStore, findConsentSql, findLatestSql, listQuery } from './consent-store-sql.ts'

async function open() {
  const database = await openSqlite(':memory:')
  await database.execute([...consentsMigrations, ...requestFingerprintSchema].map((sql) => ({ sql })))
  return { database, store: createConsentStore(database) }
}

describe('the consent store on SQLite', () => consentStoreContract(open))

async function planOf(sql: string, params: (string | number | null | Uint8Array)[]): Promise<string> {
  const { database: opened } = await open()
  await using database = opened
  const rows = await database.all(`EXPLAIN QUERY PLAN ${sql}`, params)
  return rows.map((row) => String(row['detail'])).join('; ')
}

test('the look-up of every call is one search of an index, however many consents there are', async () => {
  assert.match(
    await planOf(findConsentSql, ['x']),
    /^SEARCH consents USING INDEX sqlite_autoindex_consents_1 \(id=\?\)$/,
  )
})

test('a request looks only at what its recipient asked the same person before', async () => {
  assert.match(await planOf(findLatestSql, ['s', 'r']), /USING INDEX consents_by_pair \(subject=\? AND recipient=\?\)/)
})

test('lists are read from an index, without sorting', async () => {
  for (const filter of [{ subject: 's' }, { recipient: 'r' }, { state: 'active' as const }]) {
    const { sql, params } = listQuery({ ...filter, before: 'x' })
    const plan = await planOf(sql, params)
    assert.match(plan, /^SEARCH consents USING INDEX \w+ \(\w+=\? AND id<\?\)$/)
  }
})

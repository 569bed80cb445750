import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { eventCommitment } from '@comity/core/audit-log/event-commitment'
import { nodeMigrations } from '../src/assembly/schema.ts'
import type { Database } from '../src/storage/database.ts'
import { migrate } from '../src/storage/migrations.ts'
import { openSqlite } from '../src/storage/sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-migrations-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const clock = { now: () => 1_800_000_000_000 }

const schemaOf = async (database: Database) =>
  (await database.all(`SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name`)).map((row) => ({
    ...row,
  }))

test('a database of version 1 is brought to now, keeping what it holds', async () => {
  const path = join(directory, 'old.db')
  const old = new DatabaseSync(path)
  old.exec(readFileSync(new URL('./fixtures/schema-version-1.sql', import.meta.url), 'utf8'))
  old.close()
  await using database = await openSqlite(path)
  const applied = await migrate(database, nodeMigrations, clock)
  assert.deepEqual(
    applied,
    nodeMigrations.slice(1).map(({ name }) => name),
  )
  const entries = await database.all('SELECT body, salt, commitment FROM log_entries ORDER BY position')
  assert.equal(entries.length, 2)
  for (const { body, salt, commitment } of entries) {
    assert.deepEqual(eventCommitment(String(body), salt as Uint8Array), new Uint8Array(commitment as Uint8Array))
  }
  assert.deepEqual({ ...(await database.get('PRAGMA integrity_check')) }, { integrity_check: 'ok' })
  await using fresh = await openSqlite(':memory:')
  await migrate(fresh, nodeMigrations, clock)
  assert.deepEqual(await schemaOf(database), await schemaOf(fresh))
})

test('migrations are numbered without gaps', () => {
  for (const [index, { name }] of nodeMigrations.entries()) {
    assert.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z-]+$`))
  }
})

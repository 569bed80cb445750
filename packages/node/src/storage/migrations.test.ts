import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Migration } from './migrations.ts'
import { migrate } from './migrations.ts'
import { openSqlite } from './sqlite.ts'

const clock = { now: () => 1_700_000_000_000 }
const first: Migration = { name: '0001-first', statements: ['CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT'] }
const second: Migration = {
  name: '0002-second',
  statements: ['ALTER TABLE a ADD COLUMN label TEXT', "INSERT INTO a (id, label) VALUES (1, 'one')"],
}
const mismatch = { code: 'schema-mismatch' }

test('applies what is missing, in order, once', async () => {
  await using database = await openSqlite(':memory:')
  assert.deepEqual(await migrate(database, [first], clock), ['0001-first'])
  assert.deepEqual(await migrate(database, [first, second], clock), ['0002-second'])
  assert.deepEqual(await migrate(database, [first, second], clock), [])
  const rows = await database.all('SELECT position, name, applied_at_ms FROM schema_migrations ORDER BY position')
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { position: 1, name: '0001-first', applied_at_ms: clock.now() },
      { position: 2, name: '0002-second', applied_at_ms: clock.now() },
    ],
  )
})

test('a migration that fails leaves the database at the one before', async () => {
  await using database = await openSqlite(':memory:')
  const broken: Migration = { name: '0002-second', statements: [...second.statements, 'INSERT INTO b VALUES (1)'] }
  await assert.rejects(migrate(database, [first, broken], clock))
  assert.equal((await database.all('SELECT * FROM a')).length, 0)
  assert.deepEqual(await migrate(database, [first, second], clock), ['0002-second'])
  assert.equal((await database.all('SELECT label FROM a')).length, 1)
})

test('refuses a database of a newer version', async () => {
  await using database = await openSqlite(':memory:')
  await migrate(database, [first, second], clock)
  await assert.rejects(migrate(database, [first], clock), mismatch)
})

test('refuses when an applied migration was edited, renamed or moved', async () => {
  await using database = await openSqlite(':memory:')
  await migrate(database, [first], clock)
  const edited = { ...first, statements: ['CREATE TABLE a (id TEXT PRIMARY KEY) STRICT'] }
  await assert.rejects(migrate(database, [edited], clock), mismatch)
  await assert.rejects(migrate(database, [{ ...first, name: '0001-other' }], clock), mismatch)
  await assert.rejects(migrate(database, [second, first], clock), mismatch)
})

test('the layout of a statement does not count as a change', async () => {
  await using database = await openSqlite(':memory:')
  await migrate(database, [first], clock)
  const laidOut = { ...first, statements: ['\n  CREATE TABLE a\n  (id INTEGER PRIMARY KEY) STRICT\n'] }
  assert.deepEqual(await migrate(database, [laidOut], clock), [])
})

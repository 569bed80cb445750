import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { databaseContract } from './database-contract.ts'
import { openSqlite } from './sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-sqlite-'))
let files = 0
const freshPath = () => join(directory, `${++files}.db`)
after(() => rmSync(directory, { recursive: true, force: true }))

describe('SQLite in memory', () => databaseContract(() => openSqlite(':memory:')))
describe('SQLite in a file', () => databaseContract(() => openSqlite(freshPath())))

const storageFailed = { code: 'storage-failed' }

test('a database keeps what was written when it is opened again', async () => {
  const path = freshPath()
  {
    await using database = await openSqlite(path)
    await database.execute([{ sql: 'CREATE TABLE t (a INTEGER) STRICT' }, { sql: 'INSERT INTO t VALUES (1)' }])
  }
  await using database = await openSqlite(path)
  assert.equal((await database.all('SELECT a FROM t')).length, 1)
})

test('a database file is readable by its owner only', async () => {
  const path = freshPath()
  await using database = await openSqlite(path)
  await database.execute([{ sql: 'CREATE TABLE t (a INTEGER) STRICT' }])
  for (const suffix of ['', '-wal', '-shm']) assert.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix)
})

test('every commit is synchronised to the disk', async () => {
  await using database = await openSqlite(freshPath())
  assert.deepEqual({ ...(await database.get('PRAGMA synchronous')) }, { synchronous: 2 })
  assert.deepEqual({ ...(await database.get('PRAGMA journal_mode')) }, { journal_mode: 'wal' })
})

test('a full disk is a clear refusal that leaves nothing half-written', async () => {
  await using database = await openSqlite(freshPath())
  await database.execute([{ sql: 'CREATE TABLE t (a BLOB) STRICT' }])
  await database.get('PRAGMA max_page_count = 8')
  const row = { sql: 'INSERT INTO t VALUES (?)', params: [new Uint8Array(4_000)] }
  await assert.rejects(database.execute(Array.from({ length: 20 }, () => row)), storageFailed)
  await assert.rejects(
    database.transaction(async (tx) => {
      for (let index = 0; index < 20; index++) await tx.run(row.sql, row.params)
    }),
    storageFailed,
  )
  assert.equal((await database.all('SELECT a FROM t')).length, 0)
  await database.execute([row])
  assert.equal((await database.all('SELECT a FROM t')).length, 1)
})

test('read-only storage is a clear refusal', async () => {
  await using database = await openSqlite(freshPath())
  await database.execute([{ sql: 'CREATE TABLE t (a INTEGER) STRICT' }])
  await database.get('PRAGMA query_only = 1')
  await assert.rejects(database.execute([{ sql: 'INSERT INTO t VALUES (1)' }]), storageFailed)
  assert.deepEqual(await database.all('SELECT a FROM t'), [])
})

test('a lock that another connection holds is a clear refusal after the time-out', async () => {
  const path = freshPath()
  await using database = await openSqlite(path, { busyTimeoutMs: 10 })
  await database.execute([{ sql: 'CREATE TABLE t (a INTEGER) STRICT' }])
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  await assert.rejects(database.execute([{ sql: 'INSERT INTO t VALUES (1)' }]), storageFailed)
  other.exec('ROLLBACK')
  other.close()
  assert.deepEqual(await database.execute([{ sql: 'INSERT INTO t VALUES (1)' }]), [1])
})

test('a file that is deleted or replaced under the database takes no more writes', async () => {
  for (const suffix of ['', '-wal']) {
    const path = freshPath()
    await using database = await openSqlite(path)
    await database.execute([{ sql: 'CREATE TABLE t (a INTEGER) STRICT' }, { sql: 'INSERT INTO t VALUES (1)' }])
    const insert = () => database.execute([{ sql: 'INSERT INTO t VALUES (2)' }])
    renameSync(path + suffix, `${path}.away`)
    await assert.rejects(insert(), storageFailed)
    copyFileSync(`${path}.away`, path + suffix)
    await assert.rejects(insert(), storageFailed)
    await assert.rejects(
      database.transaction((tx) => tx.run('INSERT INTO t VALUES (2)')),
      storageFailed,
    )
    renameSync(`${path}.away`, path + suffix)
    assert.deepEqual(await insert(), [1])
    assert.equal((await database.all('SELECT a FROM t')).length, 2)
  }
})

test('refuses a path that cannot be opened and a file that is no database', async () => {
  await assert.rejects(openSqlite(join(directory, 'missing', 'a.db')), storageFailed)
  const path = freshPath()
  writeFileSync(path, 'this is not a database, whatever its name says; '.repeat(40))
  await assert.rejects(openSqlite(path), storageFailed)
})

test('a closed database refuses instead of crashing', async () => {
  const database = await openSqlite(':memory:')
  await database[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
  await assert.rejects(database.get('SELECT 1'), storageFailed)
  await assert.rejects(database.execute([{ sql: 'SELECT 1' }]), storageFailed)
})

test('many distinct statements do not fill the memory', async () => {
  await using database = await openSqlite(':memory:')
  for (let index = 0; index < 1_200; index++) {
    const row = await database.get(`SELECT ${index} AS a`)
    assert.equal(row?.['a'], index)
  }
})

/** What every database behind `Database` must do; each backend's test runs it on a fresh, empty database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database, Row } from './database.ts'

const insert = 'INSERT INTO things (id, label, bytes) VALUES (?, ?, ?)'

type WithThings = (work: (database: Database) => Promise<void>) => Promise<void>

/** Registers the tests. `open` gives an empty database; the test closes it. */
export function databaseContract(open: () => Promise<Database>): void {
  const withThings: WithThings = async (work) => {
    await using database = await open()
    await database.execute([
      { sql: 'CREATE TABLE things (id INTEGER PRIMARY KEY, label TEXT NOT NULL, bytes BLOB) STRICT' },
    ])
    await work(database)
  }
  valuesContract(withThings)
  atomicityContract(withThings)
  transactionContract(withThings)
}

async function count(database: Database): Promise<number> {
  const row = await database.get<Row & { n: number }>('SELECT COUNT(*) AS n FROM things')
  return row?.n ?? -1
}

function valuesContract(withThings: WithThings): void {
  test('gives back text, safe integers, bytes and null as they were stored', () =>
    withThings(async (database) => {
      const bytes = Uint8Array.of(0, 1, 255)
      await database.execute([
        { sql: insert, params: [Number.MAX_SAFE_INTEGER, 'süß \u{1f512}', bytes] },
        { sql: insert, params: [-1, '', null] },
      ])
      const rows = await database.all('SELECT id, label, bytes FROM things ORDER BY id')
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [
          { id: -1, label: '', bytes: null },
          { id: Number.MAX_SAFE_INTEGER, label: 'süß \u{1f512}', bytes },
        ],
      )
    }))

  test('gives undefined for a row that is not there and no rows for an empty table', () =>
    withThings(async (database) => {
      assert.equal(await database.get('SELECT id FROM things WHERE id = ?', [1]), undefined)
      assert.deepEqual(await database.all('SELECT id FROM things'), [])
    }))

  test('tells how many rows each statement changed', () =>
    withThings(async (database) => {
      const changes = await database.execute([
        { sql: insert, params: [1, 'a', null] },
        { sql: insert, params: [2, 'b', null] },
        { sql: 'UPDATE things SET label = ?', params: ['c'] },
        { sql: `${insert} ON CONFLICT DO NOTHING`, params: [1, 'again', null] },
        { sql: 'DELETE FROM things WHERE id = ?', params: [3] },
      ])
      assert.deepEqual(changes, [1, 1, 2, 0, 0])
      assert.deepEqual(await database.execute([]), [])
    }))
}

function atomicityContract(withThings: WithThings): void {
  test('writes all statements of one call or none', () =>
    withThings(async (database) => {
      await assert.rejects(
        database.execute([
          { sql: insert, params: [1, 'a', null] },
          { sql: insert, params: [1, 'the same id', null] },
        ]),
      )
      assert.equal(await count(database), 0)
      await database.execute([{ sql: insert, params: [1, 'a', null] }])
      assert.equal(await count(database), 1)
    }))

  test('refuses a value of the wrong type', () =>
    withThings(async (database) => {
      await assert.rejects(database.execute([{ sql: insert, params: [1, 'a', 'no bytes'] }]))
      assert.equal(await count(database), 0)
    }))

  test('refuses a row whose parent is missing', () =>
    withThings(async (database) => {
      await database.execute([{ sql: 'CREATE TABLE parts (thing INTEGER NOT NULL REFERENCES things (id)) STRICT' }])
      await assert.rejects(database.execute([{ sql: 'INSERT INTO parts (thing) VALUES (?)', params: [7] }]))
    }))
}

function transactionContract(withThings: WithThings): void {
  test('a transaction sees its own writes and keeps them', () =>
    withThings(async (database) => {
      const seen = await database.transaction(async (tx) => {
        assert.equal(await tx.run(insert, [1, 'a', null]), 1)
        return tx.get<Row & { label: string }>('SELECT label FROM things WHERE id = ?', [1])
      })
      assert.equal(seen?.label, 'a')
      assert.equal(await count(database), 1)
    }))

  test('a transaction that throws leaves nothing, and the database goes on', () =>
    withThings(async (database) => {
      const failure = new Error('no')
      const running = database.transaction(async (tx) => {
        await tx.run(insert, [1, 'a', null])
        throw failure
      })
      await assert.rejects(running, failure)
      assert.equal(await count(database), 0)
      await database.execute([{ sql: insert, params: [1, 'a', null] }])
      assert.equal(await count(database), 1)
    }))

  test('transactions never interleave, with each other or with single calls', () =>
    withThings(async (database) => {
      await database.execute([{ sql: insert, params: [1, '0', null] }])
      const increment = () =>
        database.transaction(async (tx) => {
          const row = await tx.get<Row & { label: string }>('SELECT label FROM things WHERE id = 1')
          await new Promise((resolve) => setImmediate(resolve))
          await tx.run('UPDATE things SET label = ? WHERE id = 1', [String(Number(row?.label) + 1)])
        })
      const single = { sql: 'UPDATE things SET bytes = ? WHERE id = 1', params: [Uint8Array.of(1)] }
      await Promise.all([increment(), database.execute([single]), increment(), increment(), count(database)])
      const row = await database.get<Row & { label: string }>('SELECT label FROM things WHERE id = 1')
      assert.equal(row?.label, '3')
    }))

  test('a transaction cannot be used after its end', () =>
    withThings(async (database) => {
      const late = await database.transaction(async (tx) => () => tx.run(insert, [1, 'a', null]))
      await assert.rejects(late())
      assert.equal(await count(database), 0)
    }))
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  appendEvents,
  eventOf,
  freshDatabase,
  openLog,
  PowerlessFiles,
  verifiedSize,
  watchedDatabase,
} from './log-test-kit.ts'

const effect = (name: string) => ({ sql: 'INSERT INTO effects (name) VALUES (?)', params: [name] })

describe('appending to the log', () => {
  test('shares one transaction among concurrent appends', async () => {
    await using inner = await freshDatabase()
    const database = watchedDatabase(inner)
    await using log = await openLog(database, new PowerlessFiles())
    database.commits.length = 0
    await appendEvents(log, 0, 100)
    assert.deepEqual(database.commits, [100])
    await appendEvents(log, 100, 101)
    assert.deepEqual(database.commits, [100, 1])
  })

  test('bounds a transaction, and keeps the order of appends', async () => {
    await using inner = await freshDatabase()
    const database = watchedDatabase(inner)
    await using log = await openLog(database, new PowerlessFiles())
    database.commits.length = 0
    assert.deepEqual(
      await appendEvents(log, 0, 1_200),
      Array.from({ length: 1_200 }, (_, i) => i),
    )
    assert.deepEqual(database.commits, [500, 500, 200])
  })

  test('writes the effects of an event with it or not at all', async () => {
    await using database = await freshDatabase()
    await using log = await openLog(database, new PowerlessFiles())
    assert.equal(await log.append(log.prepare(eventOf(0)), [effect('a'), effect('b')]), 0)
    const results = await Promise.allSettled([
      log.append(log.prepare(eventOf(1)), [effect('c')]),
      log.append(log.prepare(eventOf(2)), [effect('d'), effect('a')]),
      log.append(log.prepare(eventOf(3)), [effect('e')]),
    ])
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code)),
      [1, 'record-failed', 2],
      'one bad effect fails its own append only, and leaves no hole',
    )
    const names = await database.all('SELECT name FROM effects ORDER BY name')
    assert.deepEqual(
      names.map(({ name }) => name),
      ['a', 'b', 'c', 'e'],
    )
    assert.deepEqual(
      (await log.readEvents()).map(({ id }) => id),
      ['event-0', 'event-1', 'event-3'],
    )
  })

  test('refuses an id that is in the log already', async () => {
    await using database = await freshDatabase()
    await using log = await openLog(database, new PowerlessFiles())
    await appendEvents(log, 0, 1)
    await assert.rejects(appendEvents(log, 0, 1), { code: 'record-failed' })
    assert.deepEqual(await appendEvents(log, 1, 2), [1])
  })

  test('rejects every append of a transaction that the storage refuses, and goes on without a hole', async () => {
    await using inner = await freshDatabase()
    const database = watchedDatabase(inner)
    const files = new PowerlessFiles()
    await using log = await openLog(database, files)
    await appendEvents(log, 0, 3)
    database.fails = () => 'before'
    for (const result of await Promise.allSettled([appendEvents(log, 3, 6), appendEvents(log, 6, 7)])) {
      assert.equal(result.status, 'rejected')
      assert.equal(result.reason.code, 'record-failed')
      assert.equal(result.reason.cause.code, 'storage-failed')
    }
    database.fails = () => undefined
    assert.deepEqual(await appendEvents(log, 10, 13), [3, 4, 5])
    await log.integrate()
    assert.equal(await verifiedSize(files), 6)
  })

  test('goes on after a commit that took effect though it was reported as failed', async () => {
    await using inner = await freshDatabase()
    const database = watchedDatabase(inner)
    const files = new PowerlessFiles()
    await using log = await openLog(database, files)
    database.fails = () => 'after'
    await assert.rejects(appendEvents(log, 0, 4), { code: 'record-failed' })
    database.fails = () => undefined
    assert.deepEqual(await appendEvents(log, 4, 6), [4, 5])
    await log.integrate()
    assert.equal(await verifiedSize(files), 6)
  })

  test('knows that the storage takes nothing, and finds out by itself when it does again', async () => {
    await using inner = await freshDatabase()
    const database = watchedDatabase(inner)
    await using log = await openLog(database, new PowerlessFiles(), { intervalMs: 5 })
    database.fails = () => 'before'
    await assert.rejects(appendEvents(log, 0, 1), { code: 'record-failed' })
    assert.equal(log.isWritable, false)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(log.isWritable, false)
    database.fails = () => undefined
    for (let i = 0; i < 12_000 && !log.isWritable; i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(log.isWritable, true)
    assert.deepEqual(await appendEvents(log, 1, 2), [0])
  })
})

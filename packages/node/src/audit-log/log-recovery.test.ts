import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { signCheckpoint } from '@comity/core/audit-log/checkpoint'
import { readCheckpoint, verifyLogGrowth } from '@comity/core/audit-log/log-reader'
import { ed25519NoteSigner } from '@comity/core/audit-log/note'
import { rightEdgeTiles, tilePath } from '@comity/core/audit-log/tiles'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import {
  appendEvents,
  freshDatabase,
  openLog,
  origin,
  PowerlessFiles,
  signingKey,
  verifiedSize,
  verifier,
  watchedDatabase,
} from './log-test-kit.ts'

/** Runs a log of three checkpoints whose files fail after `failAt` operations and whose database fails at the
 *  `failCheckpoint`th checkpoint, then comes back from power loss and goes on. */
async function crashAndRecover(crash: {
  failAt: number
  failCheckpoint?: number
  survives: (path: string) => boolean
}) {
  await using inner = await freshDatabase()
  const database = watchedDatabase(inner)
  const files = new PowerlessFiles(new Map(), crash.failAt)
  let checkpoints = 0
  database.fails = ([statement]) => {
    const isCheckpoint = statement!.sql.includes('UPDATE log_checkpoint')
    return isCheckpoint && ++checkpoints === crash.failCheckpoint ? 'after' : undefined
  }
  let appended = 0
  let isDead = false
  try {
    const log = await openLog(database, files)
    for (const count of [200, 100, 300]) {
      await appendEvents(log, appended, appended + count)
      appended += count
      await log.integrate()
    }
  } catch (error) {
    isDead = true
    assert.equal((error as { code?: string }).code, 'storage-failed')
  }
  database.fails = () => undefined
  const durable = files.afterPowerLoss(crash.survives)
  const survived = new PowerlessFiles(durable)
  const before = durable.has('checkpoint') ? (await readCheckpoint(survived, verifier)).checkpoint : undefined
  if (before !== undefined) {
    for (const tile of rightEdgeTiles(before.size)) assert.ok(durable.has(tilePath(tile)), tilePath(tile))
    await verifiedSize(survived)
  }
  await using again = await openLog(database, survived)
  await appendEvents(again, 1_000, 1_010)
  await again.integrate()
  assert.equal(await verifiedSize(survived), appended + 10, 'every entry that was acknowledged is there')
  const { checkpoint } = await readCheckpoint(survived, verifier)
  if (before !== undefined) await verifyLogGrowth({ read: (path) => again.tile(path) }, before, checkpoint)
  return { operations: files.operations, isDead }
}

describe('a log after a crash', () => {
  test('at any file operation loses no entry, and its checkpoint never contradicts an older one', async () => {
    const { operations, isDead } = await crashAndRecover({ failAt: Infinity, survives: () => true })
    assert.ok(!isDead && operations > 20)
    for (let failAt = 0; failAt < operations; failAt++)
      for (const survives of [() => true, () => false]) await crashAndRecover({ failAt, survives })
  })

  test('with any part of the unsynced names lost recovers the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 45 }), fc.infiniteStream(fc.boolean()), async (failAt, coin) => {
        await crashAndRecover({ failAt, survives: () => coin.next().value })
      }),
      { numRuns: 40 },
    )
  })

  test('between the checkpoint in the database and its file publishes the one that was signed', async () => {
    for (const failCheckpoint of [1, 2, 3]) {
      const { isDead } = await crashAndRecover({ failAt: Infinity, failCheckpoint, survives: () => false })
      assert.ok(isDead)
    }
  })
})

describe('publishing that fails', () => {
  test('once or twice is reported and tried again, while appends go on', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    await using log = await openLog(database, files)
    files.failAt = files.operations
    assert.deepEqual(await appendEvents(log, 0, 5), [0, 1, 2, 3, 4])
    await assert.rejects(log.integrate(), { code: 'storage-failed' })
    assert.equal(await log.proof('event-0'), 'pending')
    await assert.rejects(log.integrate(), { code: 'storage-failed' })
    assert.equal(log.isWritable, true)
    assert.deepEqual(await appendEvents(log, 5, 6), [5])
    files.failAt = Infinity
    await log.integrate()
    assert.equal(await verifiedSize(files), 6)
  })

  test('again and again makes the log refuse entries that it could not prove in time, until it is over', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    const problems: unknown[] = []
    await using log = await openLog(database, files, { intervalMs: 5, onProblem: (error) => problems.push(error) })
    files.failAt = files.operations
    await appendEvents(log, 0, 5)
    for (let i = 0; i < 12_000 && log.isWritable; i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.ok(problems.length >= 3)
    await assert.rejects(appendEvents(log, 5, 6), { code: 'record-failed' })
    files.failAt = Infinity
    for (let i = 0; i < 12_000 && !log.isWritable; i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(await appendEvents(log, 5, 6), [5])
    await log.integrate()
    assert.equal(await verifiedSize(files), 6)
  })

  test('for long keeps little in memory, and catches up from the database', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    await using log = await openLog(database, files)
    files.failAt = files.operations
    await appendEvents(log, 0, 17_500)
    await assert.rejects(log.integrate(), { code: 'storage-failed' })
    files.failAt = Infinity
    await appendEvents(log, 17_500, 17_600)
    await log.integrate()
    assert.equal(await verifiedSize(files), 17_600)
  })

  test('because another process signed never signs beside it', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    await using log = await openLog(database, files)
    await appendEvents(log, 0, 5)
    await database.execute([{ sql: 'UPDATE log_checkpoint SET size = 3' }])
    const published = log.checkpoint()
    await assert.rejects(log.integrate(), { code: 'log-inconsistent' })
    assert.equal(log.checkpoint(), published)
    await database.execute([{ sql: 'UPDATE log_checkpoint SET size = 0' }])
  })
})

describe('a log whose database and files contradict each other', () => {
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  const signed = (size: number, by = signingKey) =>
    Buffer.from(signCheckpoint({ origin, size, rootHash: new Uint8Array(32) }, [ed25519NoteSigner(origin, by)]))
  const changes: Record<string, { files?: Record<string, Uint8Array | null>; sql?: string }> = {
    'a tile of the right edge is missing': { files: { 'tile/0/001.p/44': null } },
    'a tile of the right edge was changed': { files: { 'tile/0/001.p/44': Buffer.alloc(44 * 32) } },
    'a tile above was changed': { files: { 'tile/1/000.p/1': Buffer.alloc(32) } },
    'the last bundle is missing': { files: { 'tile/entries/001.p/44': null } },
    'the last bundle was changed': { files: { 'tile/entries/001.p/44': Buffer.alloc(44 * 55) } },
    'the published checkpoint is larger': { files: { checkpoint: signed(301) } },
    'the published checkpoint has another root': { files: { checkpoint: signed(300) } },
    'the published checkpoint is of another history': { files: { checkpoint: signed(200) } },
    'the published checkpoint is signed by another key': { files: { checkpoint: signed(300, key) } },
    'the published checkpoint is no checkpoint': { files: { checkpoint: Buffer.from('x') } },
    'the verifier key is another': { files: { 'log.vkey': Buffer.from('x') } },
    'the database lost its last entry': { sql: 'DELETE FROM log_entries WHERE position = 299' },
    'the database lost an entry of the last tile': { sql: 'DELETE FROM log_entries WHERE position = 270' },
    'an entry of the last tile was changed': {
      sql: 'UPDATE log_entries SET commitment = zeroblob(32) WHERE position = 270',
    },
    'the database lost its checkpoint': { sql: 'DELETE FROM log_checkpoint' },
    'the checkpoint in the database has another root': { sql: 'UPDATE log_checkpoint SET root = zeroblob(32)' },
    'the checkpoint in the database has another size': { sql: 'UPDATE log_checkpoint SET size = 299' },
  }
  for (const [name, { files: changed = {}, sql }] of Object.entries(changes)) {
    test(`does not open when ${name}`, async () => {
      await using database = await freshDatabase()
      const files = new PowerlessFiles()
      const log = await openLog(database, files)
      await appendEvents(log, 0, 300)
      await log[Symbol.asyncDispose]()
      for (const [path, bytes] of Object.entries(changed))
        if (bytes === null) files.durable.delete(path)
        else files.durable.set(path, bytes)
      if (sql !== undefined) await database.execute([{ sql }])
      await assert.rejects(openLog(database, files), { code: 'log-inconsistent' })
    })
  }

  test('opens when only what can be made again is gone', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    const log = await openLog(database, files)
    await appendEvents(log, 0, 300)
    await log[Symbol.asyncDispose]()
    for (const path of ['checkpoint', 'log.vkey']) files.durable.delete(path)
    await using again = await openLog(database, files)
    assert.equal(again.checkpoint(), log.checkpoint())
    assert.equal(await verifiedSize(files), 300)
    assert.ok(files.durable.has('log.vkey'))
  })
})

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parseCheckpoint } from '@comity/core/audit-log/checkpoint'
import { verifyEvent } from '@comity/core/audit-log/event-commitment'
import { readCheckpoint, verifyLogGrowth } from '@comity/core/audit-log/log-reader'
import { parseNote } from '@comity/core/audit-log/note'
import { parseTlogProof, verifyTlogProof } from '@comity/core/audit-log/tlog-proof'
import { answerLogRequest } from './audit-log-routes.ts'
import type { AuditLog } from './audit-log.ts'
import { openLogDirectory, readDirectoryVerifier } from './log-directory.ts'
import { openLogFiles } from './log-files.ts'
import { rebuildLogFiles } from './log-rebuild.ts'
import {
  appendEvents,
  eventOf,
  freshDatabase,
  openLog,
  PowerlessFiles,
  verifiedSize,
  verifier,
} from './log-test-kit.ts'

const directory = await mkdtemp(join(tmpdir(), 'comity-log-'))
after(() => rm(directory, { recursive: true }))

function sizeOf(log: AuditLog): number {
  return parseCheckpoint(parseNote(log.checkpoint()).text).size
}

describe('an audit log', () => {
  test('gives each event a position, and a proof that a stranger can verify offline', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    await using log = await openLog(database, files)
    const prepared = log.prepare(eventOf('a'))
    // Nothing is published by itself meanwhile.
    files.failAt = files.operations
    assert.equal(await log.append(prepared), 0)
    assert.equal(await log.proof('event-a'), 'pending')
    files.failAt = Infinity
    assert.deepEqual(
      await appendEvents(log, 0, 300),
      Array.from({ length: 300 }, (_, i) => i + 1),
    )
    await log.integrate()
    for (const id of ['event-a', 'event-0', 'event-254', 'event-255', 'event-299']) {
      const proof = await log.proof(id)
      assert.ok(proof !== undefined && proof !== 'pending' && proof.body !== undefined)
      const parsed = parseTlogProof(proof.proof)
      assert.equal(parsed.index, proof.index)
      const entry = log.prepare({ ...eventOf(0), body: proof.body }).entry
      assert.throws(() => verifyTlogProof(parsed, entry, { log: verifier }), { code: 'proof-invalid' }, 'another salt')
    }
    const proof = await log.proof('event-a')
    assert.ok(proof !== undefined && proof !== 'pending' && proof.body !== undefined)
    verifyTlogProof(parseTlogProof(proof.proof), prepared.entry, { log: verifier })
    verifyEvent({ entry: prepared.entry, body: proof.body, salt: proof.salt })
    assert.equal(proof.body, eventOf('a').body)
    assert.equal(await log.proof('event-none'), undefined)
  })

  test('reads events back in order', async () => {
    await using database = await freshDatabase()
    await using log = await openLog(database, new PowerlessFiles())
    await appendEvents(log, 0, 120)
    assert.equal((await log.readEvents()).length, 100)
    const [first, ...rest] = await log.readEvents({ from: 118, limit: 50 })
    assert.equal(rest.length, 1)
    const { position, id, type, timeMs, body, salt } = first!
    assert.deepEqual({ id, type, timeMs, body }, eventOf(118))
    assert.equal(position, 118)
    assert.equal(salt?.length, 32)
  })

  test('publishes files that verify as a whole at every size, each checkpoint extending the last', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    await using log = await openLog(database, files)
    assert.equal(await verifiedSize(files), 0)
    let older = (await readCheckpoint(files, verifier)).checkpoint
    let size = 0
    for (const count of [1, 1, 253, 1, 1, 254, 1, 600, 1_400]) {
      await appendEvents(log, size, (size += count))
      await log.integrate()
      assert.equal(await verifiedSize(files), size)
      const { checkpoint } = await readCheckpoint(files, verifier)
      await verifyLogGrowth({ read: (path) => log.tile(path) }, older, checkpoint)
      older = checkpoint
    }
  })

  test('goes on where it stopped, reading a few files only', async () => {
    const path = join(directory, 'reopen')
    await using database = await freshDatabase()
    for (const [from, to] of [
      [0, 0],
      [0, 255],
      [255, 256],
      [256, 257],
      [257, 257],
      [257, 900],
    ] as const) {
      await using log = await openLog(database, openLogFiles(path))
      const before = log.checkpoint()
      assert.equal(sizeOf(log), from)
      await appendEvents(log, from, to)
      await log.integrate()
      assert.equal(sizeOf(log), to)
      if (from === to) assert.equal(log.checkpoint(), before, 'nothing is signed when nothing is new')
    }
    assert.equal(await verifiedSize(openLogDirectory(path)), 900)
    assert.equal((await readDirectoryVerifier(path)).keyId, verifier.keyId)
  })

  test('publishes what is left when it is closed, and takes no more', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    const log = await openLog(database, files)
    const appended = appendEvents(log, 0, 10)
    await log[Symbol.asyncDispose]()
    assert.equal((await appended).length, 10)
    assert.equal(await verifiedSize(files), 10)
    await assert.rejects(log.append(log.prepare(eventOf('late'))), { code: 'record-failed' })
  })

  test('publishes by itself soon after an append, then at intervals', async () => {
    await using database = await freshDatabase()
    await using log = await openLog(database, new PowerlessFiles(), { intervalMs: 30 })
    for (const size of [1, 2]) {
      await appendEvents(log, size, size + 1)
      for (let i = 0; i < 12_000 && sizeOf(log) < size; i++) await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal(sizeOf(log), size)
    }
  })

  test('drops partial tiles once the full one is there, and serves them still', async () => {
    const path = join(directory, 'partial')
    await using database = await freshDatabase()
    await using log = await openLog(database, openLogFiles(path))
    await appendEvents(log, 0, 100)
    await log.integrate()
    const old = { tile: await log.tile('tile/0/000.p/100'), bundle: await log.tile('tile/entries/000.p/100') }
    assert.ok(old.tile !== undefined && old.bundle !== undefined)
    await appendEvents(log, 100, 300)
    await log.integrate()
    assert.deepEqual(await readdir(join(path, 'tile/0')), ['000', '001.p'])
    assert.deepEqual(Buffer.from((await log.tile('tile/0/000.p/100'))!), Buffer.from(old.tile))
    assert.deepEqual(Buffer.from((await log.tile('tile/entries/000.p/100'))!), Buffer.from(old.bundle))
    assert.equal((await log.tile('tile/0/001.p/7'))?.length, 7 * 32, 'narrower than any that was published')
  })

  test('shows no tile beyond its checkpoint, and nothing outside the tree', async () => {
    await using database = await freshDatabase()
    await using log = await openLog(database, new PowerlessFiles())
    await appendEvents(log, 0, 300)
    await log.integrate()
    for (const path of [
      'tile/0/001',
      'tile/0/001.p/45',
      'tile/1/000.p/2',
      'tile/2/000.p/1',
      'tile/../checkpoint',
      'checkpoint',
      'tile/0/000.tmp',
    ])
      assert.equal(await log.tile(path), undefined, path)
  })

  test('has its files made again from the database', async () => {
    await using database = await freshDatabase()
    const files = new PowerlessFiles()
    const log = await openLog(database, files)
    await appendEvents(log, 0, 700)
    await log[Symbol.asyncDispose]()
    const lost = new PowerlessFiles()
    await assert.rejects(openLog(database, lost), { code: 'log-inconsistent' })
    assert.equal(lost.durable.size, 0, 'nothing was written')
    assert.equal(await rebuildLogFiles(database, lost), 700)
    assert.equal(await verifiedSize(lost), 700)
    await using again = await openLog(database, lost)
    assert.equal(again.checkpoint(), log.checkpoint())
    await database.execute([{ sql: 'UPDATE log_entries SET commitment = zeroblob(32) WHERE position = 300' }])
    await assert.rejects(rebuildLogFiles(database, new PowerlessFiles()), { code: 'log-inconsistent' })
  })

  test('never has a published checkpoint replaced by a shorter or another one', async () => {
    await using database = await freshDatabase()
    await using other = await freshDatabase()
    const [files, others] = [new PowerlessFiles(), new PowerlessFiles()]
    const log = await openLog(database, files)
    await appendEvents(log, 0, 20)
    await log[Symbol.asyncDispose]()
    const longer = await openLog(other, others)
    await appendEvents(longer, 0, 30)
    await longer[Symbol.asyncDispose]()
    const published = files.durable.get('checkpoint')
    await assert.rejects(rebuildLogFiles(database, others), /a checkpoint of 30 entries was published/)
    await assert.rejects(rebuildLogFiles(other, files), /20 entries is not of the database/)
    assert.deepEqual(files.durable.get('checkpoint'), published)
    assert.equal(await rebuildLogFiles(database, files), 20)
  })
})

describe('the log over HTTP (c2sp.org/tlog-tiles)', () => {
  test('has the checkpoint, fleeting, and the tiles, immutable', async () => {
    await using database = await freshDatabase()
    await using log = await openLog(database, new PowerlessFiles())
    await appendEvents(log, 0, 300)
    await log.integrate()
    const checkpoint = await answerLogRequest(log, '/log/checkpoint')
    assert.equal(checkpoint?.headers['content-type'], 'text/plain; charset=utf-8')
    assert.match(checkpoint.headers['cache-control']!, /max-age=1\b/)
    assert.equal(Buffer.from(checkpoint.body).toString(), log.checkpoint())
    for (const [path, length] of [
      ['tile/0/000', 8192],
      ['tile/0/001.p/44', 44 * 32],
      ['tile/1/000.p/1', 32],
      ['tile/entries/001.p/44', 44 * 55],
    ] as const) {
      const answer = await answerLogRequest(log, `/log/${path}`)
      assert.equal(answer?.headers['content-type'], 'application/octet-stream', path)
      assert.match(answer.headers['cache-control']!, /immutable/)
      assert.equal(answer.body.length, length)
    }
  })

  test('has nothing else', async () => {
    await using database = await freshDatabase()
    await using log = await openLog(database, new PowerlessFiles())
    for (const path of [
      '',
      '/',
      '/log',
      '/log/',
      '/logs/checkpoint',
      '/log/checkpoint/',
      '/log//checkpoint',
      '/log/tile/',
      '/log/tile/0/000',
      '/log/tile/0/%2e%2e/000',
      '/log/checkpoint.tmp',
    ])
      assert.equal(await answerLogRequest(log, path), undefined, path)
  })
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { verifyEvent } from '@comity/core/audit-log/event-commitment'
import { parseTlogProof, verifyTlogProof } from '@comity/core/audit-log/tlog-proof'
import { openVault } from '../vault/open-vault.ts'
import { vaultSchema } from '../vault/vault-schema.ts'
import type { Database } from '../storage/database.ts'
import type { AuditLog, EventProof, LogEvent } from './audit-log.ts'
import { rebuildLogFiles } from './log-rebuild.ts'
import { eventOf, freshDatabase, openLog, PowerlessFiles, verifiedSize, verifier } from './log-test-kit.ts'

async function vaultOn(database: Database) {
  await database.execute(vaultSchema.map((sql) => ({ sql })))
  const clock = { now: () => 1_800_000_000_000 }
  return openVault({ database, secret: new Uint8Array(32), randomBytes, clock })
}

async function proofOf(log: AuditLog, id: string): Promise<EventProof> {
  const proof = await log.proof(id)
  assert.ok(proof !== undefined && proof !== 'pending')
  return proof
}

const planted = 'Ólafur Þór'
const personal = (id: string): LogEvent => ({ ...eventOf(id), body: JSON.stringify({ id, name: planted }) })

test('an event about a person is proved like any other, and its text is kept sealed', async () => {
  await using database = await freshDatabase()
  await using vault = await vaultOn(database)
  await using log = await openLog(database, new PowerlessFiles(), { vault })
  const subject = await vault.open(vault.handleOf('736041664'))
  const prepared = log.prepare({ ...personal('a'), subject })
  await log.append(prepared)
  await log.append(log.prepare(eventOf('b')))
  await log.integrate()
  const { body, salt, proof } = await proofOf(log, 'event-a')
  assert.ok(body !== undefined)
  assert.equal(body, personal('a').body)
  verifyEvent({ entry: prepared.entry, body, salt })
  verifyTlogProof(parseTlogProof(proof), prepared.entry, { log: verifier })
  const [stored] = await database.all('SELECT * FROM log_entries WHERE position = 0')
  assert.match(String(stored?.['body']), /^sealed:/)
  assert.deepEqual(stored?.['salt'], new Uint8Array())
  const kept = JSON.stringify(stored)
  assert.ok(!kept.includes(planted) && !kept.includes('736041664') && !kept.includes(Buffer.from(salt).toString('hex')))
})

test('after an erasure the text is gone, and every proof, the tree and its rebuilding stand', async () => {
  await using database = await freshDatabase()
  await using vault = await vaultOn(database)
  const files = new PowerlessFiles()
  const handle = vault.handleOf('1')
  const entries = new Map<string, Uint8Array>()
  const append = async (log: AuditLog, event: LogEvent) => {
    const prepared = log.prepare(event)
    entries.set(event.id, prepared.entry)
    await log.append(prepared)
  }
  {
    await using log = await openLog(database, files, { vault })
    const [one, two] = [await vault.open(handle), await vault.open(vault.handleOf('2'))]
    await append(log, { ...personal('a'), subject: one })
    await append(log, { ...personal('b'), subject: two })
    await append(log, eventOf('c'))
    await log.integrate()
    await database.execute(vault.destroy(handle, 5))
    await vault.forget(handle)
    await append(log, { ...personal('late'), subject: one })
    await log.integrate()
    for (const [id, entry] of entries) {
      const { proof, body, salt } = await proofOf(log, id)
      verifyTlogProof(parseTlogProof(proof), entry, { log: verifier })
      assert.equal(body === undefined, id === 'event-a' || id === 'event-late')
      if (body !== undefined) verifyEvent({ entry, body, salt })
    }
  }
  await using log = await openLog(database, files, { vault })
  assert.deepEqual(
    (await log.readEvents()).map(({ id, body, salt }) => [id, body === undefined, salt === undefined]),
    [
      ['event-a', true, true],
      ['event-b', false, false],
      ['event-c', false, false],
      ['event-late', true, true],
    ],
  )
  const anew = new PowerlessFiles()
  assert.equal(await rebuildLogFiles(database, anew), 4)
  assert.equal(await verifiedSize(anew), 4)
})

test('the events of one person are read by their handle', async () => {
  await using database = await freshDatabase()
  await using vault = await vaultOn(database)
  await using log = await openLog(database, new PowerlessFiles(), { vault })
  const subject = await vault.open(vault.handleOf('1'))
  for (const id of ['a', 'b', 'c']) await log.append(log.prepare({ ...personal(id), ...(id !== 'b' && { subject }) }))
  const idsOf = async (range: Parameters<AuditLog['readEvents']>[0]) =>
    (await log.readEvents(range)).map(({ id }) => id)
  assert.deepEqual(await idsOf({ subject: subject.handle }), ['event-a', 'event-c'])
  assert.deepEqual(await idsOf({ subject: subject.handle, from: 1 }), ['event-c'])
  assert.deepEqual(await idsOf({ subject: subject.handle, limit: 1 }), ['event-a'])
  assert.deepEqual(await idsOf({ subject: vault.handleOf('2') }), [])
  assert.equal((await log.readEvent('event-c'))?.body, personal('c').body)
  assert.equal(await log.readEvent('event-none'), undefined)
})

test('a damaged sealed event, or one without a vault to read it, is a fault and not an erasure', async () => {
  await using database = await freshDatabase()
  await using vault = await vaultOn(database)
  const files = new PowerlessFiles()
  await using log = await openLog(database, files, { vault })
  const subject = await vault.open(vault.handleOf('1'))
  await log.append(log.prepare({ ...personal('a'), subject }))
  await using without = await openLog(database, files)
  await assert.rejects(without.readEvents(), { code: 'storage-failed' })
  await database.execute([{ sql: `UPDATE log_entries SET body = replace(body, substr(body, 60, 4), 'AAAA')` }])
  await assert.rejects(log.readEvents(), { code: 'storage-failed' })
})

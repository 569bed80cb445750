import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { eventCommitment } from '@comity/core/audit-log/event-commitment'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { nodeMigrations } from '../src/assembly/schema.ts'
import { openAuditLog } from '../src/audit-log/audit-log.ts'
import type { Database } from '../src/storage/database.ts'
import { migrate } from '../src/storage/migrations.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { openVault } from '../src/vault/open-vault.ts'

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

test('an old database takes sealed events after it was brought to now, and reads its own', async () => {
  const path = join(directory, 'goes-on.db')
  const old = new DatabaseSync(path)
  old.exec(readFileSync(new URL('./fixtures/schema-version-1.sql', import.meta.url), 'utf8'))
  old.close()
  await using database = await openSqlite(path)
  await migrate(database, nodeMigrations, clock)
  await using vault = await openVault({ database, secret: new Uint8Array(32), randomBytes, clock })
  const signingKey = importSigningKey(generatePrivateJwk('ed25519'))
  const log = { database, directory: join(directory, 'log'), origin: 'a.example/log', signingKey, randomBytes, vault }
  await using auditLog = await openAuditLog(log)
  const subject = await vault.open(vault.handleOf('736041664'))
  const event = { id: 'new', type: 'exchange', timeMs: clock.now(), body: '{"type":"exchange"}', subject }
  assert.equal(await auditLog.append(auditLog.prepare(event)), 2)
  await auditLog.integrate()
  const events = await auditLog.readEvents()
  assert.deepEqual(
    events.map(({ body, subject: handle }) => [JSON.parse(body ?? '{}').type, handle]),
    [
      ['agreement-signed', undefined],
      ['agreement-signed', undefined],
      ['exchange', subject.handle],
    ],
  )
  for (const { id, body, salt } of events) {
    const proof = await auditLog.proof(id)
    assert.ok(proof !== undefined && proof !== 'pending')
    assert.deepEqual([proof.body, proof.salt], [body, salt])
  }
})

test('migrations are numbered without gaps', () => {
  for (const [index, { name }] of nodeMigrations.entries()) {
    assert.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z-]+$`))
  }
})

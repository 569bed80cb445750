/** Finding exchanges again, when partners number theirs as they like. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { openVault } from '../vault/open-vault.ts'
import { vaultSchema } from '../vault/vault-schema.ts'
import { exchangeOpeningsSchema, exchangeSchema, sealedExchangesSchema } from './exchange-schema.ts'
import { createExchangeStore } from './exchange-store.ts'

async function freshDatabase(): Promise<Database> {
  const database = await openSqlite(':memory:')
  const statements = [...vaultSchema, ...exchangeSchema, ...sealedExchangesSchema, ...exchangeOpeningsSchema]
  await database.execute(statements.map((sql) => ({ sql })))
  return database
}

const vaultOn = (database: Database) =>
  openVault({ database, secret: new Uint8Array(32), randomBytes, clock: { now: () => 1_800_000_000_000 } })

test('an exchange of this node is not hidden by one that a partner gave the same id', async () => {
  await using database = await freshDatabase()
  await using vault = await vaultOn(database)
  const add = (...params: readonly [id: string, exchangeId: string, role: string, peer: string]) => ({
    sql: 'INSERT INTO exchanges (id, exchange_id, role, peer) VALUES (?, ?, ?, ?)',
    params,
  })
  await database.execute([
    add('0190-1', '0190-1', 'holder', 'did:web:a'),
    // Later calls of this node, to a holder that answers with ids it has seen before.
    add('0190-2', '0190-1', 'recipient', 'did:web:b'),
    add('0190-3', '0190-2', 'recipient', 'did:web:b'),
    add('0190-4', 'theirs', 'recipient', 'did:web:b'),
    add('0190-5', 'theirs', 'recipient', 'did:web:b'),
  ])
  const store = createExchangeStore(database, vault)
  assert.deepEqual(
    await Promise.all(['0190-1', '0190-2', 'theirs', 'none'].map(async (id) => (await store.find(id))?.id)),
    ['0190-1', '0190-2', '0190-5', undefined],
  )
})

test('reads what is sealed for a person, and says so when they have been erased', async () => {
  await using database = await freshDatabase()
  await using vault = await vaultOn(database)
  const store = createExchangeStore(database, vault)
  const key = await vault.open(vault.handleOf('736041664'))
  const sql = `INSERT INTO exchanges (id, exchange_id, role, peer, receipt, request_keyid, request_base,
    request_signature, response_keyid, response_base, response_signature, subject)
    VALUES (?, ?, 'recipient', 'did:web:a', 'eyJ', 'k', ?, 'AA', ?, ?, ?, ?)`
  const [request, response] = ['"@path": /x/athletes/736041664', '"@status": 200']
  await database.execute([
    { sql, params: ['e-1', 'e-1', key.seal(request), 'h', key.seal(response), 'BB', key.handle] },
    { sql, params: ['e-2', 'e-2', key.seal(request), null, null, null, key.handle] },
    { sql, params: ['e-3', 'e-3', request, 'h', response, 'BB', null] },
  ])
  const known = (await store.listWithReceipts(10)).map((one) => [one.request?.base, one.response?.base, one.erased])
  assert.deepEqual(known, [
    [request, response, false],
    [request, undefined, false],
    [request, response, false],
  ])
  await database.execute(vault.destroy(key.handle, 5))
  await vault.forget(key.handle)
  const left = (await store.listWithReceipts(10)).map((one) => [one.request?.base, one.response, one.erased])
  assert.deepEqual(left, [
    [request, { keyid: 'h', base: response, signature: 'BB' }, false],
    [undefined, undefined, true],
    [undefined, undefined, true],
  ])
  assert.equal((await store.find('e-1'))?.receipt, 'eyJ')
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openSqlite } from '../../storage/sqlite.ts'
import { openVault } from '../../vault/open-vault.ts'
import { vaultSchema } from '../../vault/vault-schema.ts'
import { referencesSchema } from './reference-schema.ts'
import { createReferenceStore, type NewReference } from './reference-store.ts'

const nowMs = 1_800_000_000_000
const request = { method: 'GET', path: '/athletes/736041664', query: '?' }
const reference: NewReference = {
  id: 'h-1',
  caller: 'did:web:lab.example',
  product: 'athletes',
  request,
  subject: undefined,
  issuedBy: 'e-1',
  expiresMs: nowMs + 60_000,
}

async function openStore() {
  const database = await openSqlite(':memory:')
  await database.execute([...vaultSchema, ...referencesSchema].map((sql) => ({ sql })))
  const vault = await openVault({ database, secret: new Uint8Array(32), randomBytes, clock: { now: () => nowMs } })
  return { database, vault, store: createReferenceStore(database, vault) }
}

test('a reference is found until it expires', async () => {
  const { database, store } = await openStore()
  await database.execute([store.insert(reference)])
  assert.deepEqual((await store.find('h-1', nowMs))?.request, request)
  assert.equal(await store.find('h-1', nowMs + 60_000), undefined)
  assert.equal(await store.find('h-2', nowMs), undefined)
})

test('a reference is used once: the second transaction fails as a whole', async () => {
  const { database, store } = await openStore()
  await database.execute([store.insert(reference)])
  await database.execute([store.use('h-1', 'e-2')])
  assert.equal(await store.find('h-1', nowMs), undefined)
  await assert.rejects(database.execute([store.insert({ ...reference, id: 'h-3' }), store.use('h-1', 'e-3')]))
  assert.equal(await store.find('h-3', nowMs), undefined)
})

test('what was asked about a person is sealed, and gone when the person is erased', async () => {
  const { database, vault, store } = await openStore()
  const subject = await vault.open(vault.handleOf('736041664'))
  await database.execute([store.insert({ ...reference, subject })])
  const rows = await database.all('SELECT * FROM answer_references')
  assert.ok(!JSON.stringify(rows).includes('736041664'))
  assert.deepEqual((await store.find('h-1', nowMs))?.request, request)
  await database.execute(vault.destroy(subject.handle, nowMs))
  await vault.forget(subject.handle)
  assert.equal(await store.find('h-1', nowMs), undefined)
})

test('what has expired is dropped', async () => {
  const { database, store } = await openStore()
  await database.execute([store.insert(reference), store.insert({ ...reference, id: 'h-2', expiresMs: nowMs + 1 })])
  assert.deepEqual(await database.execute([store.prune(nowMs + 10)]), [1])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { apiKeyStoreContract } from './api-key-store-contract.ts'
import { createApiKeyStore } from './api-key-store-sql.ts'
import { apiKeysSchema, keyLinesMigrations } from './api-keys-schema.ts'
import { createKeyUseStore } from './key-use-store-sql.ts'

apiKeyStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute([...apiKeysSchema, ...keyLinesMigrations].map((sql) => ({ sql })))
  return {
    database,
    store: createApiKeyStore(database),
    uses: createKeyUseStore(database),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
})

test('keys of before the migration know what they succeed, and that their end is their line’s', async () => {
  await using database = await openSqlite(':memory:')
  const key = `INSERT INTO api_keys (id, client, environment, used_as, verifier, scope, networks, labels, sequence,
    expires_ms, state, issued_by, created_ms) VALUES (?, 'c', 'live', 'plain', x'00', '{}', '', '{}', 0, 9, 'active', ?, 1)`
  const rotation = `INSERT INTO key_rotations (id, client, from_key, to_key, state, overlap_from_ms, drain_from_ms,
    sunset_ms, retire, quiet_seconds, created_ms) VALUES ('r', 'c', 'a', 'b', 'overlapping', 1, 2, 3, 'scheduled', 1, 1)`
  const before = [{ sql: key, params: ['a', 'operator'] }, { sql: key, params: ['b', 'client'] }, { sql: rotation }]
  await database.execute([...apiKeysSchema.map((sql) => ({ sql })), ...before])
  await database.execute(keyLinesMigrations.map((sql) => ({ sql })))
  const store = createApiKeyStore(database)
  assert.deepEqual(await store.loadSuccessions(), new Map([['b', { succeeds: 'a', isClaimed: true }]]))
  const { succeeds, lineEndsMs, expiresMs } = (await store.findKey('a')) ?? assert.fail()
  assert.deepEqual([succeeds, lineEndsMs, expiresMs], [undefined, 9, 9])
})

/** Finding exchanges again, when partners number theirs as they like. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { exchangeSchema } from './exchange-schema.ts'
import { createExchangeStore } from './exchange-store.ts'

test('an exchange of this node is not hidden by one that a partner gave the same id', async () => {
  await using database = await openSqlite(':memory:')
  await database.execute(exchangeSchema.map((sql) => ({ sql })))
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
  const store = createExchangeStore(database)
  assert.deepEqual(
    await Promise.all(['0190-1', '0190-2', 'theirs', 'none'].map(async (id) => (await store.find(id))?.id)),
    ['0190-1', '0190-2', '0190-5', undefined],
  )
})

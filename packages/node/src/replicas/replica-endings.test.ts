/** What takes replicas away as part of a larger change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { createReplicaEndings, type DutyOfReplicas } from './replica-endings.ts'
import { replicaOf } from './replica-store-contract.ts'
import { createReplicaStore } from './replica-store-sql.ts'
import { replicasSchema } from './replicas-schema.ts'

const holder = 'did:web:holder.example'
const duty = (changes: Partial<DutyOfReplicas>): DutyOfReplicas => ({
  kind: 'delete',
  consent: 'c1',
  holder,
  handle: 's1',
  fields: undefined,
  ...changes,
})

/** Of two replicas of a person, under two consents, one with own fields: what a duty leaves. */
async function after(changes: Partial<DutyOfReplicas>) {
  await using database = await openSqlite(':memory:')
  await database.execute(replicasSchema.map((sql) => ({ sql })))
  const store = createReplicaStore(database)
  const endings = createReplicaEndings(store, { now: () => 700 })
  const always = { sql: '1 = 1' }
  await database.execute([
    store.put(replicaOf('a'), always),
    store.put(replicaOf('b', { held: 'h2', consent: 'c2' }), always),
    ...store.setOwn('a', 'own'),
  ])
  await database.execute([...endings.settle(duty(changes))])
  const rows = await store.list({ limit: 10 })
  return {
    left: rows.map(({ id, sealed }) => (sealed === '' ? `${id} emptied` : id)),
    removed: await endings.removed(duty(changes)),
  }
}

test('a duty about a consent takes what came under it, and the receipt can say so', async () => {
  for (const kind of ['delete', 'anonymise', 'erase'] as const)
    assert.deepEqual(await after({ kind }), { left: ['b'], removed: { removed: 1, at: 700 } }, kind)
})

test('a duty about a person takes all that came from that holder', async () => {
  assert.deepEqual(await after({ kind: 'erase', consent: undefined }), { left: [], removed: { removed: 2, at: 700 } })
  assert.deepEqual((await after({ kind: 'erase', consent: undefined, handle: 's2' })).left, ['a', 'b'])
  assert.deepEqual((await after({ consent: undefined, handle: undefined })).left, ['a', 'b'])
  assert.deepEqual((await after({ holder: 'did:web:other.example' })).left, ['a', 'b'])
})

test('a duty about some fields, or to correct, restrict or stop, takes the content and leaves the own fields', async () => {
  assert.deepEqual((await after({ fields: ['height'] })).left, ['a emptied', 'b'])
  for (const kind of ['rectify', 'restrict', 'object'] as const)
    assert.deepEqual(await after({ kind }), { left: ['a emptied', 'b'], removed: undefined }, kind)
})

test('a duty to hand over, or that ends a restriction, takes nothing', async () => {
  for (const kind of ['access', 'port', 'lift-restriction'] as const)
    assert.deepEqual((await after({ kind })).left, ['a', 'b'], kind)
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { migrate } from '../../storage/migrations.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { openVault } from '../../vault/open-vault.ts'
import { vaultSchema } from '../../vault/vault-schema.ts'
import { GroupGraph } from './group-graph.ts'
import { policiesSchema } from '../policies-schema.ts'
import type { PolicyChange } from '../policy-changes.ts'
import type { PolicyQuestion } from '../policy-service.ts'
import type { Party, Relationship } from './relationship-store.ts'
import { createRelationshipStore } from './relationship-store-sql.ts'
import { openRelationships } from './relationships.ts'

const clock = { now: () => 1_000 }
const lab: Party = { type: 'Participant', id: 'did:web:lab.example' }
const nurse: Party = { type: 'Human', id: 'did:web:lab.example/nurse-17' }
const group = (id: string): Party => ({ type: 'Group', id })
const member = (id: string, subject: Party): Relationship => ({
  object: { type: 'Group', id },
  relation: 'member',
  subject,
})

const question: PolicyQuestion = {
  caller: lab.id,
  address: '192.0.2.1',
  action: 'read',
  product: 'athletes',
  productClass: 'personal',
  version: '1.0.0',
  operation: 'getAthlete',
  method: 'GET',
  labels: [],
  nowMs: 0,
}

async function open() {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await openSqlite(':memory:'))
  await migrate(database, [{ name: '0001-all', statements: [...vaultSchema, ...policiesSchema] }], clock)
  const vault = stack.use(await openVault({ database, secret: new Uint8Array(32), randomBytes, clock }))
  const changes: (PolicyChange & { readonly sealedFor?: string })[] = []
  let ids = 0
  const parts = {
    store: createRelationshipStore(database),
    vault,
    clock,
    newId: () => String(++ids).padStart(4, '0'),
    onChange: () => {},
    async record(change: PolicyChange, effects: readonly { sql: string }[], key?: { handle: string }) {
      await database.execute(effects)
      changes.push({ ...change, ...(key && { sealedFor: key.handle }) })
    },
  }
  const held = stack.move()
  return {
    relationships: await openRelationships(parts),
    reopen: () => openRelationships(parts),
    vault,
    changes,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

test('a caller is in the groups of its participant and in its own, with all that are above', async () => {
  await using opened = await open()
  const { relationships } = opened
  for (const one of [member('care', lab), member('clinic', group('care')), member('nurses', nurse)]) {
    await relationships.add(one)
  }
  await relationships.add(member('open', { type: 'Product', id: 'athletes' }))
  await relationships.add(member('rare', { type: 'Operation', id: 'athletes/getAthlete' }))
  const actor = { type: 'human', id: 'nurse-17' } as const
  const expected = {
    participantGroups: ['care', 'clinic'],
    actorGroups: ['nurses'],
    productGroups: ['open'],
    operationGroups: ['rare'],
    relations: [],
  }
  assert.deepEqual(relationships.of({ ...question, actor }), expected)
  assert.deepEqual((await opened.reopen()).of({ ...question, actor }), expected)
  await relationships.remove(member('care', lab))
  assert.deepEqual((await relationships.of({ ...question, actor })).participantGroups, [])
})

test('what an actor, its participant or a group of theirs is to a person, the caller is', async () => {
  await using opened = await open()
  const { relationships, vault } = opened
  const kim = vault.handleOf('kim')
  const toKim = (relation: string, subject: Party): Relationship => ({
    object: { type: 'person', handle: kim },
    relation,
    subject,
  })
  await relationships.add(member('ward-3', nurse))
  for (const one of [
    toKim('nurse', nurse),
    toKim('insurer', lab),
    toKim('ward', group('ward-3')),
    toKim('coach', { type: 'Human', id: 'did:web:lab.example/other' }),
    toKim('doctor', { type: 'Participant', id: 'did:web:clinic.example' }),
  ]) {
    await relationships.add(one)
  }
  const actor = { type: 'human', id: 'nurse-17' } as const
  const of = async (changes: Partial<PolicyQuestion>) => (await relationships.of({ ...question, ...changes })).relations
  assert.deepEqual(await of({ subject: kim, actor }), ['insurer', 'nurse', 'ward'])
  assert.deepEqual(await of({ subject: kim }), ['insurer'])
  assert.deepEqual(await of({ subject: kim, actor: { type: 'device', id: 'nurse-17' } }), ['insurer'])
  assert.deepEqual(await of({ subject: vault.handleOf('sam'), actor }), [])
  assert.deepEqual(await of({ subject: kim, caller: undefined }), [])
})

test('what is about a person is in the log under their key, and names them by handle alone', async () => {
  await using opened = await open()
  const { relationships, vault, changes } = opened
  const handle = vault.handleOf('kim')
  await relationships.add({ object: { type: 'person', handle }, relation: 'nurse', subject: nurse })
  const [{ after: hash, ...change } = { after: undefined }, ...others] = changes
  assert.match(String(hash), /^[\w-]{43}$/)
  assert.deepEqual(
    [change, others],
    [
      {
        action: 'relationship-add',
        target: handle,
        details: { relation: 'nurse', subject: 'Human::did:web:lab.example/nurse-17' },
        sealedFor: handle,
      },
      [],
    ],
  )
})

test('refuses a circle of groups, also one that two changes at once would make', async () => {
  await using opened = await open()
  const { relationships } = opened
  await assert.rejects(relationships.add(member('a', group('a'))), { code: 'relationship-refused' })
  await relationships.add(member('b', group('a')))
  const both = await Promise.allSettled([
    relationships.add(member('c', group('b'))),
    relationships.add(member('a', group('c'))),
  ])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
})

test('refuses a subject that no caller can be, and says how one is named', async () => {
  await using opened = await open()
  const { relationships } = opened
  for (const [type, id, told] of [
    ['Participant', 'lab.example', /by its DID/],
    ['Human', 'nurse-17', /`Human::"did:web:clinic\.example\/human-17"`, not `nurse-17`/],
    ['Service', 'did:web:lab.example', /its own id/],
    ['Device', 'did:web:lab.example/', /its own id/],
    ['Operation', 'list', /its product/],
  ] as const) {
    await assert.rejects(relationships.add(member('a', { type, id })), { code: 'relationship-refused', message: told })
  }
  for (const [type, id] of [
    ['Participant', 'anonymous'],
    ['Human', 'did:web:lab.example/ward/nurse-17'],
    ['Operation', 'athletes/list'],
  ] as const) {
    await relationships.add(member('a', { type, id }))
  }
})

test('refuses members of people, other relations of groups, what is there already and what is not there', async () => {
  await using opened = await open()
  const { relationships, vault, changes } = opened
  const person = { type: 'person', handle: vault.handleOf('kim') } as const
  await assert.rejects(relationships.add({ object: person, relation: 'member', subject: lab }), {
    code: 'relationship-refused',
  })
  await assert.rejects(relationships.add({ ...member('a', lab), relation: 'owner' }), { code: 'relationship-refused' })
  await relationships.add(member('a', lab))
  await assert.rejects(relationships.add(member('a', lab)), { code: 'already-exists' })
  await assert.rejects(relationships.remove(member('b', lab)), { code: 'not-found' })
  assert.equal(changes.length, 1)
})

test('groups of groups end, however they are connected, and agree with a plain search', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const edges = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), { maxLength: 12 })
  fc.assert(
    fc.property(edges, (pairs) => {
      const graph = new GroupGraph(pairs.map(([above, below]) => ({ group: above, member: group(below) })))
      const reached = new Set(['a'])
      for (let size = 0; size !== reached.size;) {
        size = reached.size
        for (const [above, below] of pairs) if (reached.has(below)) reached.add(above)
      }
      const isInItself = pairs.some(([above, below]) => above === 'a' && reached.has(below))
      const expected = [...reached].filter((name) => name !== 'a' || isInItself).toSorted()
      assert.deepEqual(graph.groupsOf(group('a')), expected)
    }),
    { numRuns: 200 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { Problem } from '@comity/core/problems'
import { decodeStatusList, getStatus, statusCount } from '@comity/core/status-list/status-list'
import { parseStatusList, verifyStatusList } from '@comity/core/status-list/status-list-token'
import { createStatusAllocation, listEntries } from './status-allocation.ts'
import type { StatusLists } from './status-lists.ts'
import { answerStatusRequest } from './status-route.ts'
import { openTestLists, startMs } from './status-test-kit.ts'

async function read(lists: StatusLists, list = 1) {
  const token = await lists.token(list)
  assert(token !== undefined)
  const { claims, kid } = parseStatusList(token)
  const statuses = decodeStatusList(claims.status_list, (bytes) => inflateSync(bytes))
  return { token, claims, kid, statuses, at: (index: number) => getStatus(statuses, index) }
}

test('an entry is valid from the moment it is durable, and there is no list before', async () => {
  await using kit = await openTestLists()
  const { entry, statement } = await kit.lists.allocate()
  assert.equal(entry.uri, 'https://lab.example/status/1')
  assert.equal(await kit.lists.token(1), undefined)
  await kit.database.execute([statement])
  const { claims, statuses, at } = await read(kit.lists)
  assert.equal(at(entry.idx), 0)
  assert.equal(statusCount(statuses), 131_072)
  assert.equal(statuses.bits, 2)
  assert.equal(claims.sub, entry.uri)
  assert.deepEqual([claims.iat, claims.exp, claims.ttl], [startMs / 1000, startMs / 1000 + 600, 30])
})

test('a change shows in the first list that is read after its transaction, and only then', async () => {
  await using kit = await openTestLists()
  const [one, other] = [await kit.lists.allocate(), await kit.lists.allocate()]
  await kit.database.execute([one.statement, other.statement])
  const before = await read(kit.lists)
  const suspend = kit.lists.set(one.entry, 'suspended')
  assert.equal((await read(kit.lists)).token, before.token)
  await kit.database.execute([suspend])
  assert.equal((await read(kit.lists)).at(one.entry.idx), 2)
  await kit.database.execute([kit.lists.set(one.entry, 'valid')])
  assert.equal((await read(kit.lists)).at(one.entry.idx), 0)
  await kit.database.execute([kit.lists.set(one.entry, 'invalid')])
  const after = await read(kit.lists)
  assert.deepEqual([after.at(one.entry.idx), after.at(other.entry.idx)], [1, 0])
})

test('a change that is rolled back never shows', async () => {
  await using kit = await openTestLists()
  const { entry, statement } = await kit.lists.allocate()
  await kit.database.execute([statement])
  await assert.rejects(kit.database.execute([kit.lists.set(entry, 'invalid'), statement]))
  assert.equal((await read(kit.lists)).at(entry.idx), 0)
})

test('what is invalid never counts again', async () => {
  await using kit = await openTestLists()
  const { entry, statement } = await kit.lists.allocate()
  await kit.database.execute([statement, kit.lists.set(entry, 'invalid')])
  await kit.database.execute([kit.lists.set(entry, 'valid'), kit.lists.set(entry, 'suspended')])
  assert.equal((await read(kit.lists)).at(entry.idx), 1)
})

test('lists are the same after a restart, and given entries are not given again', async () => {
  await using kit = await openTestLists()
  const given = new Set<number>()
  for (let round = 0; round < 4; round++) {
    const lists = kit.reopen()
    for (let i = 0; i < 250; i++) {
      const { entry, statement } = await lists.allocate()
      given.add(entry.idx)
      await kit.database.execute([statement, lists.set(entry, i % 2 === 0 ? 'invalid' : 'valid')])
    }
  }
  assert.equal(given.size, 1000)
  assert.deepEqual((await read(kit.reopen())).statuses, (await read(kit.lists)).statuses)
})

test('many readers at once, while entries change, all see what was durable when they asked', async () => {
  await using kit = await openTestLists()
  const entries = await Promise.all(Array.from({ length: 40 }, () => kit.lists.allocate()))
  await kit.database.execute(entries.map(({ statement }) => statement))
  const reads: Promise<void>[] = []
  for (const { entry } of entries) {
    await kit.database.execute([kit.lists.set(entry, 'invalid')])
    reads.push(...[1, 2, 3].map(async () => assert.equal((await read(kit.lists)).at(entry.idx), 1)))
  }
  await Promise.all(reads)
})

test('a token is kept until something changes, gets old, or the key is another', async () => {
  await using kit = await openTestLists()
  const { statement } = await kit.lists.allocate()
  await kit.database.execute([statement])
  const first = await read(kit.lists)
  kit.world.nowMs += 239_000
  assert.equal((await read(kit.lists)).token, first.token)
  kit.world.nowMs += 1_000
  const second = await read(kit.lists)
  assert.equal(second.claims.iat, first.claims.iat + 240)
  kit.rotateKey()
  const third = await read(kit.lists)
  assert.equal(third.kid, 'did:web:lab.example#key-2')
  const facts = { uri: third.claims.sub, nowMs: kit.world.nowMs, skewSeconds: 0 }
  verifyStatusList(parseStatusList(third.token), kit.world.key.verifyingKey, facts)
  kit.world.nowMs -= 1_000
  assert.equal((await read(kit.lists)).claims.iat, third.claims.iat - 1)
})

test('entries are spread at random over the list', async () => {
  await using kit = await openTestLists()
  const places = await Promise.all(Array.from({ length: 800 }, async () => (await kit.lists.allocate()).entry.idx))
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
  ] as const) {
    const inQuarter = places.filter((idx) => idx >= (from * listEntries) / 4 && idx < (to * listEntries) / 4).length
    // 200 are expected in each; seven standard deviations are 86.
    assert(inQuarter > 114 && inQuarter < 286, `${inQuarter} entries in one quarter`)
  }
})

test('a list three quarters full is followed by the next, and its own entries stay', async () => {
  await using kit = await openTestLists()
  const fill = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 98302)
    INSERT INTO status_entries (list, idx, value, changed) SELECT 1, i, 0, 0 FROM n`
  await kit.database.execute([{ sql: fill }])
  const lists = kit.reopen()
  const last = await lists.allocate()
  const first = await lists.allocate()
  assert.equal(last.entry.uri, 'https://lab.example/status/1')
  assert(last.entry.idx > 98_302)
  assert.equal(first.entry.uri, 'https://lab.example/status/2')
  await kit.database.execute([last.statement, first.statement, lists.set(last.entry, 'invalid')])
  assert.equal((await read(lists, 1)).at(last.entry.idx), 1)
  assert.equal((await read(lists, 2)).at(last.entry.idx), 0)
  assert.equal((await kit.reopen().allocate()).entry.uri, 'https://lab.example/status/2')
})

test('a failed first reading is tried again', async () => {
  await using kit = await openTestLists()
  let failures = 1
  const allocation = createStatusAllocation({
    store: {
      ...kit.store,
      newestList: async () => {
        if (failures-- > 0) throw new Problem('storage-failed', 'the disk is gone')
        return kit.store.newestList()
      },
    },
    randomBytes: (length) => new Uint8Array(length),
  })
  await assert.rejects(allocation.next())
  assert.deepEqual(await allocation.next(), { list: 1, index: 0 })
})

test('another list than an own one cannot be set', async () => {
  await using kit = await openTestLists()
  for (const uri of ['https://lab.example/status/0', 'https://lab.example/status/x', 'https://lab.example/1']) {
    assert.throws(
      () => kit.lists.set({ uri, idx: 1 }, 'invalid'),
      (error) => error instanceof Problem && error.code === 'status-list-invalid',
    )
  }
})

test('the route answers a list with its media type, uncached, and nothing for what is none', async () => {
  await using kit = await openTestLists()
  await kit.database.execute([(await kit.lists.allocate()).statement])
  const reply = await answerStatusRequest(kit.lists, '/status/1')
  assert.equal(reply?.status, 200)
  assert.deepEqual(reply?.headers, [
    'content-type',
    'application/statuslist+jwt',
    'cache-control',
    'no-store',
    'access-control-allow-origin',
    '*',
  ])
  assert.equal(Buffer.from(reply?.body ?? []).toString(), await kit.lists.token(1))
  for (const path of [
    '/status/2',
    '/status/',
    '/status/01',
    '/status/1/',
    '/status/-1',
    '/status/1e0',
    '/status/1000000000',
  ]) {
    assert.equal(await answerStatusRequest(kit.lists, path), undefined, path)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { Problem } from '@comity/core/problems'
import { signStatusList } from '@comity/core/status-list/status-list-token'
import { createStatusReader, type StatusListAnswer, type StatusListRequest } from './status-reader.ts'
import { answerStatusRequest } from './status-route.ts'
import { openTestLists, startMs } from './status-test-kit.ts'

type Kit = Awaited<ReturnType<typeof openTestLists>>

/** A reader whose network is the other's route; `answer` puts something else in its place. */
function readerOf(kit: Kit, answer?: (request: StatusListRequest) => Promise<StatusListAnswer>) {
  const requests: StatusListRequest[] = []
  const reader = createStatusReader({
    nodesOf: async () => ['https://lab.example', 'https://other.example/', 'https://x.example/below'],
    fetch: async (request) => {
      requests.push(request)
      return answer === undefined ? routeAnswer(kit, request.url) : answer(request)
    },
    resolveKey: async (keyid) => {
      if (keyid !== kit.world.key.keyid) throw new Problem('key-unknown', 'no such key')
      return kit.world.key.verifyingKey
    },
    clock: { now: () => kit.world.nowMs },
  })
  return { reader, requests }
}

async function routeAnswer(kit: Kit, url: string): Promise<StatusListAnswer> {
  const reply = await answerStatusRequest(kit.lists, new URL(url).pathname)
  if (reply === undefined) return { status: 404, headers: {}, body: new Uint8Array(0) }
  return { status: reply.status, headers: { 'content-type': reply.headers[1] }, body: reply.body }
}

const listed = (text: string): StatusListAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/statuslist+jwt' },
  body: Buffer.from(text),
})

async function allocated(kit: Kit) {
  const { entry, statement } = await kit.lists.allocate()
  await kit.database.execute([statement])
  return entry
}

async function isUnavailable(check: Promise<unknown>): Promise<void> {
  await assert.rejects(check, (error) => error instanceof Problem && error.code === 'status-unavailable')
}

test('tells the status that the issuer has set, by its name', async () => {
  await using kit = await openTestLists()
  const [valid, suspended, invalid] = [await allocated(kit), await allocated(kit), await allocated(kit)]
  await kit.database.execute([kit.lists.set(suspended, 'suspended'), kit.lists.set(invalid, 'invalid')])
  const { reader, requests } = readerOf(kit)
  assert.equal(await reader.check(valid, kit.did), 'valid')
  assert.equal(await reader.check(suspended, kit.did), 'suspended')
  assert.equal(await reader.check(invalid, kit.did), 'invalid')
  assert.equal(requests.length, 1)
  assert.deepEqual([requests[0]?.url, requests[0]?.issuer], [valid.uri, kit.did])
})

test('a list is used for its `ttl`, then read anew: an end is seen after 30 seconds at the latest', async () => {
  await using kit = await openTestLists()
  const entry = await allocated(kit)
  const { reader, requests } = readerOf(kit)
  await reader.check(entry, kit.did)
  await kit.database.execute([kit.lists.set(entry, 'invalid')])
  kit.world.nowMs += 29_999
  assert.equal(await reader.check(entry, kit.did), 'valid')
  kit.world.nowMs += 1
  assert.equal(await reader.check(entry, kit.did), 'invalid')
  assert.equal(requests.length, 2)
})

test('a list is never used when it has expired, nor longer than a minute, whatever its `ttl`', async () => {
  await using kit = await openTestLists()
  const uri = 'https://lab.example/status/1'
  const lst = encodeBase64url(deflateSync(new Uint8Array(8)))
  const tokenOf = (times: object) =>
    signStatusList({ sub: uri, iat: startMs / 1000, ...times, status_list: { bits: 2, lst } }, kit.world.key)
  const expiring = readerOf(kit, async () => listed(tokenOf({ exp: startMs / 1000 + 10, ttl: 3600 })))
  await expiring.reader.check({ uri, idx: 1 }, kit.did)
  kit.world.nowMs = startMs + 40_000
  await isUnavailable(expiring.reader.check({ uri, idx: 1 }, kit.did))
  kit.world.nowMs = startMs
  for (const times of [{ ttl: 86_400 }, {}]) {
    const { reader, requests } = readerOf(kit, async () => listed(tokenOf(times)))
    await reader.check({ uri, idx: 1 }, kit.did)
    kit.world.nowMs = startMs + 60_000
    await reader.check({ uri, idx: 1 }, kit.did)
    assert.equal(requests.length, 2)
    kit.world.nowMs = startMs
  }
})

test('all who ask at once share one fetch', async () => {
  await using kit = await openTestLists()
  const entry = await allocated(kit)
  const { reader, requests } = readerOf(kit)
  await Promise.all(Array.from({ length: 50 }, () => reader.check(entry, kit.did)))
  assert.equal(requests.length, 1)
})

test('a list that cannot be had is no status, and its server is spared for a second', async () => {
  await using kit = await openTestLists()
  const entry = await allocated(kit)
  let isDown = true
  const { reader, requests } = readerOf(kit, async ({ url }) => {
    if (isDown) throw new Problem('partner-unreachable', 'nobody there')
    return routeAnswer(kit, url)
  })
  await isUnavailable(reader.check(entry, kit.did))
  await isUnavailable(reader.check(entry, kit.did))
  assert.equal(requests.length, 1)
  isDown = false
  kit.world.nowMs += 1_000
  assert.equal(await reader.check(entry, kit.did), 'valid')
})

test('a copy that has run out is not used when the server is away: closed, not open', async () => {
  await using kit = await openTestLists()
  const entry = await allocated(kit)
  let isDown = false
  const { reader } = readerOf(kit, async ({ url }) => {
    if (isDown) throw new Problem('partner-unreachable', 'nobody there')
    return routeAnswer(kit, url)
  })
  assert.equal(await reader.check(entry, kit.did), 'valid')
  isDown = true
  kit.world.nowMs += 30_000
  await isUnavailable(reader.check(entry, kit.did))
})

test('refuses a list of another signer, of another address, and one that another key signed', async () => {
  await using kit = await openTestLists()
  await using other = await openTestLists('other.example')
  const entry = await allocated(kit)
  const foreign = await allocated(other)
  const { reader } = readerOf(kit)
  await isUnavailable(reader.check(entry, other.did))
  const swapped = readerOf(kit, async () => routeAnswer(other, foreign.uri))
  await isUnavailable(swapped.reader.check(entry, kit.did))
  const elsewhere = readerOf(kit, async () => routeAnswer(kit, entry.uri))
  await isUnavailable(elsewhere.reader.check({ ...entry, uri: 'https://lab.example/status/9' }, kit.did))
  kit.rotateKey()
  const forged = readerOf(kit, async () => {
    const claims = { sub: entry.uri, iat: startMs / 1000, status_list: { bits: 1 as const, lst: 'eNrbuRgAAhcBXQ' } }
    return listed(signStatusList(claims, { keyid: kit.world.key.keyid, key: other.world.key.key }))
  })
  await isUnavailable(forged.reader.check(entry, kit.did))
})

test('refuses answers of another status or type, and bodies that are no list', async () => {
  await using kit = await openTestLists()
  const entry = await allocated(kit)
  const good = await routeAnswer(kit, entry.uri)
  const answers: StatusListAnswer[] = [
    { ...good, status: 404 },
    { ...good, status: 203 },
    { ...good, headers: {} },
    { ...good, headers: { 'content-type': 'application/json' } },
    { ...good, headers: { 'content-type': ['application/statuslist+jwt'] } },
    { ...good, body: new Uint8Array(0) },
    { ...good, body: Buffer.from([0xff, 0xfe]) },
    { ...good, body: good.body.slice(1) },
  ]
  for (const answer of answers) await isUnavailable(readerOf(kit, async () => answer).reader.check(entry, kit.did))
  const parameters = { ...good, headers: { 'content-type': 'application/statuslist+jwt; charset=utf-8' } }
  assert.equal(await readerOf(kit, async () => parameters).reader.check(entry, kit.did), 'valid')
})

test('an index outside the list is no status, and a status of unknown meaning is invalid', async () => {
  await using kit = await openTestLists()
  const uri = 'https://lab.example/status/1'
  const lst = encodeBase64url(deflateSync(Uint8Array.of(0b1110_0100)))
  const token = signStatusList({ sub: uri, iat: startMs / 1000, status_list: { bits: 2, lst } }, kit.world.key)
  const { reader } = readerOf(kit, async () => listed(token))
  const names = await Promise.all([0, 1, 2, 3].map((idx) => reader.check({ uri, idx }, kit.did)))
  assert.deepEqual(names, ['valid', 'invalid', 'suspended', 'invalid'])
  await isUnavailable(reader.check({ uri, idx: 4 }, kit.did))
})

test('a list that inflates without end is refused', async () => {
  await using kit = await openTestLists()
  const uri = 'https://lab.example/status/1'
  const lst = encodeBase64url(deflateSync(new Uint8Array(64 * 1_048_576)))
  const token = signStatusList({ sub: uri, iat: startMs / 1000, status_list: { bits: 8, lst } }, kit.world.key)
  await isUnavailable(readerOf(kit, async () => listed(token)).reader.check({ uri, idx: 0 }, kit.did))
})

test('no more than 32 lists are fetched at once, and 4 of one issuer, so that nobody ties the node up for the others', async () => {
  await using kit = await openTestLists()
  const gate = Promise.withResolvers<void>()
  const { reader, requests } = readerOf(kit, async () => {
    await gate.promise
    throw new Problem('partner-timeout', 'nobody there')
  })
  const check = (issuer: string, i: number) => reader.check({ uri: `https://x.example/below/${i}`, idx: 0 }, issuer)
  const one = Array.from({ length: 100 }, (_, i) => check('did:web:one.example', i))
  const others = Array.from({ length: 100 }, (_, i) => check(`did:web:other-${i}.example`, i))
  const settled = Promise.allSettled([...one, ...others])
  gate.resolve()
  await settled
  assert.equal(requests.filter(({ issuer }) => issuer === 'did:web:one.example').length, 4)
  assert.equal(requests.length, 32)
})

const places: readonly string[] = [
  'https://elsewhere.example/status/1',
  'https://lab.example:8443/status/1',
  'http://lab.example/status/1',
  'https://lab.example.evil.example/status/1',
  'https://lab.example@evil.example/status/1',
  'https://user:secret@lab.example/status/1',
  'https://x.example/status/1',
  'https://x.example/below/../status/1',
  'https://x.example/belowstatus/1',
  'https://lab.example/status/1?wipe=all',
  'https://lab.example/status/1#1',
  'https://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  'status/1',
]

for (const uri of places) {
  test(`a status at \`${uri}\` is not at its issuer's node: no status, and nothing is fetched`, async () => {
    await using kit = await openTestLists()
    const { reader, requests } = readerOf(kit)
    await isUnavailable(reader.check({ uri, idx: 1 }, kit.did))
    assert.equal(requests.length, 0)
  })
}

test('a status of one who has no node, or whose document cannot be had, is no status, and nothing is fetched', async () => {
  await using kit = await openTestLists()
  const entry = await allocated(kit)
  const nodes = [
    async () => [],
    async (): Promise<string[]> => {
      throw new Problem('did-unresolvable', 'nobody there')
    },
  ]
  for (const nodesOf of nodes) {
    const fetch = async () => assert.fail('nothing is fetched')
    const resolveKey = async () => kit.world.key.verifyingKey
    const reader = createStatusReader({ nodesOf, fetch, resolveKey, clock: { now: () => kit.world.nowMs } })
    await isUnavailable(reader.check(entry, kit.did))
  }
})

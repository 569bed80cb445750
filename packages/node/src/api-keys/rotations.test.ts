import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import { dayMs, office, openTestKeys, startMs, type TestKeys } from './keys-test-node.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const idOf = (text: string) => parseApiKey(text).id

async function withKey(work: (node: TestKeys, old: { id: string; text: string }) => Promise<void>, client = {}) {
  await using node = await openTestKeys()
  await node.addClient({ policies: { overlapDays: 10, ...client } })
  await work(node, await node.issue())
}

async function rotate(node: TestKeys, id: string, request: object = {}) {
  const { rotation, successor } = await node.apiKeys.rotations.rotate(id, request, 'operator')
  return { rotation, text: successor?.text ?? '' }
}

test('a rotation on schedule: prepared, both work, laggards are listed, the old key ends', () =>
  withKey(async (node, old) => {
    const { apiKeys, clock } = node
    const startsAt = startMs + dayMs
    const { rotation, text } = await rotate(node, old.id, { startsAt, retire: 'scheduled' })
    const stateNow = async () => (await apiKeys.showRotation(rotation.id)).rotation.state
    assert.deepEqual(
      [await stateNow(), node.ask(old.text), node.ask(text)],
      ['prepared', 'billing', 'key-not-yet-valid'],
    )
    assert.deepEqual(apiKeys.lifeFields(old.id, '/keys/renewal'), [])
    apiKeys.used(old.id, '10.0.0.1', startMs)
    clock.nowMs = startsAt
    await apiKeys.tend()
    assert.deepEqual([await stateNow(), node.ask(old.text), node.ask(text)], ['overlapping', 'billing', 'billing'])
    assert.equal(apiKeys.lifeFields(old.id, '/keys/renewal')[0], 'deprecation')
    assert.deepEqual(apiKeys.lifeFields(idOf(text), '/keys/renewal'), [], 'only the old key ends')
    clock.nowMs = startsAt + 5 * dayMs
    await apiKeys.tend()
    apiKeys.used(old.id, office, clock.nowMs)
    apiKeys.used(old.id, office, clock.nowMs + 1)
    assert.equal(await stateNow(), 'draining')
    assert.deepEqual((await apiKeys.showRotation(rotation.id)).remaining, [
      { network: '192.0.2.0/24', lastMs: clock.nowMs + 1, uses: 2 },
    ])
    clock.nowMs = startsAt + 10 * dayMs
    await apiKeys.tend()
    assert.deepEqual([await stateNow(), node.ask(old.text), node.ask(text)], ['completed', 'key-expired', 'billing'])
    assert.deepEqual(
      node.notices.map(({ type, key, successor }) => [type, key, successor]),
      [
        ['key.prepared', old.id, idOf(text)],
        ['key.rotating', old.id, idOf(text)],
        ['key.draining', old.id, idOf(text)],
        ['key.retired', old.id, idOf(text)],
      ],
    )
    await assert.rejects(apiKeys.rotations.rollBack(rotation.id), /has ended: it is completed/)
    await assert.rejects(apiKeys.rotations.rollBack('nothing'), refused('key-rotation-unknown'))
  }))

test('a rotation that waits for the traffic ends when the successor is used and the old key is quiet', () =>
  withKey(async (node, old) => {
    const { apiKeys, clock } = node
    const { rotation, text } = await rotate(node, old.id, { retire: 'when-moved', quietSeconds: 60 })
    const use = (id: string) => apiKeys.used(id, office, clock.nowMs)
    use(old.id)
    clock.nowMs += 30 * dayMs
    await apiKeys.tend()
    assert.equal(node.ask(old.text), 'billing', 'long after the sunset nobody has moved')
    use(idOf(text))
    use(old.id)
    clock.nowMs += 59_999
    await apiKeys.tend()
    assert.equal(node.ask(old.text), 'billing')
    clock.nowMs += 1
    await apiKeys.tend()
    assert.equal(node.ask(old.text), 'key-expired')
    assert.equal((await apiKeys.showRotation(rotation.id)).rotation.state, 'completed')
  }))

test('of two rotations of one key at once one is refused, and nothing of it is left', () =>
  withKey(async (node, old) => {
    const { apiKeys } = node
    const both = await Promise.allSettled([rotate(node, old.id), rotate(node, old.id)])
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    const refusal = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult
    assert.ok(refused('key-rotation-refused')(refusal.reason))
    assert.equal((await apiKeys.listKeys({ limit: 10 })).length, 2)
    assert.equal((await apiKeys.listRotations({ limit: 10 })).length, 1)
    const successor = (await apiKeys.listKeys({ limit: 10 })).find(({ id }) => id !== old.id)
    await assert.rejects(rotate(node, successor?.id ?? ''), refused('key-rotation-refused'))
  }))

test('successor and rotation are written together or not at all', () =>
  withKey(async (node, old) => {
    node.failure = new Problem('record-failed', 'made to fail')
    await assert.rejects(rotate(node, old.id), refused('record-failed'))
    for (const when of ['as it runs', 'after a restart']) {
      assert.equal((await node.apiKeys.listKeys({ limit: 10 })).length, 1, when)
      assert.equal((await node.apiKeys.listRotations({ limit: 10 })).length, 0, when)
      assert.equal(node.ask(old.text), 'billing')
      await node.restart()
    }
    await rotate(node, old.id)
  }))

test('rolled back: the successor is revoked, the old key is as before', () =>
  withKey(async (node, old) => {
    const { rotation, text } = await rotate(node, old.id)
    await node.apiKeys.rotations.rollBack(rotation.id)
    assert.deepEqual([node.ask(old.text), node.ask(text)], ['billing', 'key-revoked'])
    assert.deepEqual(node.apiKeys.lifeFields(old.id, '/r'), [])
    await rotate(node, old.id)
  }))

test('everything of a rotation is as it was after a restart, and a node that did not run catches up', () =>
  withKey(async (node, old) => {
    const { clock } = node
    const { rotation, text } = await rotate(node, old.id, { startsAt: startMs + dayMs, retire: 'scheduled' })
    await node.restart()
    assert.equal(node.ask(text), 'key-not-yet-valid')
    clock.nowMs = startMs + 40 * dayMs
    await node.restart()
    await node.apiKeys.tend()
    const late = (await node.apiKeys.showRotation(rotation.id)).rotation
    assert.equal(late.state, 'overlapping', 'the overlap is as long as was planned')
    assert.deepEqual([node.ask(old.text), node.ask(text)], ['billing', 'billing'])
    clock.nowMs += 10 * dayMs
    await node.restart()
    await node.apiKeys.tend()
    assert.deepEqual([node.ask(old.text), node.ask(text)], ['key-expired', 'billing'])
    clock.nowMs = startMs
    await node.restart()
    assert.equal(node.ask(old.text), 'key-expired', 'whatever the clock says then')
  }))

test('a leaked key that is being rotated is revoked at once, and its successor takes its place at once', () =>
  withKey(async (node, old) => {
    const { rotation, text } = await rotate(node, old.id, { startsAt: startMs + dayMs })
    assert.equal(node.ask(text), 'key-not-yet-valid')
    await node.apiKeys.keys.revoke(old.id, { by: 'operator', reason: 'leaked' })
    assert.deepEqual([node.ask(old.text), node.ask(text)], ['key-revoked', 'billing'])
    assert.equal((await node.apiKeys.showRotation(rotation.id)).rotation.state, 'completed')
  }))

test('a leaked successor is revoked, and the rotation is rolled back', () =>
  withKey(async (node, old) => {
    const { rotation, text } = await rotate(node, old.id)
    await node.apiKeys.keys.revoke(idOf(text), { by: 'operator' })
    assert.deepEqual([node.ask(old.text), node.ask(text)], ['billing', 'key-revoked'])
    assert.equal((await node.apiKeys.showRotation(rotation.id)).rotation.state, 'rolled-back')
  }))

test('a successor is good for the same, as long, and no overlap goes beyond the old key’s own end', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { overlapDays: 14 } })
  const terms = { scope: { products: ['a'] }, networks: ['192.0.2.0/24'], use: 'hmac', sequence: true }
  const { id } = await node.issue({ ...terms, lifetimeDays: 10 })
  node.clock.nowMs = startMs + 5 * dayMs
  const { rotation, successor } = await node.apiKeys.rotations.rotate(id, {}, 'operator')
  assert.equal(rotation.sunsetMs, startMs + 10 * dayMs)
  const { scope, networks, use, sequence, expiresMs } = successor?.record ?? assert.fail()
  assert.deepEqual({ scope, networks, use, sequence }, terms)
  assert.equal(expiresMs, startMs + 15 * dayMs)
  assert.notEqual(parseApiKey(successor?.text ?? '').secret, '')
})

test('the end that the operator set is the end of all successors; only a lifetime begins anew', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { overlapDays: 2 } })
  const lineEndsMs = startMs + 25 * dayMs
  const ends: (number | undefined)[] = []
  let key = await node.issue({ expires: new Date(lineEndsMs).toISOString(), lifetimeDays: 10 })
  for (let rotations = 0; rotations < 3; rotations++) {
    ends.push((await node.apiKeys.showKey(key.id)).expiresMs)
    node.clock.nowMs += 8 * dayMs
    const { rotation } = await rotate(node, key.id, { successor: 'claim' })
    const next = await node.apiKeys.renew(key.id, key.text)
    await node.apiKeys.rotations.complete(rotation.id, 'operator')
    key = { id: next.keyId, text: next.key }
  }
  ends.push((await node.apiKeys.showKey(key.id)).expiresMs)
  assert.deepEqual(ends, [startMs + 10 * dayMs, startMs + 18 * dayMs, lineEndsMs, lineEndsMs])
  node.clock.nowMs = lineEndsMs
  assert.equal(node.ask(key.text), 'key-expired')
})

test('another end of a key is that of its line; without one the lifetime counts', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue({ lifetimeDays: 10 })
  const end = async () => {
    const { expiresMs, lineEndsMs } = await node.apiKeys.showKey(id)
    return [expiresMs, lineEndsMs]
  }
  await node.apiKeys.keys.change(id, { expires: startMs + 3 * dayMs })
  assert.deepEqual(await end(), [startMs + 3 * dayMs, startMs + 3 * dayMs])
  await node.apiKeys.keys.change(id, { expires: null })
  assert.deepEqual(await end(), [startMs + 10 * dayMs, undefined])
  await node.apiKeys.keys.change(id, { lifetimeDays: null })
  assert.deepEqual(await end(), [undefined, undefined])
})

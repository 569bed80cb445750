import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayMs, hourMs, office, openTestKeys, startMs, type TestKeys } from './keys-test-node.ts'

const noticesOf = (node: TestKeys) => node.notices.map(({ type, key, reason }) => [type, key, reason])

/** Steps over the time in which policies are not looked at again. */
async function tendAt(node: TestKeys, ms: number): Promise<void> {
  node.clock.nowMs = ms
  await node.apiKeys.tend()
  assert.deepEqual(node.errors, [])
}

test('a key is rotated by itself when it is so old, once, and its client fetches the next', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { rotateEveryDays: 30, overlapDays: 7 } })
  const { id, text } = await node.issue()
  await tendAt(node, startMs + 30 * dayMs - 1)
  assert.deepEqual(noticesOf(node), [])
  await tendAt(node, startMs + 30 * dayMs + 20_000)
  await tendAt(node, startMs + 30 * dayMs + 40_000)
  assert.deepEqual(noticesOf(node), [['key.rotating', id, undefined]])
  const { key, keyId } = await node.apiKeys.renew(id, text)
  node.apiKeys.used(keyId, office, node.clock.nowMs)
  // A machine that comes once a week, while the answers announce the 37th day.
  await tendAt(node, startMs + 36 * dayMs)
  assert.deepEqual([node.ask(text), node.ask(key)], ['billing', 'billing'])
  await tendAt(node, startMs + 37 * dayMs + 20_000)
  assert.deepEqual([node.ask(text), node.ask(key)], ['key-expired', 'billing'])
  await tendAt(node, startMs + 37 * dayMs + 40_000)
  assert.equal((await node.apiKeys.listRotations({ isRunning: true, limit: 10 })).length, 0, 'the next is young')
})

test('a key that nobody renews goes on working after a rotation by itself, and is shown as still in use', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { rotateEveryDays: 30, overlapDays: 7 } })
  const { id, text } = await node.issue()
  await tendAt(node, startMs + 30 * dayMs)
  await tendAt(node, startMs + 90 * dayMs)
  node.apiKeys.used(id, office, node.clock.nowMs)
  assert.equal(node.ask(text), 'billing')
  const [rotation] = await node.apiKeys.listRotations({ isRunning: true, limit: 10 })
  assert.equal(rotation?.state, 'draining')
  assert.equal((await node.apiKeys.showRotation(rotation?.id ?? '')).remaining.length, 1)
})

test('that a key expires is told once, so long before, and again for another end', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { warnBeforeDays: 3 } })
  const { id } = await node.issue({ expires: new Date(startMs + 10 * dayMs).toISOString() })
  await tendAt(node, startMs + 7 * dayMs - 1)
  assert.deepEqual(noticesOf(node), [])
  await tendAt(node, startMs + 7 * dayMs + 10_000)
  await node.restart()
  await tendAt(node, startMs + 8 * dayMs)
  assert.deepEqual(noticesOf(node), [['key.expiring', id, undefined]])
  await node.apiKeys.keys.change(id, { expires: startMs + 12 * dayMs })
  await tendAt(node, startMs + 9 * dayMs)
  assert.equal(noticesOf(node).length, 2)
})

test('a key that nobody uses is disabled, and once enabled it has as long again', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { disableUnusedAfterDays: 20 } })
  const [unused, used] = [await node.issue(), await node.issue()]
  node.apiKeys.used(used.id, office, startMs + 10 * dayMs)
  await tendAt(node, startMs + 20 * dayMs - 1)
  assert.deepEqual(noticesOf(node), [])
  await tendAt(node, startMs + 20 * dayMs + 10_000)
  assert.deepEqual(noticesOf(node), [['key.disabled', unused.id, 'unused']])
  assert.deepEqual([node.ask(unused.text), node.ask(used.text)], ['key-disabled', 'billing'])
  await node.apiKeys.keys.enable(unused.id)
  await tendAt(node, startMs + 29 * dayMs)
  assert.equal(node.ask(unused.text), 'billing')
})

test('how often and from where a key was used is durable with the next batch', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  assert.equal((await node.apiKeys.showKey(id)).lastUse, undefined)
  for (let index = 0; index < 5; index++) node.apiKeys.used(id, '198.51.100.7', startMs + index)
  node.apiKeys.used(id, '2001:db8:1:2:3::4', startMs + 9)
  const expected = { atMs: startMs + 9, network: '2001:db8:1::/48', uses: 6 }
  assert.deepEqual((await node.apiKeys.showKey(id)).lastUse, expected)
  await node.apiKeys.tend()
  await node.restart()
  assert.deepEqual((await node.apiKeys.showKey(id)).lastUse, expected)
  const rows = await node.database.all('SELECT network FROM key_uses ORDER BY network')
  assert.deepEqual(
    rows.map(({ network }) => network),
    ['198.51.100.0/24', '2001:db8:1::/48'],
    'no address of anybody',
  )
})

test('what could not be written is counted with the next batch', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  node.apiKeys.used(id, office, startMs)
  await node.database.execute([{ sql: 'ALTER TABLE key_hours RENAME TO key_hours_away' }])
  await node.apiKeys.tend()
  assert.equal(node.errors.splice(0).length > 0, true)
  node.apiKeys.used(id, office, startMs + 5)
  await node.database.execute([{ sql: 'ALTER TABLE key_hours_away RENAME TO key_hours' }])
  await node.apiKeys.tend()
  await node.restart()
  assert.deepEqual((await node.apiKeys.showKey(id)).lastUse, { atMs: startMs + 5, network: '192.0.2.0/24', uses: 2 })
})

/** So many calls in each hour of two weeks. */
async function habit(node: TestKeys, id: string, callsInHour: number): Promise<number> {
  for (let hour = 0; hour < 14 * 24; hour++) {
    for (let call = 0; call < callsInHour; call++) node.apiKeys.used(id, office, startMs + hour * hourMs + call)
  }
  await tendAt(node, startMs + 14 * dayMs)
  assert.deepEqual(noticesOf(node), [])
  return node.clock.nowMs
}

test('an hour with far more calls than ever is reported once, while it runs', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  const nowMs = await habit(node, id, 60)
  const call = (times: number, atMs: number) => {
    for (let index = 0; index < times; index++) node.apiKeys.used(id, office, atMs + index)
  }
  call(120, nowMs)
  await tendAt(node, nowMs + 1_000)
  assert.deepEqual(noticesOf(node), [])
  await node.restart()
  call(1, nowMs + 2_000)
  await tendAt(node, nowMs + 3_000)
  assert.deepEqual(noticesOf(node), [['key.unusual', id, 'rate']])
  call(5_000, nowMs + 4_000)
  await tendAt(node, nowMs + 30_000)
  assert.equal(noticesOf(node).length, 1)
})

test('a use from a network that was never seen is reported of a key that has its places', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  const nowMs = await habit(node, id, 1)
  node.apiKeys.used(id, '192.0.2.200', nowMs)
  await tendAt(node, nowMs + 1_000)
  assert.deepEqual(noticesOf(node), [], 'the same network')
  node.apiKeys.used(id, '203.0.113.5', nowMs + 2_000)
  node.apiKeys.used(id, '203.0.113.6', nowMs + 2_001)
  await tendAt(node, nowMs + 3_000)
  assert.deepEqual(noticesOf(node), [['key.unusual', id, 'place']])
  assert.equal(JSON.stringify(node.notices).includes('203.0.113'), false, 'ids and words only')
})

test('what is due is done once, however often it is looked for at once', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  await node.apiKeys.rotations.rotate(id, { startsAt: startMs + dayMs, retire: 'scheduled' }, 'operator')
  node.clock.nowMs = startMs + dayMs
  await Promise.all([node.apiKeys.tend(), node.apiKeys.tend(), node.apiKeys.tend()])
  assert.deepEqual(node.errors, [])
  assert.deepEqual(
    noticesOf(node).map(([type]) => type),
    ['key.prepared', 'key.rotating'],
  )
})

test('a key that comes from everywhere takes no more room than a thousand networks', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  for (let index = 0; index < 1_500; index++)
    node.apiKeys.used(id, `10.${index >> 8}.${index & 255}.1`, startMs + index)
  await node.apiKeys.tend()
  const [row] = await node.database.all('SELECT COUNT(*) AS networks, SUM(uses) AS uses FROM key_uses')
  assert.deepEqual({ ...row }, { networks: 1_001, uses: 1_500 })
  assert.equal((await node.apiKeys.showKey(id)).lastUse?.network, 'other')
})

test('a key that ended 90 days ago is told from none no more', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id, text } = await node.issue()
  await node.apiKeys.keys.revoke(id, { by: 'operator' })
  await tendAt(node, startMs + 90 * dayMs)
  assert.equal(node.ask(text), 'key-revoked')
  await tendAt(node, startMs + 90 * dayMs + hourMs)
  assert.equal(node.ask(text), 'key-unknown')
  assert.equal((await node.apiKeys.showKey(id)).state, 'revoked', 'its row stays')
})

test('a successor is not disabled as unused while it waits for its client to move, nor right after', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { disableUnusedAfterDays: 3, overlapDays: 14 } })
  const old = await node.issue()
  const { successor } = await node.apiKeys.rotations.rotate(old.id, { retire: 'scheduled' }, 'operator')
  const next = successor ?? assert.fail()
  for (let day = 1; day < 14; day++) {
    node.apiKeys.used(old.id, office, startMs + day * dayMs)
    await tendAt(node, startMs + day * dayMs + 11_000)
  }
  assert.deepEqual([node.ask(old.text), node.ask(next.text)], ['billing', 'billing'])
  await tendAt(node, startMs + 14 * dayMs)
  await tendAt(node, startMs + 17 * dayMs - 1)
  assert.deepEqual([node.ask(old.text), node.ask(next.text)], ['key-expired', 'billing'])
  await tendAt(node, startMs + 17 * dayMs + 11_000)
  assert.equal(node.ask(next.text), 'key-disabled', 'three days after it took the old one’s place')
})

test('an old key does not end by schedule while its successor does not work, and the operator is told once a day', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { overlapDays: 4, retire: 'scheduled' } })
  const old = await node.issue()
  const { rotation, successor } = await node.apiKeys.rotations.rotate(old.id, {}, 'operator')
  const next = successor ?? assert.fail()
  await node.apiKeys.keys.disable(next.record.id, { by: 'operator' })
  const waiting = () => node.notices.filter(({ type }) => type === 'key.waiting')
  await tendAt(node, startMs + 2 * dayMs - 1)
  assert.deepEqual(waiting(), [])
  for (let hour = 0; hour < 24; hour++) await tendAt(node, startMs + 2 * dayMs + hour * hourMs)
  const sunset = new Date(startMs + 4 * dayMs).toISOString().replace('.000Z', 'Z')
  const facts = { client: 'billing', key: old.id, rotation: rotation.id, successor: next.record.id }
  assert.deepEqual(waiting(), [{ type: 'key.waiting', ...facts, reason: 'key-disabled', sunset, handedOver: true }])
  await tendAt(node, startMs + 5 * dayMs)
  assert.equal(waiting().length, 2, 'told again')
  assert.equal(node.ask(old.text), 'billing')
  const complete = node.apiKeys.rotations.complete(rotation.id, 'operator')
  await assert.rejects(complete, /would be left without a key.*disabled/)
  await node.apiKeys.keys.enable(next.record.id)
  await tendAt(node, startMs + 5 * dayMs + 1_000)
  assert.deepEqual([node.ask(old.text), node.ask(next.text)], ['key-expired', 'billing'])
  const last = (await node.log()).filter(({ action }) => action === 'rotation-wait')
  assert.equal(last.length, 2)
})

test('a client that may not fetch its keys is left without none: its rotation waits for the operator, who is told', async () => {
  await using node = await openTestKeys()
  const policies = { rotateEveryDays: 30, overlapDays: 4, retire: 'scheduled', selfRenewal: false }
  await node.addClient({ policies })
  const { id, text } = await node.issue()
  await tendAt(node, startMs + 30 * dayMs)
  assert.deepEqual(noticesOf(node), [['key.rotating', id, 'operator-hands-over']])
  await tendAt(node, startMs + 32 * dayMs)
  assert.deepEqual(noticesOf(node).at(-1), ['key.waiting', id, 'not-claimed'])
  await tendAt(node, startMs + 40 * dayMs)
  assert.equal(node.ask(text), 'billing')
  const [rotation] = await node.apiKeys.listRotations({ isRunning: true, limit: 10 })
  const { successor } = await node.apiKeys.rotations.replaceSuccessor(rotation?.id ?? '')
  await tendAt(node, startMs + 40 * dayMs + 1_000)
  assert.deepEqual([node.ask(text), node.ask(successor.text)], ['key-expired', 'billing'])
})

test('a key of a participant that is no partner any more is not rotated by itself', async () => {
  await using node = await openTestKeys()
  await node.addClient({ participant: 'lab', policies: { rotateEveryDays: 30 } })
  await node.issue()
  node.partners.clear()
  await tendAt(node, startMs + 31 * dayMs)
  assert.deepEqual(noticesOf(node), [])
})

test('an alert is in the log', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  const nowMs = await habit(node, id, 1)
  node.apiKeys.used(id, '203.0.113.5', nowMs)
  await tendAt(node, nowMs + 1_000)
  const entry = (await node.log()).at(-1)
  assert.deepEqual([entry?.['action'], entry?.['key'], entry?.['reason']], ['key-unusual', id, 'place'])
  assert.equal(JSON.stringify(entry).includes('203.0.113'), false)
})

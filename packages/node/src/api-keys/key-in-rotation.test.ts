import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { dayMs, openTestKeys, startMs, type TestKeys } from './keys-test-node.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const elsewhere = { address: '198.51.100.9', environment: 'live' } as const

async function inRotation(
  work: (node: TestKeys, keys: { old: string; next: string; nextText: string; rotation: string }) => Promise<void>,
  request: object = {},
) {
  await using node = await openTestKeys()
  await node.addClient({ policies: { overlapDays: 10 } })
  const { id } = await node.issue({ expires: new Date(startMs + 100 * dayMs).toISOString() })
  const { rotation, successor } = await node.apiKeys.rotations.rotate(id, request, 'operator')
  const { record, text } = successor ?? assert.fail()
  await work(node, { old: id, next: record.id, nextText: text, rotation: rotation.id })
}

test('scope, networks and end of a key in rotation are those of the successor that it has, for the very next call', () =>
  inRotation(async (node, { old, next, nextText }) => {
    const { keys } = node.apiKeys
    const lineEndsMs = startMs + 20 * dayMs
    assert.equal(node.ask(nextText, elsewhere), 'billing')
    await keys.change(old, { scope: { products: ['a'] }, networks: ['192.0.2.0/24'], expires: lineEndsMs })
    for (const when of ['at once', 'after a restart']) {
      const { scope, networks, expiresMs, lineEndsMs: ends } = await node.apiKeys.showKey(next)
      assert.deepEqual(
        [scope, networks, expiresMs, ends],
        [{ products: ['a'] }, ['192.0.2.0/24'], lineEndsMs, lineEndsMs],
      )
      assert.deepEqual([node.ask(nextText, elsewhere), node.ask(nextText)], ['key-network', 'billing'], when)
      await node.restart()
    }
    node.clock.nowMs = lineEndsMs
    assert.equal(node.ask(nextText), 'key-expired')
  }))

test('another lifetime of a key in rotation is that of its successor, from when that works on', () =>
  inRotation(
    async (node, { old, next }) => {
      await node.apiKeys.keys.change(old, { lifetimeDays: 30 })
      const { expiresMs: oldEndsMs } = await node.apiKeys.showKey(old)
      const { expiresMs } = await node.apiKeys.showKey(next)
      assert.deepEqual([oldEndsMs, expiresMs], [startMs + 30 * dayMs, startMs + 35 * dayMs])
    },
    { startsAt: startMs + 5 * dayMs },
  ))

test('what is changed of a successor alone is its own', () =>
  inRotation(async (node, { old, next }) => {
    await node.apiKeys.keys.change(next, { networks: ['10.0.0.0/8'] })
    assert.deepEqual((await node.apiKeys.showKey(old)).networks, [])
  }))

test('what was set of a successor alone stays, whatever is changed of the old key later, and the rest follows it', () =>
  inRotation(async (node, { old, next }) => {
    const { keys, showKey } = node.apiKeys
    const [ownEndMs, endsMs] = [startMs + 300 * dayMs, startMs + 50 * dayMs]
    await keys.change(next, { networks: ['10.0.0.0/8'], expires: ownEndMs })
    await node.restart()
    await keys.change(old, { networks: ['192.0.2.0/24'], expires: endsMs, owner: 'ops@example.org' })
    const shown = async (id: string) => {
      const { networks, expiresMs, owner } = await showKey(id)
      return { networks, expiresMs, owner }
    }
    const owner = 'ops@example.org'
    assert.deepEqual(await shown(old), { networks: ['192.0.2.0/24'], expiresMs: endsMs, owner })
    assert.deepEqual(await shown(next), { networks: ['10.0.0.0/8'], expiresMs: ownEndMs, owner })
    await keys.change(old, { owner: null, labels: { site: 'a' } })
    const { labels, owner: gone } = await showKey(next)
    assert.deepEqual([labels, gone], [{ site: 'a' }, undefined])
  }))

test('a key in rotation that is to end before the announced sunset takes the sunset along, and that is told', () =>
  inRotation(async (node, { old, rotation }) => {
    const { apiKeys, notices } = node
    const sunset = async () => (await apiKeys.showRotation(rotation)).rotation
    const announced = await sunset()
    await apiKeys.keys.change(old, { expires: startMs + 50 * dayMs })
    assert.deepEqual([await sunset(), notices.length], [announced, 1], 'later than the sunset')
    const endsMs = startMs + 3 * dayMs
    await apiKeys.keys.change(old, { expires: endsMs })
    const { sunsetMs, drainFromMs } = await sunset()
    assert.deepEqual([sunsetMs, drainFromMs], [endsMs, endsMs])
    assert.match(apiKeys.lifeFields(old, '/keys/renewal').join('\n'), new RegExp(new Date(endsMs).toUTCString()))
    const { type, sunset: told } = notices.at(-1) ?? {}
    assert.deepEqual([type, told], ['key.rotating', new Date(endsMs).toISOString().replace('.000Z', 'Z')])
    await node.restart()
    assert.equal((await sunset()).sunsetMs, endsMs)
  }))

test('a sunset that was brought forward is not put off by a later end: its key goes on where it is still used', async () => {
  for (const [retire, answer] of [
    ['when-moved', 'billing'],
    ['scheduled', 'key-expired'],
  ] as const) {
    await using node = await openTestKeys()
    await node.addClient({ policies: { overlapDays: 10 } })
    const old = await node.issue()
    const { rotation } = await node.apiKeys.rotations.rotate(old.id, { retire }, 'operator')
    const endsMs = startMs + 3 * dayMs
    for (const expires of [endsMs, null]) await node.apiKeys.keys.change(old.id, { expires })
    assert.equal((await node.apiKeys.showRotation(rotation.id)).rotation.sunsetMs, endsMs)
    node.clock.nowMs = endsMs
    await node.apiKeys.tend()
    assert.equal(node.ask(old.text), answer)
  }
})

test('a key cannot end before its rotation begins, and nothing of such a change is left', () =>
  inRotation(
    async (node, { old, next }) => {
      const change = { expires: startMs + dayMs, networks: ['192.0.2.0/24'] }
      await assert.rejects(node.apiKeys.keys.change(old, change), refused('key-rotation-refused'))
      for (const id of [old, next]) assert.deepEqual((await node.apiKeys.showKey(id)).networks, [])
    },
    { startsAt: startMs + 5 * dayMs },
  ))

test('who disables a key is told what was claimed with it and works on, and what else works', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const [old, other] = [await node.issue(), await node.issue()]
  await node.apiKeys.rotations.rotate(old.id, { successor: 'claim' }, 'operator')
  const { keyId, key } = await node.apiKeys.renew(old.id, old.text)
  for (const time of ['first', 'second']) {
    const { key: disabled, claimed, working } = await node.apiKeys.keys.disable(old.id, { by: 'operator' })
    assert.deepEqual(
      [disabled.state, claimed, working.toSorted()],
      ['disabled', [keyId], [keyId, other.id].toSorted()],
      time,
    )
  }
  assert.equal(node.ask(key), 'billing')
  await node.apiKeys.keys.disable(keyId, { by: 'operator' })
  assert.deepEqual((await node.apiKeys.keys.disable(old.id, { by: 'operator' })).claimed, [])
})

test('what is told of a moving key says where the operator hands its successor over', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const [issued, claimed] = [await node.issue(), await node.issue()]
  await node.apiKeys.rotations.rotate(issued.id, {}, 'operator')
  const { rotation } = await node.apiKeys.rotations.rotate(claimed.id, { successor: 'claim' }, 'operator')
  await node.apiKeys.rotations.drain(rotation.id, 'operator')
  await node.apiKeys.renew(claimed.id, claimed.text)
  await node.apiKeys.rotations.replaceSuccessor(rotation.id)
  node.clock.nowMs += 8 * dayMs
  await node.apiKeys.tend()
  assert.deepEqual(
    node.notices.map(({ type, key, handedOver = false }) => [type, key === issued.id, handedOver]),
    [
      ['key.rotating', true, true],
      ['key.rotating', false, false],
      ['key.draining', false, false],
      ['key.revoked', false, false],
      ['key.draining', true, true],
    ],
  )
})

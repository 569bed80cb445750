import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayMs, openTestKeys, startMs, type TestKeys } from './keys-test-node.ts'

async function tendAt(node: TestKeys, ms: number): Promise<void> {
  node.clock.nowMs = ms
  await node.apiKeys.tend()
  assert.deepEqual(node.errors, [])
}

const running = ({ apiKeys }: TestKeys) => apiKeys.listRotations({ isRunning: true, limit: 10 })

test('a rotation by itself that was rolled back does not begin again before its key is as old once more', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { rotateEveryDays: 30 } })
  await node.issue()
  await tendAt(node, startMs + 30 * dayMs)
  const [begun] = await running(node)
  await node.apiKeys.rotations.rollBack(begun?.id ?? '')
  const backMs = node.clock.nowMs
  for (const ms of [20_000, 29 * dayMs, 30 * dayMs - 1]) {
    await tendAt(node, backMs + ms)
    await node.restart()
    assert.deepEqual(await running(node), [])
  }
  await tendAt(node, backMs + 30 * dayMs + 20_000)
  assert.equal((await running(node)).length, 1)
})

test('a key with a lifetime is rotated a whole overlap before it ends, however rarely its client rotates', async () => {
  for (const [lifetimeDays, day] of [
    [30, 16],
    [4, 2],
  ] as const) {
    await using node = await openTestKeys()
    await node.addClient({ policies: { rotateEveryDays: 60, overlapDays: 14 } })
    const { id, text } = await node.issue({ lifetimeDays })
    await tendAt(node, startMs + day * dayMs - 1)
    assert.deepEqual(await running(node), [])
    await tendAt(node, startMs + day * dayMs + 20_000)
    const { key } = await node.apiKeys.renew(id, text)
    await tendAt(node, startMs + lifetimeDays * dayMs + 1)
    assert.deepEqual([node.ask(text), node.ask(key)], ['key-expired', 'billing'])
  }
})

test('a key that ends with its line is not rotated for its end: its successor would end with it', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { rotateEveryDays: 60, overlapDays: 14 } })
  await node.issue({ expires: new Date(startMs + 30 * dayMs).toISOString() })
  await tendAt(node, startMs + 20 * dayMs)
  assert.deepEqual(await running(node), [])
})

test('a successor of a key that is not valid yet is not valid before it', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue({ notBefore: new Date(startMs + 5 * dayMs).toISOString() })
  const { successor } = await node.apiKeys.rotations.rotate(id, {}, 'operator')
  assert.equal(node.ask(successor?.text ?? ''), 'key-not-yet-valid')
  node.clock.nowMs = startMs + 5 * dayMs
  assert.equal(node.ask(successor?.text ?? ''), 'billing')
})

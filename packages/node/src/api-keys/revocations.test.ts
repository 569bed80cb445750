import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { dayMs, openTestKeys, startMs, type TestKeys } from './keys-test-node.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const leaked = { by: 'operator', reason: 'leaked' } as const

interface Key {
  readonly id: string
  readonly text: string
}

/** Begins a rotation, in which the next key is claimed with this one. */
async function claimed(node: TestKeys, { id, text }: Key): Promise<Key & { rotation: string }> {
  const { rotation } = await node.apiKeys.rotations.rotate(id, { successor: 'claim' }, 'operator')
  const { key, keyId } = await node.apiKeys.renew(id, text)
  return { id: keyId, text: key, rotation: rotation.id }
}

const stateOf = async (node: TestKeys, rotation: string) => (await node.apiKeys.showRotation(rotation)).rotation.state

test('what was claimed with a leaked key ends with it, and all are told what ended and what works', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const [old, other] = [await node.issue(), await node.issue()]
  const stolen = await claimed(node, old)
  assert.equal(node.ask(stolen.text), 'billing')
  const { key, alsoEnded, working } = await node.apiKeys.keys.revoke(old.id, leaked)
  assert.deepEqual([key.state, alsoEnded, working], ['revoked', [stolen.id], [other.id]])
  assert.deepEqual(
    [old, stolen, other].map(({ text }) => node.ask(text)),
    ['key-revoked', 'key-revoked', 'billing'],
  )
  assert.equal(await stateOf(node, stolen.rotation), 'rolled-back')
  const told = { type: 'key.revoked', client: 'billing', rotation: stolen.rotation, working: [other.id] }
  assert.deepEqual(node.notices.slice(-2), [
    { ...told, key: old.id, reason: 'leaked' },
    { ...told, key: stolen.id, reason: 'claimed-with-revoked', claimedWith: old.id },
  ])
  const entry = (await node.log()).at(-1)
  assert.deepEqual([entry?.['action'], entry?.['key'], entry?.['alsoEnded']], ['key-revoke', old.id, [stolen.id]])
  await node.restart()
  assert.equal(node.ask(stolen.text), 'key-revoked')
})

test('a leaked key that was retired long ago still ends what was claimed with it, and with that, to the last', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const first = await node.issue()
  let last: Key = first
  for (let generation = 0; generation < 3; generation++) {
    const next = await claimed(node, last)
    await node.apiKeys.rotations.complete(next.rotation, 'operator')
    last = next
    node.clock.nowMs += 100 * dayMs
  }
  // Of keys that ended so long ago nothing is in memory.
  await node.restart()
  assert.equal(node.ask(first.text), 'key-unknown')
  assert.equal(node.ask(last.text), 'billing')
  const { key, alsoEnded } = await node.apiKeys.keys.revoke(first.id, leaked)
  assert.deepEqual([key.id, key.state, alsoEnded], [first.id, 'retired', [last.id]])
  assert.equal(node.ask(last.text), 'key-revoked')
  await assert.rejects(node.apiKeys.keys.revoke('nobody00', leaked), refused('api-key-unknown'))
})

test('a successor that the operator handed over outlives the leaked key, and so does one that is kept', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const one = await node.issue()
  const { successor } = await node.apiKeys.rotations.rotate(one.id, { startsAt: startMs + dayMs }, 'operator')
  const issued = await node.apiKeys.keys.revoke(one.id, leaked)
  assert.deepEqual([issued.alsoEnded, issued.working], [[], [successor?.record.id]])
  assert.equal(node.ask(successor?.text ?? ''), 'billing', 'at once')
  const two = await node.issue()
  const next = await claimed(node, two)
  const kept = await node.apiKeys.keys.revoke(two.id, { ...leaked, keepClaimed: true })
  assert.deepEqual([kept.alsoEnded, node.ask(next.text)], [[], 'billing'])
  assert.equal(await stateOf(node, next.rotation), 'completed')
  const again = await node.apiKeys.keys.revoke(two.id, leaked)
  assert.deepEqual([again.alsoEnded, node.ask(next.text)], [[next.id], 'key-revoked'], 'on second thought')
})

test('a claim that races with the revocation loses, whichever is written first and whatever fails', async () => {
  for (const fails of [false, true]) {
    await using node = await openTestKeys()
    await node.addClient()
    const old = await node.issue()
    const { rotation } = await node.apiKeys.rotations.rotate(old.id, { successor: 'claim' }, 'operator')
    let revoking: Promise<unknown> | undefined
    // While the claim is being written.
    node.beforeWrite = () => {
      if (revoking !== undefined && fails) node.failure = new Problem('record-failed', 'made to fail')
      revoking ??= node.apiKeys.keys.revoke(old.id, leaked)
    }
    await assert.rejects(node.apiKeys.renew(old.id, old.text), refused('key-rotation-refused'))
    if (fails) await assert.rejects(revoking ?? assert.fail(), refused('record-failed'))
    else await revoking
    const keys = await node.apiKeys.listKeys({ limit: 10 })
    const answers = keys.map(({ state, isCutOff }) => [state, isCutOff])
    const expected = fails ? ['active', true] : ['revoked', false]
    assert.deepEqual(answers, [expected, expected])
    await assert.rejects(node.apiKeys.renew(old.id, old.text), refused('key-rotation-refused'))
    node.beforeWrite = () => undefined
    await node.apiKeys.tend()
    assert.equal(await stateOf(node, rotation.id), 'rolled-back')
  }
})

test('a revocation that could not be written is shown as what it is, and written as soon as that is possible', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const old = await node.issue()
  const stolen = await claimed(node, old)
  node.failure = new Problem('record-failed', 'made to fail')
  await assert.rejects(node.apiKeys.keys.revoke(old.id, leaked), (error: Problem) => {
    assert.deepEqual([error.code, error.members['cutOff']], ['record-failed', true])
    return /is refused from now on/.test(error.message)
  })
  for (const { id, text } of [old, stolen]) {
    const { state, isCutOff } = await node.apiKeys.showKey(id)
    assert.deepEqual([node.ask(text), state, isCutOff], ['key-revoked', 'active', true])
  }
  node.failure = new Problem('record-failed', 'made to fail')
  await node.apiKeys.tend()
  assert.deepEqual(
    node.errors.splice(0).map((error) => (error as Problem).code),
    ['record-failed'],
  )
  await node.apiKeys.tend()
  await node.restart()
  const { state, reason, isCutOff } = await node.apiKeys.showKey(old.id)
  assert.deepEqual([state, reason, isCutOff], ['revoked', 'leaked', false])
  assert.deepEqual([node.ask(old.text), node.ask(stolen.text)], ['key-revoked', 'key-revoked'])
})

test('a key can be cut off before its revocation is begun, and given back where that was not meant', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id, text } = await node.issue()
  const undo = node.apiKeys.keys.cutOff(id, leaked)
  assert.equal(node.ask(text), 'key-revoked')
  undo()
  assert.equal(node.ask(text), 'billing')
  await node.apiKeys.tend()
  assert.equal(node.ask(text), 'billing')
  node.apiKeys.keys.cutOff(id, leaked)
  await node.apiKeys.tend()
  assert.equal((await node.apiKeys.showKey(id)).state, 'revoked', 'nobody had to ask again')
})

test('of a revocation that could not be written what was said last counts: what was claimed is kept, and works at once', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const old = await node.issue()
  const next = await claimed(node, old)
  node.failure = new Problem('record-failed', 'made to fail')
  await assert.rejects(node.apiKeys.keys.revoke(old.id, leaked), refused('record-failed'))
  assert.equal(node.ask(next.text), 'key-revoked')
  const keep = { ...leaked, keepClaimed: true }
  node.failure = new Problem('record-failed', 'made to fail')
  await assert.rejects(node.apiKeys.keys.revoke(old.id, keep), refused('record-failed'))
  assert.deepEqual([node.ask(old.text), node.ask(next.text)], ['key-revoked', 'billing'])
  await node.apiKeys.tend()
  assert.deepEqual((await node.apiKeys.keys.revoke(old.id, keep)).working, [next.id])
  const { state, isCutOff } = await node.apiKeys.showKey(next.id)
  assert.deepEqual([node.ask(next.text), state, isCutOff], ['billing', 'active', false])
})

test('a revocation that is taken back leaves the one before it to be written, and what other ones refuse refused', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const old = await node.issue()
  const next = await claimed(node, old)
  for (const id of [old.id, next.id]) {
    node.failure = new Problem('record-failed', 'made to fail')
    await assert.rejects(node.apiKeys.keys.revoke(id, leaked), refused('record-failed'))
  }
  const undo = node.apiKeys.keys.cutOff(old.id, { ...leaked, keepClaimed: true })
  undo()
  assert.deepEqual([node.ask(old.text), node.ask(next.text)], ['key-revoked', 'key-revoked'])
  node.failure = new Problem('record-failed', 'made to fail')
  await assert.rejects(node.apiKeys.keys.revoke(old.id, { ...leaked, keepClaimed: true }), refused('record-failed'))
  assert.equal(node.ask(next.text), 'key-revoked', 'it is to be revoked itself')
  await node.apiKeys.tend()
  await node.restart()
  assert.deepEqual([node.ask(old.text), node.ask(next.text)], ['key-revoked', 'key-revoked'])
})

test('keys that work nowhere at this node are not among those that are told to work', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const [revoked, disabled, works] = [await node.issue(), await node.issue(), await node.issue()]
  await node.issue({ environment: 'test' })
  await node.issue({ notBefore: new Date(startMs + 1_000).toISOString() })
  const { working } = await node.apiKeys.keys.disable(disabled.id, { by: 'operator' })
  assert.deepEqual(working.toSorted(), [revoked.id, works.id].toSorted())
  assert.deepEqual((await node.apiKeys.keys.revoke(revoked.id, { by: 'operator' })).working, [works.id])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { clientChangeSchema } from './client.ts'
import { openTestKeys } from './keys-test-node.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const broken = () => new Problem('record-failed', 'made to fail')

test('a removal that could not be written counts, is shown as what it is, and is written as soon as that is possible', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  await node.addClient({ id: 'other' })
  const { id, text } = await node.issue()
  const other = await node.issue({}, 'other')
  node.failure = broken()
  await assert.rejects(node.apiKeys.clients.remove('billing'), (error: Problem) => {
    assert.deepEqual([error.code, error.members['cutOff']], ['record-failed', true])
    return /keys are refused from now on/.test(error.message)
  })
  const shown = () => node.apiKeys.listClients().map((client) => [client.id, client.isCutOff])
  assert.deepEqual(shown(), [
    ['billing', true],
    ['other', false],
  ])
  assert.deepEqual(
    [node.apiKeys.showClient('billing').isCutOff, (await node.apiKeys.showKey(id)).isCutOff],
    [true, true],
  )
  assert.deepEqual([node.ask(text), node.ask(other.text)], ['key-revoked', 'other'])
  node.failure = broken()
  await node.apiKeys.tend()
  assert.deepEqual(
    node.errors.splice(0).map((error) => (error as Problem).code),
    ['record-failed'],
  )
  assert.equal(node.apiKeys.showClient('billing').isCutOff, true)
  await node.apiKeys.tend()
  assert.deepEqual(shown(), [['other', false]])
  await node.restart()
  assert.deepEqual([node.ask(text), node.ask(other.text), shown()], ['key-revoked', 'other', [['other', false]]])
  const { state, reason } = await node.apiKeys.showKey(id)
  assert.deepEqual([state, reason], ['revoked', 'client-removed'])
  const removals = (await node.log()).filter(({ action }) => action === 'client-remove')
  assert.equal(removals.length, 1)
  await node.apiKeys.tend()
  assert.deepEqual(node.errors, [])
})

test('nothing is made of a client that is being removed: no key, no change', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const old = await node.issue()
  await node.apiKeys.rotations.rotate(old.id, { successor: 'claim' }, 'operator')
  // Asked for before, and in turn after.
  node.beforeWrite = () => void (node.failure ??= broken())
  const [issued, removed] = await Promise.allSettled([node.issue(), node.apiKeys.clients.remove('billing')])
  assert.deepEqual([issued.status, removed.status], ['rejected', 'rejected'])
  node.beforeWrite = () => undefined
  await assert.rejects(node.issue(), refused('client-unknown'))
  await assert.rejects(
    node.apiKeys.clients.change('billing', clientChangeSchema.parse({ name: 'B' })),
    refused('client-unknown'),
  )
  await assert.rejects(node.apiKeys.renew(old.id, old.text), refused('key-rotation-refused'))
  await node.apiKeys.clients.remove('billing')
  await assert.rejects(node.apiKeys.clients.remove('billing'), refused('client-unknown'))
  await assert.rejects(node.addClient(), refused('already-exists'))
})

test('keys of a client can be cut off before its removal is begun, and given back where that was not meant', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { text } = await node.issue()
  const gone = await node.issue()
  node.apiKeys.keys.cutOff(gone.id, { by: 'operator' })
  const undo = node.apiKeys.clients.cutOff('billing')
  assert.equal(node.ask(text), 'key-revoked')
  undo()
  assert.deepEqual([node.ask(text), node.ask(gone.text)], ['billing', 'key-revoked'], 'what was revoked stays so')
  assert.throws(() => node.apiKeys.clients.cutOff('nobody'), refused('client-unknown'))
  node.apiKeys.clients.cutOff('billing')
  await node.apiKeys.tend()
  assert.throws(() => node.apiKeys.showClient('billing'), refused('client-unknown'), 'nobody had to ask again')
})

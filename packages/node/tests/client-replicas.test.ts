/** The SDK's `replica` against two real nodes: what an application gets of what its own node keeps. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ComityError, createComityClient } from '../../client/src/client.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

let network: TestNetwork
before(async () => {
  network = await startTestNetwork({
    recipient: (config) => void (config['replicas'] = [{ partner: 'holder', product: 'items', maxAge: 'PT1H' }]),
  })
  await network.agree()
})
after(() => network[Symbol.asyncDispose]())

const items = (replica?: 'prefer' | 'only') =>
  createComityClient({ node: network.recipient.local(''), purpose: testPurpose, ...(replica && { replica }) }).product(
    'holder',
    'items',
  )

test('an application gets what its node keeps, and learns where each answer came from', async () => {
  const product = items('prefer')
  const first = await product.get<{ name: string }>('/items/7')
  assert.deepEqual([first.replica?.how, first.replica?.broughtBy], ['stored', first.receipt?.claims.jti])
  const seen = network.upstream.seen.length
  const again = await product.get<{ name: string }>('/items/7')
  assert.deepEqual([again.replica?.how, again.replica?.id, again.data], ['hit', first.replica?.id, first.data])
  assert.equal(again.replica?.broughtBy, first.replica?.broughtBy)
  assert.notEqual(again.exchangeId, first.exchangeId)
  assert.equal(network.upstream.seen.length, seen)

  assert.equal((await product.get('/items/7', { replica: 'refresh' })).replica?.how, 'revalidated')
  assert.equal((await product.get('/items/7', { replica: 'off' })).replica, undefined)
  network.clock.offsetMs += 60_000
  const young = await product.get('/items/7', { replica: { mode: 'prefer', maxAgeSeconds: 30 } })
  assert.notEqual(young.replica?.how, 'hit')
})

test('nothing kept is an error at once where the partner must not be asked', async () => {
  const seen = network.upstream.seen.length
  await assert.rejects(
    items('only').get('/items/99'),
    (error) => error instanceof ComityError && error.code === 'replica-missing' && error.status === 504,
  )
  assert.equal(network.upstream.seen.length, seen)
})

test('a choice for all calls leaves those alone that change something; one by itself is refused', async () => {
  const product = items('prefer')
  assert.equal((await product.post('/items', { body: { name: 'new' } })).status, 201)
  await assert.rejects(product.post('/items', { body: { name: 'new' }, replica: 'prefer' }), {
    code: 'invalid-call',
  })
})

test('an answer without the field says nothing of replicas', async () => {
  assert.equal((await items().get('/items/7')).replica, undefined)
})

/** The SDK against two real nodes: what an application sees through its own node. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseReceipt, verifyParsedReceipt } from '@comity/core/exchange/receipt'
import { ComityError, createComityClient, type ComityClient } from '../../client/src/client.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

interface Item {
  id: number
  name: string
}

interface paths {
  '/items': {
    get: { parameters: { query?: { limit?: number } }; responses: { 200: { content: { 'application/json': Item[] } } } }
    post: {
      requestBody: { content: { 'application/json': { name: string } } }
      responses: { 201: { content: { 'application/json': Item } } }
    }
  }
  '/items/{id}': {
    get: { parameters: { path: { id: number } }; responses: { 200: { content: { 'application/json': Item } } } }
  }
}

/** Adds the product `few-items`, which takes ten calls a second. */
function addLimited(config: Record<string, unknown>): void {
  const products = config['products'] as { id: string; limits: object }[]
  const open = products.find(({ id }) => id === 'open-items')
  if (open !== undefined) products.push({ ...open, id: 'few-items', limits: { rate: { requests: 10, perSeconds: 1 } } })
}

const hasCode = (code: string) => (error: unknown) => error instanceof ComityError && error.code === code

describe('an application with the SDK', () => {
  let network: TestNetwork
  let comity: ComityClient
  before(async () => {
    network = await startTestNetwork({ holder: addLimited })
    await network.agree()
    comity = createComityClient({ node: network.recipient.local(''), purpose: testPurpose })
  })
  after(() => network[Symbol.asyncDispose]())

  test('reads typed data with a receipt that the holder signed, and its id is in the own log', async () => {
    const items = comity.product<paths>('holder', 'items')
    const { data, exchangeId, receipt } = await items.get('/items/{id}', { path: { id: 7 } })
    assert.equal(data.name, 'item 7')
    assert.equal(receipt?.claims.iss, network.holder.did)
    assert.equal(receipt?.claims.pur, testPurpose)
    assert.ok(receipt !== undefined)
    const { resolver } = network.recipient.running.parts.counterparts
    const parsed = parseReceipt(receipt.jws)
    verifyParsedReceipt(parsed, await resolver.resolveKey(parsed.kid, 'assertionMethod'))
    const events = await network.recipient.running.parts.auditLog.readEvents({ limit: 1_000 })
    assert.ok(events.some(({ id }) => id === exchangeId))
  })

  test('reaches the partner by DID, and passes queries and bodies as they are meant', async () => {
    const items = comity.product<paths>(network.holder.did, 'items')
    assert.deepEqual((await items.get('/items', { query: { limit: 5 } })).data, [{ id: 1, name: 'item 1' }])
    assert.equal(network.upstream.seen.at(-1)?.url, '/items?limit=5')
    const created = await items.post('/items', { body: { name: 'Ünïcode & more' } })
    assert.deepEqual([created.status, created.data.name], [201, 'Ünïcode & more'])
  })

  test('an idempotency key makes the holder act once', async () => {
    const items = comity.product<paths>('holder', 'items')
    const seenBefore = network.upstream.seen.length
    const options = { body: { name: 'once' }, idempotencyKey: 'order 7' }
    const [first, second] = [await items.post('/items', options), await items.post('/items', options)]
    assert.deepEqual(second.data, first.data)
    assert.ok(second.headers.has('idempotency-replayed'))
    assert.equal(network.upstream.seen.length, seenBefore + 1)
    await assert.rejects(
      items.post('/items', { ...options, body: { name: 'twice' } }),
      hasCode('idempotency-key-reused'),
    )
  })

  test('reads why a call is refused, by this node and by the partner', async () => {
    const items = comity.product('holder', 'items')
    await assert.rejects(comity.product('nobody', 'items').get('/items'), hasCode('partner-unknown'))
    await assert.rejects(items.get('/undeclared'), hasCode('not-found'))
    await assert.rejects(items.get('/items', { query: { limit: 1_000 } }), hasCode('invalid-parameters'))
    await assert.rejects(items.get('/items', { purpose: 'https://p.example/other' }), (error) => {
      assert.ok(error instanceof ComityError)
      assert.equal(error.code, 'agreement-purpose')
      assert.equal(error.status, 403)
      assert.ok(error.exchangeId !== undefined && error.remedy !== undefined)
      return true
    })
  })

  test('keeps to the limits that the holder announces through both nodes', async () => {
    const few = comity.product<paths>('holder', 'few-items')
    await Promise.all(Array.from({ length: 24 }, () => few.get('/items')))
    const refusals = network.holder.logged.filter((line) => line.includes('rate-limited'))
    // Fourteen calls are too many at once. Of those that are paced, two may meet on a busy machine, and one is made again.
    assert.ok(refusals.length <= 3, `${refusals.length} calls were refused`)
  })

  test('tells that the own node is away, and goes on when it is back', async () => {
    const node = network.recipient.local('')
    await network.recipient.stop()
    const away = createComityClient({ node, purpose: testPurpose }).product<paths>('holder', 'items')
    await assert.rejects(away.get('/items', { maxAttempts: 2 }), hasCode('node-unreachable'))
    await network.recipient.start()
    const back = createComityClient({ node: network.recipient.local(''), purpose: testPurpose })
    assert.equal((await back.product<paths>('holder', 'items').get('/items')).status, 200)
  })
})

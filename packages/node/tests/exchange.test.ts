/** One exchange between two real nodes, and what must be refused. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

describe('an exchange between two nodes', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  const call = (path: string, init: RequestInit = {}) =>
    fetch(network.recipient.local(path), { ...init, headers: { 'comity-purpose': testPurpose, ...init.headers } })

  test('gives the application the holder’s answer with a receipt', async () => {
    const response = await call('/holder/items/items/7')
    assert.equal(response.status, 200)
    assert.deepEqual(await response.json(), { id: 7, name: 'item 7' })
    const { claims } = parseReceipt(response.headers.get('comity-receipt') ?? '')
    assert.equal(claims.iss, network.holder.did)
    assert.equal(claims.aud, network.recipient.did)
    assert.equal(claims.op, 'getItem')
    assert.equal(claims.pur, testPurpose)
  })

  test('is in the logs of both sides before the application reads its answer', async () => {
    const response = await call('/holder/items/items/8')
    const { claims } = parseReceipt(response.headers.get('comity-receipt') ?? '')
    for (const node of [network.holder, network.recipient]) {
      const events = await node.running.parts.auditLog.readEvents({ limit: 1_000 })
      const found = events.filter(({ body }) => body?.includes(claims.jti))
      assert.equal(found.length, 1, node.name)
    }
  })
})

/** A product that is offered while the node runs has its own limits at once, the size of its bodies too. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminOf } from './admin-call.ts'
import { send, signCall } from './signed-call.ts'
import { startTestNetwork } from './test-network.ts'
import { testOpenApi } from './test-upstream.ts'

test('takes bodies as large as a product allows that came later, and no larger', async () => {
  await using network = await startTestNetwork()
  const product = { id: 'large', title: 'Large', version: '1.0.0', class: 'public', upstream: network.upstream.url }
  const added = await (
    await adminOf(network.holder)
  ).call({
    method: 'POST',
    path: '/v1/products',
    body: { ...product, limits: { requestBytes: 3_000_000 }, document: JSON.stringify(testOpenApi) },
  })
  assert.equal(added.status, 201, added.text)
  const post = async (length: number) => {
    const body = JSON.stringify({ name: 'x'.repeat(length) })
    const call = signCall(network, { method: 'POST', path: '/x/large/items', body, headers: {} })
    return (await send(network.holder, call)).status
  }
  assert.deepEqual([await post(2_900_000), await post(3_100_000)], [201, 413])
})

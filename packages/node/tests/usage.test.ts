/** How much is called, as both sides count it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageView } from '../src/admin/usage-api.ts'
import { adminOf, type AdminAnswer } from './admin-call.ts'
import { startTestNetwork, testPurpose, type TestNode } from './test-network.ts'

async function usageOf(node: TestNode, query: string): Promise<UsageView[]> {
  const { status, json } = await ask(node, `/v1/usage?${query}`)
  assert.equal(status, 200, JSON.stringify(json))
  return json as UsageView[]
}

async function ask(node: TestNode, path: string): Promise<AdminAnswer> {
  return (await adminOf(node)).call({ path })
}

const get = (node: TestNode, path: string) =>
  fetch(node.local(path), { headers: { 'comity-purpose': testPurpose } }).then(async (answer) => {
    await answer.arrayBuffer()
    return answer.status
  })

test('calls, refusals and failures are counted on both sides, by the hour, and outlast a restart', async () => {
  await using network = await startTestNetwork({
    holder: (config) => {
      const rule = { name: 'few', by: ['participant'], for: { products: ['items'] }, quota: { units: 3, per: 'day' } }
      config['limits'] = { ...(config['limits'] as object), rules: [rule] }
    },
  })
  const { holder, recipient } = network
  assert.equal(await get(recipient, '/holder/items/items'), 403)
  await network.agree()
  for (let n = 0; n < 2; n++) assert.equal(await get(recipient, '/holder/items/items'), 200)
  assert.equal(await get(recipient, '/holder/items/items'), 429)
  const before = await usageOf(holder, 'by=participant,product')
  const [items] = before
  assert.deepEqual(
    [items?.participant, items?.product, items?.calls, items?.refused, items?.failed, items?.units],
    [recipient.did, 'items', 4, 2, 0, 3],
  )
  assert.deepEqual(items?.refusedFor, { identity: 0, limit: 1, agreement: 1, consent: 0, policy: 0, request: 0 })
  assert.ok((items?.bytes ?? 0) > 0)
  await holder.stop()
  await holder.start()
  assert.deepEqual(await usageOf(holder, 'by=participant,product'), before)
  const [own] = await usageOf(recipient, 'side=recipient&by=participant,product,hour')
  assert.deepEqual([own?.participant, own?.product, own?.calls, own?.refused], [holder.did, 'items', 4, 2])
  assert.equal(new Date(own?.hour ?? '').getUTCMinutes(), 0)
  assert.deepEqual(await usageOf(recipient, ''), [])
})

test('who is nobody’s partner is counted without a name, and what a call asked for is nowhere', async () => {
  await using network = await startTestNetwork()
  const { holder, recipient } = network
  await holder.running.parts.counterparts.partners.remove('recipient')
  await get(recipient, '/holder/open-items/items/planted-name')
  const lines = await usageOf(holder, 'by=participant,key,product,operation')
  assert.ok(lines.length > 0)
  for (const line of lines) assert.deepEqual([line.participant, line.key], ['', ''])
  await holder.running.parts.usage.flush()
  const rows = await holder.running.parts.foundation.database.all('SELECT * FROM usage_counts')
  assert.doesNotMatch(JSON.stringify(rows), /planted-name|127\.0\.0\.1|::1/)
})

test('pages of usage lead to each other, and what is asked wrongly is refused', async () => {
  await using network = await startTestNetwork()
  const { holder, recipient } = network
  await network.agree()
  await get(recipient, '/holder/items/items')
  await get(recipient, '/holder/open-items/items')
  const first = await ask(holder, '/v1/usage?by=product&limit=1')
  const [, next] = /<([^>]+)>; rel="next"/.exec(String(first.headers['link'])) ?? []
  assert.ok(next !== undefined, 'no link to the next page')
  const second = await ask(holder, next)
  const products = [first, second].flatMap(({ json }) => (json as UsageView[]).map(({ product }) => product))
  assert.deepEqual(products, ['items', 'open-items'])
  for (const query of [
    'by=colour',
    'by=product,product',
    'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
    'after=x',
  ])
    assert.equal((await ask(holder, `/v1/usage?${query}`)).status, 400, query)
})

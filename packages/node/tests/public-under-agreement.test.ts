/** A product that anybody may call, named by an agreement all the same: the receipt states the agreement that the
 *  recipient called under, and one that does not allow the call is no cover for it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { assertRefused, send, signCall } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

let network: TestNetwork
let agreement: string
before(async () => {
  network = await startTestNetwork()
  const { holder, recipient } = network
  const [ours, theirs] = [holder, recipient].map(({ running }) => running.parts.counterparts.agreements)
  assert.ok(ours && theirs)
  const terms = { products: ['open-items'], operations: ['getItem'], purposes: [testPurpose] }
  const draft = ours.draft({ assigner: holder.did, assignee: recipient.did, ...terms })
  const signed = await theirs.sign(await ours.sign(draft))
  await ours.import(signed)
  agreement = (await theirs.import(signed)).id
})
after(() => network[Symbol.asyncDispose]())

test('an application calls a public product that an agreement names, under that agreement', async () => {
  const url = network.recipient.local('/holder/open-items/items/7')
  const response = await fetch(url, { headers: { 'comity-purpose': testPurpose } })
  assert.deepEqual([response.status, await response.json()], [200, { id: 7, name: 'item 7' }])
  const { claims } = parseReceipt(response.headers.get('comity-receipt') ?? '')
  assert.deepEqual([claims.agr, claims.pur], [agreement, testPurpose])
})

test('an agreement that a call names must allow it; without one the product stays public', async () => {
  const named = { 'comity-agreement': agreement, 'comity-purpose': testPurpose }
  const call = signCall(network, { path: '/x/open-items/items', headers: named })
  await assertRefused(network, call, { code: 'agreement-operation' })
  const answer = await send(network.holder, signCall(network, { path: '/x/open-items/items', headers: {} }))
  assert.equal(answer.status, 200)
  assert.equal(parseReceipt(answer.headers.get('comity-receipt') ?? '').claims.agr, undefined)
})

/** What agreements with the holder have to do with consent: a delegate acts under that of who passed the part on, and who
 *  has none may ask people, and read nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callLocally, consented, passOn, startConsentNetwork } from './consent-network.ts'
import { testPurposes } from '@comity/core/consent/test-consent'
import type { TestNode } from './test-network.ts'

/** An agreement over the product between the holder and the delegate itself; gives its id. */
async function agreeDirectly(holder: TestNode, delegate: TestNode): Promise<string> {
  const [ours, theirs] = [holder, delegate].map((node) => node.running.parts.counterparts.agreements)
  assert.ok(ours && theirs)
  const draft = ours.draft({
    assigner: holder.did,
    assignee: delegate.did,
    products: ['athletes'],
    purposes: [testPurposes.research],
  })
  const signed = await theirs.sign(await ours.sign(draft))
  await ours.import(signed)
  return (await theirs.import(signed)).id
}

test('a delegation works whatever the delegate has agreed with the holder itself, and when that has ended', async () => {
  await using network = await startConsentNetwork()
  const { holder, delegate } = network
  const delegation = await passOn(network, await consented(network))
  const read = () => callLocally(delegate, { consent: delegation })
  assert.equal((await read()).code, '200')
  const agreement = await agreeDirectly(holder, delegate)
  assert.equal((await read()).code, '200', 'with an agreement of its own')
  await delegate.running.parts.counterparts.agreements.terminate(agreement, 'the study is over')
  assert.equal((await read()).code, '200', 'after it ended')
})

test('a partner without an agreement may ask people, and reads nothing of what they allow until there is one', async () => {
  await using network = await startConsentNetwork()
  const { holder, delegate: partner } = network
  const consent = await consented({ ...network, recipient: partner })
  const read = () => callLocally(partner, { consent })
  network.api.called.length = 0
  assert.equal((await read()).code, 'agreement-required')
  assert.deepEqual(network.api.called, [])
  await agreeDirectly(holder, partner)
  assert.equal((await read()).code, '200')
})

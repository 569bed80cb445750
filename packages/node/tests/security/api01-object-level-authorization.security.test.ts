/** OWASP API1:2023. Whoever names an object that is not theirs gets what they would get for one that is not there. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertAlike } from '../comparable-answer.ts'
import { callOverWire, callerKey, chainOf, codeOf } from '../consent-chains.ts'
import { consented, startConsentNetwork, type ConsentNetwork } from '../consent-network.ts'
import { addClient, issueKey, presentKey, signWithKey, startKeyNetwork } from '../key-network.ts'
import { otherReference } from '../personal-upstream.ts'
import { send, signCall, type CallDraft } from '../signed-call.ts'
import { testPurpose, type TestNode } from '../test-network.ts'

const noSuchId = 'urn:uuid:0190a7f0-0000-7000-8000-000000000000'

describe('a partner reaches no object that is not its own', () => {
  let network: ConsentNetwork
  let mallory: TestNode
  let consent: string
  before(async () => {
    network = await startConsentNetwork({ more: ['mallory'] })
    mallory = network.others['mallory'] as TestNode
    consent = await consented(network)
  })
  after(() => network[Symbol.asyncDispose]())

  const ask = (by: TestNode, path: string, draft: Partial<CallDraft> = {}) =>
    send(network.holder, signCall(network, { headers: {}, ...draft, path, as: callerKey(by) }))

  const objects: Record<string, [string, (id: string) => string]> = {
    'a consent': ['GET', (id) => `/consents/${id}`],
    'a request for consent': ['GET', (id) => `/consents/requests/${id}`],
    'the token of a consent': ['GET', (id) => `/consents/${id}/token`],
    'the end of a consent': ['POST', (id) => `/consents/${id}/revoke`],
  }
  for (const [name, [method, path]] of Object.entries(objects)) {
    test(`${name} of others answers like one that is not there`, async () => {
      const answers = [await ask(mallory, path(consent), { method }), await ask(mallory, path(noSuchId), { method })]
      assert.ok(answers.every(({ status }) => status >= 400))
      assertAlike(answers)
      // Its own recipient is answered, so the address is right.
      if (method === 'GET') assert.equal((await ask(network.recipient, path(consent))).status, 200)
    })
  }

  test('a consent of others stands after they tried to end it', async () => {
    await ask(mallory, `/consents/${consent}/revoke`, { method: 'POST' })
    const chain = await chainOf(network.recipient, consent)
    assert.equal((await callOverWire(network, { chain })).status, 200)
  })

  test('the proof of an exchange of others answers like one that is not there', async () => {
    await network.agree()
    const own = await send(network.holder, signCall(network))
    const id = own.headers.get('comity-exchange') ?? ''
    await network.holder.running.parts.auditLog.integrate()
    const proof = (by: TestNode, of: string) => ask(by, `/receipts/${of}/proof`)
    assert.equal((await proof(network.recipient, id)).status, 200)
    const answers = [await proof(mallory, id), await proof(mallory, '0190a7f0-0000-7000-8000-000000000000')]
    assert.equal(answers[0]?.status, 404)
    assertAlike(answers)
  })

  test('another person is not reached by changing the id in the path, whoever’s consent is presented', async () => {
    const chain = await chainOf(network.recipient, consent)
    network.api.called.length = 0
    const other = await callOverWire(network, { path: `/x/athletes/athletes/${otherReference}`, chain })
    assert.equal(codeOf(other), 'consent-required')
    // The token of the recipient in the hands of another partner.
    const stolen = await callOverWire(network, { chain, by: mallory })
    assert.ok(stolen.status === 401 || stolen.status === 403, String(stolen.status))
    assert.deepEqual(network.api.called, [])
    assert.equal((await callOverWire(network, { chain })).status, 200)
  })

  test('an agreement of others covers no call, and answers like one that is not there', async () => {
    const agreement = await network.agree({ products: ['items'] })
    const call = (id: string) =>
      ask(mallory, '/x/items/items/7', { headers: { 'comity-purpose': testPurpose, 'comity-agreement': id } })
    const answers = [await call(agreement), await call('urn:uuid:0190a7b0-0000-7000-8000-000000000001')]
    assert.equal(answers[0]?.status, 403)
    assertAlike(answers)
  })
})

test('a client reaches no request for a quota of another, whether it presents its key or signs', async () => {
  await using network = await startKeyNetwork({
    holder(config) {
      const rules = [{ name: 'monthly', by: ['client'], quota: { units: 1_000, per: 'month' } }]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  const { holder } = network
  await addClient(holder)
  await addClient(holder, { id: 'scheduling' })
  const key = await issueKey(holder)
  const [foreign, foreignMac] = [
    await issueKey(holder, {}, 'scheduling'),
    await issueKey(holder, { use: 'hmac' }, 'scheduling'),
  ]
  const requests = { path: '/limits/requests', headers: {} }
  const body = JSON.stringify({ limit: 'monthly', units: 2_000, per: 'month', reason: 'a study' })
  const asked = await send(holder, presentKey(holder, key.text, { ...requests, method: 'POST', body }))
  assert.equal(asked.status, 202, asked.body.toString())
  const { id } = JSON.parse(asked.body.toString()) as { id: string }
  for (const ask of [
    (draft: object) => presentKey(holder, foreign.text, draft),
    (draft: object) => signWithKey(network, foreignMac, draft),
  ]) {
    const to = (place: string) => send(holder, ask({ ...requests, path: `/limits/requests/${place}` }))
    const answers = [await to(id), await to('0190a7f0-0000-7000-8000-000000000000')]
    assert.ok(answers.every(({ status }) => status >= 400))
    assertAlike(answers)
  }
  const own = await send(holder, presentKey(holder, key.text, { ...requests, path: `/limits/requests/${id}` }))
  assert.equal(own.status, 200)
})

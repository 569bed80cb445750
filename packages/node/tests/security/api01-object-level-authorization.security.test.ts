/** OWASP API1:2023. Whoever names an object that is not theirs gets what they would get for one that is not there. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { formatApiKey, parseApiKey } from '@comity/core/api-keys/api-key'
import { assertAlike } from '../comparable-answer.ts'
import { callOverWire, callerKey, chainOf, codeOf } from '../consent-chains.ts'
import { consented, startConsentNetwork, type ConsentNetwork } from '../consent-network.ts'
import { addClient, issueKey, keysOf, presentKey, signWithKey, startKeyNetwork } from '../key-network.ts'
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

test('a key fetches its own successor and no other’s, at both listeners, and learns nothing of another’s rotation', async () => {
  await using network = await startKeyNetwork({
    recipient(config) {
      const listen = config['listen'] as Record<string, object>
      listen['local'] = { ...listen['local'], authentication: 'keys' }
    },
  })
  const { holder, recipient } = network
  const wanted = { method: 'POST', headers: {} }
  for (const node of [holder, recipient]) {
    const kind = node === holder ? {} : { kind: 'application', participant: undefined }
    for (const id of ['billing', 'scheduling']) await addClient(node, { id, ...kind })
    const [mine, foreign] = [await issueKey(node), await issueKey(node, {}, 'scheduling')]
    const ask = async (text: string, more = '', body = '') => {
      if (node === holder)
        return send(holder, presentKey(holder, text, { ...wanted, path: '/keys/renewal', query: `?${more}`, body }))
      const init = { method: 'POST', headers: { 'x-api-key': text }, ...(body === '' ? {} : { body }) }
      const answer = await fetch(recipient.local(`/~keys/renewal${more === '' ? '' : `?${more}`}`), init)
      return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
    }
    const unasked = await ask(foreign.text)
    const keys = await keysOf(node)
    const { rotation } = await keys.rotations.rotate(mine.id, { successor: 'claim', overlapDays: 7 }, 'operator')
    const answers = [unasked, await ask(foreign.text)]
    assert.equal(codeOf(answers[0] as never), 'key-not-rotated')
    assertAlike(answers as never)
    const begun = await keys.rotations.rotate(foreign.id, { successor: 'claim', overlapDays: 7 }, 'operator')
    for (const [more, body] of [
      [`key=${mine.id}`, ''],
      [`rotation=${rotation.id}`, ''],
      ['', JSON.stringify({ key: mine.id, rotation: rotation.id })],
    ]) {
      const answer = await ask(foreign.text, more, body)
      if (answer.status === 201) {
        const { keyId } = JSON.parse(answer.body.toString()) as { keyId: string }
        assert.equal((await keys.showKey(keyId)).client, 'scheduling')
      } else assert.ok(answer.status < 500, answer.body.toString())
    }
    assert.equal((await ask(foreign.text)).status, 201)
    assert.equal((await keys.showRotation(begun.rotation.id)).rotation.to?.length, 8)
    assert.equal((await keys.showRotation(rotation.id)).rotation.to, undefined, 'nothing was fetched of it')
    // The id of one key with the secret of the other.
    const mixed = formatApiKey({ ...parseApiKey(foreign.text), id: mine.id })
    assert.equal(codeOf((await ask(mixed)) as never), 'key-unknown')
  }
  const [mac, foreignMac] = [
    await issueKey(holder, { use: 'hmac' }),
    await issueKey(holder, { use: 'hmac' }, 'scheduling'),
  ]
  const text = formatApiKey({ ...parseApiKey(foreignMac.text), id: mac.id })
  const signed = signWithKey(network, { id: mac.id, text }, { ...wanted, path: '/keys/renewal' })
  assert.equal(codeOf(await send(holder, signed)), 'key-unknown')
})

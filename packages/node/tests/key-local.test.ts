/** API keys of own applications, at the listener of their own node. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createComityClient } from '../../client/src/client.ts'
import { addClient, issueKey, keysOf, startKeyNetwork, type IssuedTestKey } from './key-network.ts'
import { loggedExchange } from './signed-call.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

const path = '/holder/items/items/7'

async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { code: string }).code
}

describe('an application with an API key', () => {
  let network: TestNetwork
  let key: IssuedTestKey
  before(async () => {
    network = await startKeyNetwork({
      recipient(config) {
        Object.assign(config['listen'] as Record<string, object>, {
          local: { ...(config['listen'] as Record<string, object>)['local'], authentication: 'keys' },
        })
      },
    })
    await addClient(network.recipient, { id: 'app', kind: 'application', participant: undefined })
    key = await issueKey(network.recipient, {}, 'app')
  })
  after(() => network[Symbol.asyncDispose]())

  const call = (headers: Record<string, string> = {}, to = path, init: RequestInit = {}) =>
    fetch(network.recipient.local(to), { ...init, headers: { 'comity-purpose': testPurpose, ...headers } })
  const bearer = ({ text }: IssuedTestKey) => ({ authorization: `Bearer ${text}` })

  test('calls, and its key stays at its own node', async () => {
    const { recipient, upstream, holder } = network
    const answer = await call(bearer(key))
    assert.equal(answer.status, 200, await answer.clone().text())
    assert.equal((await call({ 'x-api-key': key.text })).status, 200)
    const event = await loggedExchange(recipient, answer.headers.get('comity-exchange') ?? '')
    assert.deepEqual([event?.role, event?.key], ['recipient', key.id])
    const said = JSON.stringify(upstream.seen) + holder.logged.join('') + recipient.logged.join('')
    assert.ok(!said.includes(key.text))
    const evidence = await recipient.running.parts.exportEvidence(answer.headers.get('comity-exchange') ?? '')
    assert.ok(!JSON.stringify(evidence).includes(key.id), 'nor does the holder learn which application it was')
  })

  test('must present one, a good one, and one only', async () => {
    const { recipient } = network
    const refused = async (headers: Record<string, string>, code: string, to = path) => {
      const answer = await call(headers, to)
      assert.equal(await codeOf(answer), code)
    }
    await refused({}, 'key-required')
    await refused({ authorization: 'Basic eDp5' }, 'key-required')
    await refused({ 'x-api-key': 'something' }, 'key-malformed')
    await refused({ 'x-api-key': key.text.replace(/.$/, '!') }, 'key-malformed')
    await refused({ ...bearer(key), 'x-api-key': key.text }, 'credential-duplicated')
    await refused(bearer(await issueKey(recipient, { use: 'hmac' }, 'app')), 'key-use')
    await refused(bearer(await issueKey(recipient, { environment: 'test' }, 'app')), 'key-environment')
    await refused(bearer(key), 'key-in-query', `${path}?key=${key.text}`)
    await refused(bearer(key), 'key-in-query', `${path}?key=${key.text.replaceAll('_', '%255f')}`)
    await refused({ ...bearer(key), 'x-note': key.text }, 'credential-duplicated')
    await refused({ authorization: `Bearer\t${key.text}` }, 'key-malformed')
    await refused({}, 'key-required', '/~composite')
    await refused({}, 'key-required', '/~keys/renewal')
    const revoked = await issueKey(recipient, {}, 'app')
    assert.equal((await call(bearer(revoked))).status, 200)
    const revoking = (await keysOf(recipient)).keys.revoke(revoked.id, { by: 'operator' })
    await refused(bearer(revoked), 'key-revoked')
    await revoking
  })

  test('keeps to the products of its key, as far as its own node knows them', async () => {
    const { recipient } = network
    const scoped = async (scope: object) => bearer(await issueKey(recipient, { scope }, 'app'))
    assert.equal((await call(await scoped({ products: ['items'] }))).status, 200)
    assert.equal((await call(await scoped({ products: ['holder/items'] }))).status, 200)
    for (const scope of [
      { products: ['open-items'] },
      { products: ['other/items'] },
      { operations: ['items/getItem'] },
      { fields: ['name'] },
    ]) {
      assert.equal(await codeOf(await call(await scoped(scope))), 'key-scope', JSON.stringify(scope))
    }
    const composite = await call(await scoped({ products: ['items'] }), '/~composite', { method: 'POST', body: '{}' })
    assert.equal(await codeOf(composite), 'key-scope')
  })

  test('of a partner is not one of this organisation', async () => {
    const { recipient } = network
    await addClient(recipient, { id: 'theirs', participant: 'holder' })
    assert.equal(await codeOf(await call(bearer(await issueKey(recipient, {}, 'theirs')))), 'key-scope')
  })

  test('calls through the SDK, which tells nobody its key', async () => {
    const options = { node: network.recipient.local(''), purpose: testPurpose }
    const client = createComityClient({ ...options, apiKey: key.text })
    assert.deepEqual((await client.product('holder', 'items').get('/items/7')).data, { id: 7, name: 'item 7' })
    const parts = { one: { partner: 'holder', product: 'items', path: '/items/7' } }
    assert.ok((await client.composite(parts)).parts.one.ok)
    assert.throws(() => createComityClient({ ...options, apiKey: 'cmty_live_wrong' }), /apiKey/)
    assert.throws(
      () => createComityClient({ ...options, apiKey: key.text, headers: { 'X-API-Key': 'x' } }),
      /credential/,
    )
  })
})

test('where nothing must be presented, what is presented is judged all the same', async () => {
  await using network = await startKeyNetwork()
  const { recipient } = network
  await addClient(recipient, { id: 'app', kind: 'application', participant: undefined })
  const key = await issueKey(recipient, {}, 'app')
  const call = (headers: Record<string, string>) =>
    fetch(recipient.local(path), { headers: { 'comity-purpose': testPurpose, ...headers } })
  assert.equal((await call({})).status, 200)
  assert.equal((await call({ 'x-api-key': key.text })).status, 200)
  for (const authorization of [
    `Bearer\t${key.text}`,
    `Token ${key.text.replace('_', '%5f')}`,
    `x, Bearer ${key.text}`,
  ]) {
    assert.equal(await codeOf(await call({ authorization })), 'key-malformed')
  }
  assert.equal(await codeOf(await call({ 'x-api-key': `"${key.text}"` })), 'key-malformed')
  await (await keysOf(recipient)).keys.revoke(key.id, { by: 'operator' })
  assert.equal(await codeOf(await call({ 'x-api-key': key.text })), 'key-revoked')
})

/** OWASP API5:2023. What belongs to another role is not there: every operator's function, on every listener, for everybody
 *  else; every operation that was not agreed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { declaredRoutes } from '../admin-answers.ts'
import { adminOf } from '../admin-call.ts'
import { addClient, issueKey, presentKey, signWithKey, startKeyNetwork } from '../key-network.ts'
import { codeOf } from '../personal-network.ts'
import { assertRefused, send, signCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from '../test-network.ts'

const functions = declaredRoutes.map(({ method, path }) => ({ method, path: path.replaceAll(/\{[^}]+\}/g, 'x') }))

describe('the operator’s functions', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({
      holder: (config) => {
        Object.assign(config['limits'] as object, { failures: { requests: 1_000_000, perSeconds: 1 } })
      },
    })
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test('are all known to this test', () => assert.ok(functions.length > 40, String(functions.length)))

  test('are not on the listener for partners, whoever signs', async () => {
    for (const { method, path } of functions) {
      const body = method === 'GET' ? '' : '{}'
      const answer = await send(network.holder, signCall(network, { method, path, body, headers: {} }))
      assert.equal(codeOf(answer), 'not-found', `${method} ${path}`)
    }
  })

  test('are not on the listener for applications, with the operator’s token neither', async () => {
    const { token } = await adminOf(network.holder)
    for (const { method, path } of functions) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const init = method === 'GET' ? { method, headers } : { method, headers, body: '{}' }
      const answer = await fetch(network.holder.local(path), init)
      const { code } = (await answer.json()) as { code: string }
      // It is no API key; without it `/v1/…` would name a partner `v1`, and there is none.
      assert.equal(code, 'key-malformed', `${method} ${path}`)
      const without = await fetch(network.holder.local(path), { method })
      const { code: other } = (await without.json()) as { code: string }
      assert.ok(['partner-unknown', 'not-found'].includes(other), `${method} ${path}: ${other}`)
    }
  })

  test('are refused on their own listener to everybody without the token, before anything of the call is read', async () => {
    const { call } = await adminOf(network.holder)
    const { headers } = signCall(network)
    const credentials = [
      { authorization: undefined },
      { authorization: 'Bearer wrong' },
      { ...Object.fromEntries(headers.filter(([name]) => name !== 'host')), authorization: undefined },
    ]
    for (const { method, path } of functions) {
      for (const shown of credentials) {
        const answer = await call({ method, path, headers: shown, ...(method === 'GET' ? {} : { rawBody: '{' }) })
        assert.deepEqual([answer.status, (answer.json as { code: string }).code], [401, 'unauthorized'], path)
      }
    }
  })

  test('cannot be reached through an operation: a path or a method in a field changes nothing', async () => {
    const { admin } = network.holder.running.ports
    for (const more of [
      { 'x-original-url': '/v1/status' },
      { 'x-rewrite-url': '/v1/status' },
      { 'x-http-method-override': 'DELETE' },
      { 'x-method-override': 'POST' },
      { 'x-forwarded-host': `127.0.0.1:${admin}` },
      { forwarded: `host=127.0.0.1:${admin}` },
    ]) {
      const call = signCall(network)
      const answer = await send(network.holder, { ...call, headers: [...call.headers, ...Object.entries(more)] })
      assert.equal(answer.body.toString(), '{"id":7,"name":"item 7"}')
      const seen = network.upstream.seen.at(-1)
      assert.deepEqual([seen?.method, seen?.url], ['GET', '/items/7'])
      assert.ok(Object.keys(more).every((name) => !(name in (seen?.headers ?? {}))))
    }
  })
})

describe('who has an API key', () => {
  let network: TestNetwork
  before(async () => {
    network = await startKeyNetwork()
    await addClient(network.holder)
  })
  after(() => network[Symbol.asyncDispose]())

  test('has none of the operator’s functions: not on the listener for partners, not on their own', async () => {
    const { holder } = network
    const [key, signing] = [await issueKey(holder), await issueKey(holder, { use: 'hmac' })]
    const { call } = await adminOf(holder)
    for (const { method, path } of functions) {
      const draft = { method, path, headers: {}, body: method === 'GET' ? '' : '{}' }
      for (const asked of [presentKey(holder, key.text, draft), signWithKey(network, signing, draft)])
        assert.equal(codeOf(await send(holder, asked)), 'not-found', `${method} ${path}`)
    }
    for (const { method, path } of functions) {
      for (const headers of [
        { authorization: `Bearer ${key.text}` },
        { authorization: undefined, 'x-api-key': key.text },
      ]) {
        const answer = await call({ method, path, headers, ...(method === 'GET' ? {} : { rawBody: '{' }) })
        assert.deepEqual([answer.status, (answer.json as { code: string }).code], [401, 'unauthorized'], path)
      }
    }
  })

  test('of an own application has none of them at the listener for applications, renewal of another’s key neither', async () => {
    const { recipient } = network
    await addClient(recipient, { id: 'app', kind: 'application', participant: undefined })
    const key = await issueKey(recipient, {}, 'app')
    const ask = async (method: string, path: string, body?: string) => {
      const headers = { 'x-api-key': key.text, 'content-type': 'application/json' }
      const init = { method, headers, ...(body === undefined ? {} : { body }) }
      return (await fetch(recipient.local(path), init)).json() as Promise<{ code?: string }>
    }
    for (const { method, path } of functions) {
      const { code = '' } = await ask(method, path, method === 'GET' ? undefined : '{}')
      assert.ok(['partner-unknown', 'not-found'].includes(code), `${method} ${path}: ${code}`)
    }
    for (const [method, path] of [
      ['DELETE', '/~keys/renewal'],
      ['PUT', '/~keys/renewal'],
      ['POST', `/~keys/renewal/${key.id}`],
      ['POST', '/~keys'],
      ['GET', '/~keys'],
    ] as const) {
      const { code = '' } = await ask(method, path)
      assert.ok(['method-not-allowed', 'partner-unknown', 'not-found'].includes(code), `${method} ${path}: ${code}`)
    }
  })

  test('has what its scope names, and no operation beside it, whether it is presented or signs', async () => {
    const { holder } = network
    const scope = { products: ['items'], operations: ['items/listItems'] }
    for (const use of ['plain', 'hmac']) {
      const key = await issueKey(holder, { use, scope })
      const ask = (draft: object) =>
        send(holder, use === 'hmac' ? signWithKey(network, key, draft) : presentKey(holder, key.text, draft))
      assert.equal((await ask({ path: '/x/items/items' })).status, 200)
      const earlier = network.upstream.seen.length
      assert.equal(codeOf(await ask({})), 'key-scope')
      assert.equal(codeOf(await ask({ method: 'POST', path: '/x/items/items', body: '{"name":"a"}' })), 'key-scope')
      assert.equal(network.upstream.seen.length, earlier)
    }
  })
})

describe('operations', () => {
  test('that the agreement leaves out are refused, whatever the method is called', async () => {
    await using network = await startTestNetwork()
    await network.agree({ operations: ['listItems'] })
    assert.equal((await send(network.holder, signCall(network, { path: '/x/items/items' }))).status, 200)
    const post = { method: 'POST', path: '/x/items/items', body: '{"name":"a"}' }
    for (const draft of [{}, post]) {
      const { problem } = await assertRefused(network, signCall(network, draft), { code: 'agreement-operation' })
      assert.ok(!JSON.stringify(problem).includes('item 7'))
    }
    for (const method of ['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'get']) {
      const answer = await send(network.holder, signCall(network, { method, path: '/x/items/items' }))
      assert.ok(answer.status >= 400 && answer.status < 500, `${method}: ${answer.status}`)
    }
    const headers = { 'comity-purpose': 'https://w3id.org/dpv#Marketing' }
    await assertRefused(network, signCall(network, { path: '/x/items/items', headers }), { code: 'agreement-purpose' })
    assert.ok(testPurpose !== headers['comity-purpose'])
  })
})

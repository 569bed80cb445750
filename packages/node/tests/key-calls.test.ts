/** API keys on the way to a holder's products: who is let in, as whom, and what is refused with which code. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { formatApiKey, parseApiKey } from '@comity/core/api-keys/api-key'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import {
  addClient,
  answered,
  bareCall,
  issueKey,
  keysOf,
  presentKey,
  productsIn,
  refusedFor,
  signWithKey,
  startKeyNetwork,
  type IssuedTestKey,
} from './key-network.ts'
import { loggedExchange, send, signCall, withField } from './signed-call.ts'
import type { TestNetwork } from './test-network.ts'

describe('a service of a partner with an API key', () => {
  let network: TestNetwork
  let plain: IssuedTestKey
  let hmac: IssuedTestKey
  before(async () => {
    network = await startKeyNetwork({
      holder(config) {
        const { 'open-items': open = {}, items = {} } = productsIn(config)
        const products = config['products'] as object[]
        const like = (product: object, changes: object) => products.push({ ...structuredClone(product), ...changes })
        like(items, { id: 'signed-items', keys: 'hmac' })
        like(items, { id: 'closed-items', keys: 'none' })
        like(open, { id: 'test-items', environment: 'test' })
      },
    })
    await addClient(network.holder)
    await addClient(network.holder, { id: 'visitor', participant: undefined, kind: 'application' })
    plain = await issueKey(network.holder)
    hmac = await issueKey(network.holder, { use: 'hmac' })
  })
  after(() => network[Symbol.asyncDispose]())

  const byX = (key: string) => withField({ ...presentKey(network.holder, key) } as never, 'x-api-key', key)

  test('calls as its participant, with either field, under its agreement', async () => {
    const { holder, recipient } = network
    const answer = await answered(holder, presentKey(holder, plain.text))
    assert.deepEqual(JSON.parse(answer.body.toString()), { id: 7, name: 'item 7' })
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual([claims.aud, claims.key, claims.op], [recipient.did, plain.id, 'getItem'])
    const event = await loggedExchange(holder, claims.jti)
    assert.deepEqual([event?.peer, event?.key, event?.agreement], [recipient.did, plain.id, claims.agr])
    const named = withField(byX(plain.text), 'authorization')
    assert.equal((await send(holder, named)).status, 200)
  })

  test('calls with a signature by its key, over the body too', async () => {
    const { holder, recipient } = network
    await answered(holder, signWithKey(network, hmac))
    const call = signWithKey(network, hmac, { method: 'POST', path: '/x/items/items', body: '{"name":"new"}' })
    const answer = await answered(holder, call, 201)
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual([claims.aud, claims.key], [recipient.did, hmac.id])
    assert.ok(answer.headers.has('signature'))
  })

  test('has evidence that says whose word it is that it asked', async () => {
    const { holder } = network
    const posted = { method: 'POST', path: '/x/items/items', body: '{"name":"new"}' }
    const calls = [presentKey(holder, plain.text, posted), signWithKey(network, hmac)]
    for (const [index, call] of calls.entries()) {
      const answer = await answered(holder, call, index === 0 ? 201 : 200)
      const { evidence } = await holder.running.parts.exportEvidence(answer.headers.get('comity-exchange') ?? '')
      const body = index === 0 ? { body: Buffer.from(posted.body) } : {}
      const report = verifyEvidence(evidence, body)
      assert.ok(report.ok, JSON.stringify(report.checks))
      assert.match(
        report.assumptions.join('\n'),
        /the caller's side is not signed: .* is the word of `did:web:localhost/,
      )
      const names = report.checks.map(({ name }) => name)
      assert.ok(names.includes('request-hash') && !names.includes('request-signature'), names.join())
      const stripped = { ...evidence, receipt: await signedReceipt() }
      assert.equal(verifyEvidence(stripped).ok, false, 'unsigned, and a receipt that names no key')
    }
  })

  /** Of a call that a participant signed. */
  async function signedReceipt(): Promise<string> {
    return (await send(network.holder, signCall(network))).headers.get('comity-receipt') ?? ''
  }

  test('is refused for each bad key with its own code', async () => {
    const { holder, clock } = network
    const present = (key: string, changes = {}) => presentKey(holder, key, changes)
    const { id, secret } = parseApiKey(plain.text)
    const other = formatApiKey({ environment: 'live', id, secret: `${secret.slice(1)}0` })
    const soon = new Date(clock.now() + 60_000).toISOString()
    const wrong = `${plain.text.slice(0, -1)}${plain.text.endsWith('0') ? '1' : '0'}`
    await refusedFor(network, present(wrong), 'key-malformed')
    await refusedFor(network, present('cmty_live_short'), 'key-malformed')
    await refusedFor(network, withField(byX('no key at all'), 'authorization'), 'key-malformed')
    await refusedFor(network, present(other), 'key-unknown')
    await refusedFor(network, present(hmac.text), 'key-use')
    await refusedFor(network, present((await issueKey(holder, { environment: 'test' })).text), 'key-environment')
    await refusedFor(network, present((await issueKey(holder, { networks: ['10.0.0.0/8'] })).text), 'key-network')
    await refusedFor(network, present((await issueKey(holder, { notBefore: soon })).text), 'key-not-yet-valid')
    await refusedFor(network, present((await issueKey(holder, {}, 'visitor')).text), 'key-scope')
    await refusedFor(network, present(plain.text, { path: '/x/closed-items/items/7' }), 'key-use')
    await refusedFor(network, present(plain.text, { path: '/x/signed-items/items/7' }), 'key-use')
    await refusedFor(network, present(plain.text, { path: '/x/nothing/items/7' }), 'not-found')
    await refusedFor(network, bareCall(holder), 'signature-missing')
  })

  test('is told what would do, not what would not', async () => {
    const { holder } = network
    const { id, secret } = parseApiKey(hmac.text)
    const wrong = { id, text: formatApiKey({ environment: 'live', id, secret: `${secret.slice(1)}0` }) }
    const badly = await refusedFor(network, signWithKey(network, wrong), 'key-unknown')
    assert.match(String(badly['detail']), /no such API key, or its secret or signature does not match/)
    const away = await issueKey(holder, { networks: ['10.0.0.0/8'] })
    const there = await refusedFor(network, presentKey(holder, away.text), 'key-network')
    assert.equal(there['address'], '127.0.0.1')
    const ordered = await issueKey(holder, { use: 'hmac', sequence: true })
    const unnumbered = await refusedFor(network, signWithKey(network, ordered), 'sequence-stale')
    assert.match(String(unnumbered['detail']), /has no `Comity-Sequence`/)
    const details = await Promise.all(
      ['items', 'signed-items', 'closed-items'].map(async (product) => {
        const path = `/x/${product}/items/7`
        return String((await refusedFor(network, bareCall(holder, { path }), 'signature-missing'))['detail'])
      }),
    )
    assert.match(details[0] ?? '', /sign the request, or send an API key as `Authorization: Bearer/)
    assert.match(details[1] ?? '', /an API key of the use `hmac`/)
    assert.doesNotMatch(details[2] ?? '', /API key/)
    const { headers } = await send(holder, bareCall(holder))
    assert.equal(headers.get('www-authenticate'), 'Bearer realm="comity"')
  })

  test('is nobody`s stranger with a key in another field, at a public product too; a word like one is no key', async () => {
    const { holder } = network
    const path = '/x/open-items/items/7'
    for (const name of ['apikey', 'x_api_key', 'cookie', 'referer']) {
      for (const at of [path, '/x/items/items/7']) {
        const call = bareCall(holder, { path: at, headers: { [name]: `key=${plain.text}` } })
        await refusedFor(network, call, 'key-malformed')
      }
      const alike = { [name]: `cmty_live_ is how keys begin, ${plain.text.slice(0, -1)}` }
      await answered(holder, bareCall(holder, { path, headers: alike }))
    }
  })

  test('is refused once its key expires, and by a clock that jumped either way', async () => {
    const { holder, clock } = network
    const expires = new Date(clock.now() + 60_000).toISOString()
    const notBefore = new Date(clock.now() - 60_000).toISOString()
    const key = await issueKey(holder, { notBefore, expires })
    await answered(holder, presentKey(holder, key.text))
    clock.offsetMs = 61_000
    await refusedFor(network, presentKey(holder, key.text), 'key-expired')
    clock.offsetMs = -120_000
    await refusedFor(network, presentKey(holder, key.text), 'key-not-yet-valid')
    clock.offsetMs = 0
    await answered(holder, presentKey(holder, key.text))
  })

  test('is refused by the very next call after its key was revoked or disabled', async () => {
    const { holder } = network
    const keys = (await keysOf(holder)).keys
    for (const use of ['plain', 'hmac'] as const) {
      const key = await issueKey(holder, { use })
      const call = () => (use === 'plain' ? presentKey(holder, key.text) : signWithKey(network, key))
      await answered(holder, call())
      await keys.disable(key.id, { by: 'operator' })
      await refusedFor(network, call(), 'key-disabled')
      await keys.enable(key.id)
      await answered(holder, call())
      const revoking = keys.revoke(key.id, { by: 'operator' })
      await refusedFor(network, call(), 'key-revoked')
      await revoking
    }
  })

  test('may send one credential, once, and never in the address', async () => {
    const { holder } = network
    await refusedFor(network, byX(plain.text), 'credential-duplicated')
    const twice = presentKey(holder, plain.text)
    const repeated = { ...twice, headers: [...twice.headers, ['authorization', `Bearer ${plain.text}`] as const] }
    await refusedFor(network, repeated, 'credential-duplicated')
    const named = withField(byX(plain.text), 'authorization')
    await refusedFor(
      network,
      { ...named, headers: [...named.headers, ['x-api-key', hmac.text]] },
      'credential-duplicated',
    )
    for (const call of [signCall(network), signWithKey(network, hmac)]) {
      const both = { ...call, headers: [...call.headers, ['x-api-key', plain.text] as const] }
      await refusedFor(network, both, 'credential-duplicated')
    }
    const escaped = plain.text.replace('cmty', '%63mty').replaceAll('_', '%5F')
    const twiceEscaped = plain.text.replaceAll('_', '%255f')
    for (const query of [
      `?api_key=${plain.text}`,
      `?k=${escaped}`,
      `?a=1&b=Bearer+${plain.text}`,
      `?k=${twiceEscaped}`,
    ]) {
      await refusedFor(network, bareCall(holder, { query }), 'key-in-query')
      await refusedFor(network, presentKey(holder, plain.text, { query }), 'key-in-query')
      await refusedFor(network, signCall(network, { query }), 'key-in-query')
    }
    await refusedFor(network, bareCall(holder, { path: `/x/items/items/${plain.text}` }), 'key-in-query')
  })

  test('is never taken for nobody: a key that is written in another way is refused, also where no key is needed', async () => {
    const { holder } = network
    const path = '/x/open-items/items/7'
    await answered(holder, bareCall(holder, { path }))
    for (const value of [`Bearer\t${plain.text}`, `Basic eDp5, bearer ${plain.text}`, `Token ${plain.text}`]) {
      await refusedFor(network, bareCall(holder, { path, headers: { authorization: value } }), 'key-malformed')
    }
    await refusedFor(network, presentKey(holder, `${plain.text}, Bearer ${plain.text}`, { path }), 'key-malformed')
  })

  test('keeps to the environment of the product', async () => {
    const { holder } = network
    const path = '/x/test-items/items/7'
    await refusedFor(network, presentKey(holder, plain.text, { path }), 'key-environment')
    const key = await issueKey(holder, { environment: 'test' })
    await answered(holder, presentKey(holder, key.text, { path }))
    await answered(holder, bareCall(holder, { path }))
  })

  test('may do no more than its key’s scope', async () => {
    const { holder } = network
    const scoped = await issueKey(holder, { scope: { operations: ['items/getItem'] } })
    await answered(holder, presentKey(holder, scoped.text))
    await refusedFor(network, presentKey(holder, scoped.text, { path: '/x/items/items' }), 'key-scope')
    const elsewhere = await issueKey(holder, { scope: { products: ['open-items'] } })
    await refusedFor(network, presentKey(holder, elsewhere.text), 'key-scope')
    const fields = await issueKey(holder, { scope: { fields: ['name'] } })
    await refusedFor(network, presentKey(holder, fields.text), 'key-scope')
  })

  test('without a participant it opens public products', async () => {
    const { holder } = network
    const key = await issueKey(holder, {}, 'visitor')
    const answer = await answered(holder, presentKey(holder, key.text, { path: '/x/open-items/items/7' }))
    const event = await loggedExchange(holder, answer.headers.get('comity-exchange') ?? '')
    assert.deepEqual([event?.peer, event?.key, answer.headers.has('comity-receipt')], [undefined, key.id, false])
  })

  test('repeats an unsafe call with its idempotency key, which is its own', async () => {
    const { holder, upstream } = network
    const headers = { 'idempotency-key': '"of-the-client"' }
    const call = () =>
      presentKey(holder, plain.text, { method: 'POST', path: '/x/items/items', body: '{"name":"n"}', headers })
    await answered(holder, call(), 201)
    const calledBefore = upstream.seen.length
    assert.ok((await answered(holder, call(), 201)).headers.has('idempotency-replayed'))
    assert.equal(upstream.seen.length, calledBefore)
    const byNode = signCall(network, {
      method: 'POST',
      path: '/x/items/items',
      body: '{"name":"n"}',
      headers: { ...headers, 'comity-purpose': 'https://w3id.org/dpv#ScientificResearch' },
    })
    assert.equal((await send(holder, byNode)).headers.has('idempotency-replayed'), false)
  })

  test('counts the uses of its key', async () => {
    const { holder } = network
    const key = await issueKey(holder)
    for (let index = 0; index < 3; index++) await answered(holder, presentKey(holder, key.text))
    await refusedFor(network, presentKey(holder, key.text, { path: '/x/closed-items/items/7' }), 'key-use')
    const { lastUse } = await (await keysOf(holder)).showKey(key.id)
    assert.deepEqual([lastUse?.uses, lastUse?.network], [4, '127.0.0.0/24'])
  })
})

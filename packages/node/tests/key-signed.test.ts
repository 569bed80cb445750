/** Requests that are signed with an API key: each counts once, as it was signed, also over a restart. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createSigner, httpbis } from 'http-message-signatures'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { signApiRequest } from '../../client/src/sign-api-request.ts'
import {
  addClient,
  answered,
  issueKey,
  newNonce,
  refusedFor,
  signWithKey,
  startKeyNetwork,
  type IssuedTestKey,
} from './key-network.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'
import { send, withField } from './signed-call.ts'

const post = { method: 'POST', path: '/x/items/items', body: '{"name":"new"}' }

describe('a request with a MAC', () => {
  let network: TestNetwork
  let key: IssuedTestKey
  let counting: IssuedTestKey
  before(async () => {
    network = await startKeyNetwork()
    await addClient(network.holder)
    key = await issueKey(network.holder, { use: 'hmac' })
    counting = await issueKey(network.holder, { use: 'hmac', sequence: true })
  })
  after(() => network[Symbol.asyncDispose]())

  const counted = (sequence: string, changes = {}) =>
    signWithKey(network, counting, { headers: { 'comity-sequence': sequence }, ...changes })

  test('is answered once', async () => {
    const call = signWithKey(network, key)
    await answered(network.holder, call)
    await refusedFor(network, call, 'nonce-replayed')
    const again = signWithKey(network, key, post)
    await answered(network.holder, again, 201)
    await refusedFor(network, again, 'nonce-replayed')
  })

  test('is refused with another body, path, query, field or key', async () => {
    const call = signWithKey(network, key, post)
    await refusedFor(network, { ...call, body: '{"name":"two"}' }, 'digest-mismatch')
    await refusedFor(network, { ...call, target: '/x/open-items/items' }, 'key-unknown')
    await refusedFor(network, { ...call, target: '/x/items/items?limit=1' }, 'key-unknown')
    const asSent = call as Parameters<typeof withField>[0]
    await refusedFor(network, withField(asSent, 'comity-purpose', 'urn:x:other'), 'key-unknown')
    const other = call.headers.map(([name, value]) => [name, value.replace(key.id, counting.id)] as const)
    await refusedFor(network, { ...call, headers: other }, 'key-unknown')
    const unknown = call.headers.map(([name, value]) => [name, value.replace(key.id, 'nobody00')] as const)
    await refusedFor(network, { ...call, headers: unknown }, 'key-unknown')
    const plain = await issueKey(network.holder)
    await refusedFor(network, signWithKey(network, plain), 'key-unknown')
  })

  test('is refused outside its time, and by a clock that jumped', async () => {
    const now = Math.floor(network.clock.now() / 1000)
    await refusedFor(network, signWithKey(network, key, { createdAt: now - 200 }), 'signature-stale')
    await refusedFor(network, signWithKey(network, key, { createdAt: now + 200 }), 'signature-stale')
  })

  test('carries a higher number each time, where the key demands it', async () => {
    await answered(network.holder, counted('5'))
    for (const stale of ['5', '4', '0']) await refusedFor(network, counted(stale), 'sequence-stale')
    await refusedFor(network, signWithKey(network, counting), 'sequence-stale')
    for (const malformed of ['-1', '1.5', '06', '1000000000000000', 'x']) {
      await refusedFor(network, counted(malformed), 'malformed-request')
    }
    await answered(network.holder, counted('6'))
    await refusedFor(network, withField(counted('7') as never, 'comity-sequence', '8'), 'key-unknown')
    await answered(network.holder, counted('7'))
  })

  test('of twenty at once with the same number, one is answered', async () => {
    const calls = Array.from({ length: 20 }, () => send(network.holder, counted('50')))
    const statuses = (await Promise.all(calls)).map(({ status }) => status)
    assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.length], [1, 20])
  })

  test('is signed by the SDK, over its body too', async () => {
    const { holder } = network
    const url = `${holder.url}${post.path}?`
    const bare = { 'comity-purpose': testPurpose, 'content-type': 'application/json' }
    const request = { method: 'POST', url, headers: bare, body: post.body }
    const headers = Object.entries(signApiRequest(request, { apiKey: key.text, clock: network.clock }))
    const call = {
      method: 'POST',
      target: post.path,
      headers: [['host', new URL(url).host] as const, ...headers],
      body: post.body,
    }
    await answered(holder, call, 201)
    assert.throws(() => signApiRequest({ method: 'POST', url, body: 'x' }, { apiKey: key.text }), /content-type/)
    assert.throws(
      () => signApiRequest(request, { apiKey: key.text.slice(1) }),
      (error: Error) => !error.message.includes(key.text.slice(20)),
    )
    assert.throws(() => signApiRequest(request, { apiKey: key.text, sequence: 1.5 }), /sequence/)
  })

  test('by another implementation of RFC 9421 is answered', async () => {
    const { holder, clock } = network
    const { secret } = parseApiKey(key.text)
    const path = '/x/items/items/7'
    const now = clock.now()
    const signed = await httpbis.signMessage(
      {
        key: createSigner(Buffer.from(secret), 'hmac-sha256', `cmty_live_${key.id}`),
        fields: ['@method', '@authority', '@path', '@query', 'comity-purpose'],
        params: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
        paramValues: { created: new Date(now), expires: new Date(now + 30_000), nonce: newNonce(), tag: 'comity-req' },
      },
      { method: 'GET', url: holder.url + path, headers: { 'comity-purpose': testPurpose } },
    )
    const headers = Object.entries(signed.headers).map(([name, value]) => [name, String(value)] as const)
    await answered(holder, {
      method: 'GET',
      target: path,
      headers: [['host', new URL(holder.url).host], ...headers],
      body: '',
    })
  })

  test('from before a restart is refused after it, by nonce and by number', async () => {
    const { holder } = network
    const [read, written, numbered] = [signWithKey(network, key), signWithKey(network, key, post), counted('90')]
    await answered(holder, read)
    await answered(holder, written, 201)
    await answered(holder, numbered)
    await holder.stop()
    await holder.start()
    await refusedFor(network, read, 'nonce-replayed')
    await refusedFor(network, written, 'nonce-replayed')
    await refusedFor(network, numbered, 'nonce-replayed')
    await refusedFor(network, counted('90'), 'sequence-stale')
    await answered(holder, counted('91'))
  })
})

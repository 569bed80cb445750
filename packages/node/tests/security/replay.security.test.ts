/** What was sent once is worth nothing a second time: at once, later, elsewhere, to another purpose. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { signSecurityEvent } from '@comity/core/events/security-event'
import { exchangeUnknown } from '@comity/core/events/event-types'
import { addClient, issueKey, newNonce, signWithKey, startKeyNetwork } from '../key-network.ts'
import { startLyingHolder, write, type HeardRequest } from '../lying-holder.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall, withField } from '../signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from '../test-network.ts'

describe('a captured message', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test('that is sent many times at once is answered once, and the API is called once', async () => {
    const post = { method: 'POST', path: '/x/items/items', body: '{"name":"new"}' }
    for (const draft of [{}, post]) {
      const earlier = network.upstream.seen.length
      const call = signCall(network, draft)
      const codes = (await Promise.all(Array.from({ length: 25 }, () => send(network.holder, call)))).map(codeOf)
      assert.deepEqual(codes.toSorted().filter((code) => code !== 'nonce-replayed').length, 1, codes.join())
      assert.equal(network.upstream.seen.length, earlier + 1)
    }
  })

  test('that is sent with another nonce in its field is another message, and unsigned', async () => {
    const call = signCall(network)
    const input = call.headers.find(([name]) => name === 'signature-input')?.[1] ?? ''
    const changed = withField(
      call,
      'signature-input',
      input.replace(/nonce="./, (text) => `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`),
    )
    assert.equal(codeOf(await send(network.holder, changed)), 'signature-invalid')
  })

  test('with a written body is refused with a second body under the same key, and its idempotency key covers no other', async () => {
    const headers = { 'comity-purpose': testPurpose, 'idempotency-key': '"once"' }
    const post = (body: string) => signCall(network, { method: 'POST', path: '/x/items/items', body, headers })
    assert.equal((await send(network.holder, post('{"name":"a"}'))).status, 201)
    const earlier = network.upstream.seen.length
    assert.equal((await send(network.holder, post('{"name":"a"}'))).status, 201)
    assert.equal((await send(network.holder, post('{"name":"b"}'))).status, 422)
    assert.equal(network.upstream.seen.length, earlier)
  })

  test('for one node is refused by every other', async () => {
    const call = signCall(network)
    for (const target of [network.recipient]) {
      const readdressed = withField(call, 'host', new URL(target.url).host)
      assert.ok((await send(target, readdressed)).status >= 400)
    }
  })

  test('of an event is taken once: a second one changes nothing, another’s not at all', async () => {
    const { identity } = network.recipient.running.parts.foundation
    const now = Math.floor(network.clock.now() / 1_000)
    const claims = {
      iss: network.recipient.did,
      aud: network.holder.did,
      jti: randomUUID(),
      iat: now,
      toe: now,
      events: { [exchangeUnknown]: { exchange: randomUUID() } },
    }
    const post = (body: string) =>
      send(network.holder, {
        method: 'POST',
        target: '/events',
        headers: [
          ['host', new URL(network.holder.url).host],
          ['content-type', 'application/secevent+jwt'],
        ],
        body,
      })
    const logged = async () => {
      const events = await network.holder.running.parts.auditLog.readEvents({ limit: 100_000 })
      return events.filter(({ type }) => type !== 'exchange' && type !== 'refusals').length
    }
    const elsewhere = signSecurityEvent({ ...claims, aud: 'did:web:other.example' }, identity.assertionKey())
    assert.equal((await post(elsewhere)).status, 400)
    const earlier = await logged()
    const token = signSecurityEvent(claims, identity.assertionKey())
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(token)))
    assert.ok(
      answers.every(({ status }) => status === 202),
      answers.map(({ body }) => body.toString()).join(),
    )
    assert.equal(await logged(), earlier + 1)
  })
})

describe('a captured message that was signed with an API key', () => {
  let network: TestNetwork
  before(async () => {
    network = await startKeyNetwork()
    await addClient(network.holder)
  })
  after(() => network[Symbol.asyncDispose]())

  const codes = async (call: ReturnType<typeof signWithKey>, times: number) =>
    (await Promise.all(Array.from({ length: times }, () => send(network.holder, call)))).map(codeOf)

  test('is answered once, at products and at the routes for keys, however often and how fast it comes', async () => {
    const key = await issueKey(network.holder, { use: 'hmac' })
    for (const draft of [
      {},
      { method: 'POST', path: '/x/items/items', body: '{"name":"new"}' },
      { path: '/keys/renewal', headers: {} },
      { path: '/limits/requests', headers: {} },
    ]) {
      const earlier = network.upstream.seen.length
      const told = await codes(signWithKey(network, key, draft), 10)
      assert.equal(told.filter((code) => code !== 'nonce-replayed').length, 1, `${draft.path}: ${told.join()}`)
      assert.equal(network.upstream.seen.length, earlier + (draft.path?.startsWith('/x/') === false ? 0 : 1))
    }
  })

  test('is worth nothing at another route, under another nonce or later', async () => {
    const key = await issueKey(network.holder, { use: 'hmac' })
    const call = signWithKey(network, key, { path: '/keys/renewal', headers: {} })
    for (const target of ['/limits/requests', '/x/items/items/7'])
      assert.equal(codeOf(await send(network.holder, { ...call, target })), 'key-unknown', target)
    const headers = call.headers.map(
      ([name, value]) => [name, value.replace(/nonce="[^"]+"/, `nonce="${newNonce()}"`)] as const,
    )
    assert.equal(codeOf(await send(network.holder, { ...call, headers })), 'key-unknown')
    const createdAt = Math.floor(network.clock.now() / 1_000) - 600
    assert.equal(codeOf(await send(network.holder, signWithKey(network, key, { createdAt }))), 'signature-stale')
  })

  test('is refused by its number also where the nonce is another, and after a restart', async () => {
    const key = await issueKey(network.holder, { use: 'hmac', sequence: true })
    const numbered = (sequence: number) =>
      signWithKey(network, key, { headers: { 'comity-purpose': testPurpose, 'comity-sequence': String(sequence) } })
    const seven = await Promise.all(Array.from({ length: 10 }, () => send(network.holder, numbered(7))))
    assert.deepEqual(seven.map(({ status }) => status).toSorted(), [200, ...Array.from({ length: 9 }, () => 401)])
    await network.holder.stop()
    await network.holder.start()
    for (const stale of [7, 6]) assert.equal(codeOf(await send(network.holder, numbered(stale))), 'sequence-stale')
    assert.equal((await send(network.holder, numbered(8))).status, 200)
  })
})

test('the answer to one request is no answer to another, though the same node asked', async () => {
  await using network = await startTestNetwork()
  await using liar = await startLyingHolder(network, await network.agree())
  const call = () =>
    fetch(network.recipient.local('/holder/items/items/7'), { headers: { 'comity-purpose': testPurpose } })
  let first: HeardRequest | undefined
  liar.behave = (request, response) => {
    first ??= request
    write(response, liar.answer(request))
  }
  assert.equal((await call()).status, 200)
  liar.behave = (request, response) =>
    write(response, liar.answer(request, first === undefined ? {} : { request: first }))
  const replayed = await call()
  assert.equal(replayed.status, 502)
  assert.doesNotMatch(await replayed.text(), /planted/)
})

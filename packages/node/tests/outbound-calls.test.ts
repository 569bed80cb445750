/** The way out: what an application's own node refuses, repeats and keeps from being done twice. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, beforeEach, describe, test } from 'node:test'
import { loggedExchange } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

interface ProblemAnswer {
  readonly status: number
  readonly code: string | undefined
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

const json = 'application/json'

describe('the way out', () => {
  let network: TestNetwork
  let agreementId: string
  before(async () => {
    network = await startTestNetwork()
    agreementId = await network.agree()
    // A public authority that vouches for nothing here, and addresses that only this machine has.
    const { partners } = network.recipient.running.parts.counterparts
    await partners.add({ alias: 'inside', did: 'did:web:inside.example', url: 'https://10.1.2.3', fingerprints: [] })
    await partners.add({
      alias: 'metadata',
      did: 'did:web:m.example',
      url: 'https://169.254.169.254',
      fingerprints: [],
    })
    await partners.add({ alias: 'low-port', did: 'did:web:p.example', url: 'https://127.0.0.1:22', fingerprints: [] })
    await partners.add({ alias: 'gone', did: 'did:web:gone.example', url: 'https://127.0.0.1:9999', fingerprints: [] })
  })
  beforeEach(() => {
    network.upstream.behave = undefined
  })
  after(() => network[Symbol.asyncDispose]())

  async function call(path: string, init: RequestInit = {}): Promise<ProblemAnswer> {
    const headers = { 'comity-purpose': testPurpose, ...init.headers }
    const answer = await fetch(network.recipient.local(path), { ...init, headers })
    const text = await answer.text()
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    return { status: answer.status, code: body['code'] as string | undefined, headers: answer.headers, body }
  }
  const post = (name: string, headers: Record<string, string> = {}) =>
    call('/holder/items/items', {
      method: 'POST',
      body: JSON.stringify({ name }),
      headers: { 'content-type': json, ...headers },
    })
  const seen = () => network.upstream.seen.length

  test('what the own node refuses is told like every refusal: in the log, a line and the meters, with whose API it was for', async () => {
    const { logged } = network.recipient
    const refused = await call('/holder/items/items/7', { headers: { 'comity-purpose': 'https://p.example/other' } })
    const unknown = await call('/nobody/items/items/7')
    const idOf = ({ headers }: ProblemAnswer) => headers.get('comity-exchange') ?? ''
    const lineOf = (answer: ProblemAnswer) =>
      logged.map((line) => JSON.parse(line) as Record<string, unknown>).find(({ id }) => id === idOf(answer)) ?? {}
    const { event, direction, code, peer, product, status } = lineOf(refused)
    const told = ['exchange.denied', 'outbound', 'agreement-purpose', network.holder.did, 'items', 403]
    assert.deepEqual([event, direction, code, peer, product, status], told)
    assert.deepEqual([lineOf(unknown)['code'], 'peer' in lineOf(unknown)], ['partner-unknown', false])
    const entry = await loggedExchange(network.recipient, idOf(refused))
    assert.deepEqual([entry?.peer, entry?.product, entry?.outcome], [network.holder.did, 'items', 'denied'])
    const metrics = await network.recipient.running.parts.foundation.metrics.text()
    assert.match(metrics, /comity_denials_total\{direction="outbound",code="agreement-purpose"\} 1\n/)
  })

  test('refuses a partner that is not known, and paths that name none', async () => {
    for (const path of ['/nobody/items/items/7', '/did:web:nobody.example/items/items/7']) {
      const { status, code, headers } = await call(path)
      assert.deepEqual([status, code], [404, 'partner-unknown'])
      const event = await loggedExchange(network.recipient, headers.get('comity-exchange') ?? '')
      assert.deepEqual([event?.outcome, event?.problem], ['denied', 'partner-unknown'])
    }
    for (const path of ['/', '/holder', '/holder/', '/holder/Items/7', '//holder/items/items/7']) {
      assert.ok(['not-found', 'malformed-request'].includes((await call(path)).code ?? ''), path)
    }
  })

  test('tells of a refusal to HEAD, which has no content, what is signed: status and receipt', async () => {
    for (const [path, status] of [
      ['/holder/items/nothing', 404],
      ['/holder/items/items/7', 405],
      ['/holder/items/items', 405],
    ] as const) {
      const { headers, ...refused } = await call(path, { method: 'HEAD' })
      assert.deepEqual([refused.status, headers.get('content-type')], [status, 'application/problem+json'])
      const claims = headers.get('comity-receipt')?.split('.')[1] ?? ''
      const { jti } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { jti: string }
      const events = [
        await loggedExchange(network.recipient, headers.get('comity-exchange') ?? ''),
        await loggedExchange(network.holder, jti),
      ]
      for (const event of events) assert.deepEqual([event?.outcome, event?.status], ['denied', status])
    }
  })

  test('finds a partner by alias and by DID', async () => {
    const did = network.holder.did
    for (const name of ['holder', did, encodeURIComponent(did)]) {
      assert.equal((await call(`/${name}/items/items/7`)).status, 200, name)
    }
  })

  test('asks to choose between agreements, and sends the one that is named', async () => {
    const second = await network.agree()
    const refused = await call('/holder/items/items/7')
    assert.equal(refused.code, 'agreement-ambiguous')
    assert.match(String(refused.body['detail']), /name one in the field `Comity-Agreement`/)
    assert.deepEqual(new Set(refused.body['agreements'] as string[]), new Set([agreementId, second]))
    const chosen = await call('/holder/items/items/7', { headers: { 'comity-agreement': second } })
    assert.equal(chosen.status, 200)
    await network.recipient.running.parts.counterparts.agreements.terminate(second, 'one is enough')
    assert.equal((await call('/holder/items/items/7')).status, 200)
  })

  test('leaves the choice to the holder where the operation tells agreements apart', async () => {
    const end = async (id: string) => {
      for (const { running } of [network.holder, network.recipient]) {
        await running.parts.counterparts.agreements.terminate(id, 'another one')
      }
    }
    await end(agreementId)
    const [reading, writing] = [
      await network.agree({ operations: ['getItem'] }),
      await network.agree({ operations: ['createItem'] }),
    ]
    const agreementOf = async ({ status, headers }: ProblemAnswer) => [
      status,
      (await loggedExchange(network.recipient, headers.get('comity-exchange') ?? ''))?.agreement,
    ]
    assert.deepEqual(await agreementOf(await call('/holder/items/items/7')), [200, reading])
    assert.deepEqual(await agreementOf(await post('chosen')), [201, writing])
    agreementId = await network.agree()
    const refused = await call('/holder/items/items/7')
    assert.deepEqual([refused.status, refused.code], [409, 'agreement-ambiguous'])
    assert.deepEqual(new Set(refused.body['agreements'] as string[]), new Set([agreementId, reading]))
    for (const id of [reading, writing]) await end(id)
  })

  test('never reaches addresses that the guard forbids, whatever a partner’s address says', async () => {
    for (const alias of ['inside', 'metadata', 'low-port']) {
      const { status, code, headers } = await call(`/${alias}/items/items/7`)
      assert.deepEqual([status, code], [403, 'address-forbidden'], alias)
      const event = await loggedExchange(network.recipient, headers.get('comity-exchange') ?? '')
      assert.deepEqual([event?.outcome, event?.problem], ['failed', 'address-forbidden'])
    }
  })

  test('says so when the partner’s node cannot be reached, after more than one try', async () => {
    const startedMs = performance.now()
    const { status, code } = await call('/gone/items/items/7')
    assert.deepEqual([status, code], [502, 'partner-unreachable'])
    assert.ok(performance.now() - startedMs < 20_000)
  })

  test('tries a read again when the holder’s API hangs up on it', async () => {
    const seenBefore = seen()
    let failures = 2
    network.upstream.behave = (_: IncomingMessage, response: ServerResponse) => {
      response.setHeader('content-type', json)
      if (failures-- > 0) response.destroy()
      else response.end('{"id":7,"name":"item 7"}')
    }
    assert.equal((await call('/holder/items/items/7')).status, 200)
    assert.equal(seen() - seenBefore, 3)
  })

  test('sends a write without an idempotency key once only, whatever comes back', async () => {
    const seenBefore = seen()
    network.upstream.behave = (_: IncomingMessage, response: ServerResponse) => void response.writeHead(503).end()
    const { status, code } = await post('once')
    assert.deepEqual([status, code], [502, 'upstream-error'])
    network.upstream.behave = (_: IncomingMessage, response: ServerResponse) => void response.destroy()
    assert.equal((await post('once more')).code, 'upstream-lost')
    assert.equal(seen() - seenBefore, 2)
  })

  test('makes a call with an idempotency key once, and answers it as often as it is asked', async () => {
    const seenBefore = seen()
    const key = { 'idempotency-key': '"order-1"' }
    const first = await post('a', key)
    assert.equal(first.status, 201)
    assert.equal(first.headers.get('idempotency-replayed'), null)
    const again = await post('a', key)
    assert.deepEqual([again.status, again.body], [201, first.body])
    assert.notEqual(again.headers.get('idempotency-replayed'), null)
    assert.notEqual(again.headers.get('comity-receipt'), first.headers.get('comity-receipt'))
    assert.equal(seen() - seenBefore, 1)
    const other = await post('b', key)
    assert.deepEqual([other.status, other.code], [422, 'idempotency-key-reused'])
    const wrong = await post('b', { 'idempotency-key': 'unquoted' })
    assert.deepEqual([wrong.status, wrong.code], [400, 'idempotency-key-invalid'])
    assert.equal(seen() - seenBefore, 1)
  })

  test('remembers the answer to an idempotency key over a restart of the holder', async () => {
    const seenBefore = seen()
    await network.holder.stop()
    await network.holder.start()
    const again = await post('a', { 'idempotency-key': '"order-1"' })
    assert.equal(again.status, 201)
    assert.equal(seen(), seenBefore)
  })

  test('refuses a call whose key is that of one under way, and says when to come back', async () => {
    const arrived = Promise.withResolvers<() => void>()
    network.upstream.behave = (_: IncomingMessage, response: ServerResponse) => {
      response.setHeader('content-type', json)
      arrived.resolve(() => response.writeHead(201).end('{"id":3,"name":"slow"}'))
    }
    const seenBefore = seen()
    const key = { 'idempotency-key': '"order-2"' }
    const first = post('slow', key)
    const finish = await arrived.promise
    const second = await post('slow', key)
    assert.deepEqual([second.status, second.code], [409, 'idempotency-in-progress'])
    assert.ok(Number(second.headers.get('retry-after')) >= 1)
    finish()
    assert.equal((await first).status, 201)
    assert.equal((await post('slow', key)).status, 201)
    assert.equal(seen() - seenBefore, 1)
  })

  test('says that an outcome is not known rather than doing a write again', async () => {
    const seenBefore = seen()
    network.upstream.behave = (_: IncomingMessage, response: ServerResponse) => void response.destroy()
    const key = { 'idempotency-key': '"order-3"' }
    const first = await post('lost', key)
    network.upstream.behave = undefined
    const again = await post('lost', key)
    assert.ok(first.status >= 500 || first.code === 'outcome-unknown', `${first.status} ${first.code}`)
    assert.deepEqual([again.status, again.code], [409, 'outcome-unknown'])
    assert.equal(seen() - seenBefore, 1)
  })

  test('refuses web pages, and names that were made to point here', async () => {
    const { local } = network.recipient.running.ports
    const refused: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${local}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { host: 'evil.example' },
      { host: `localhost.evil.example:${local}` },
      { host: '127.0.0.1.evil.example' },
      { host: `169.254.169.254:${local}` },
    ]
    for (const headers of refused) {
      const seenBefore = seen()
      const { status, code } = await bareCall(local, headers)
      assert.deepEqual([status, code], [403, 'local-caller-refused'], JSON.stringify(headers))
      assert.equal(seen(), seenBefore)
    }
    assert.equal((await bareCall(local, { host: `localhost:${local}` })).status, 200)
  })

  async function bareCall(port: number, headers: Record<string, string>) {
    const usual = { host: `127.0.0.1:${port}`, 'comity-purpose': testPurpose }
    const path = '/holder/items/items/7'
    const sent = request({ host: '127.0.0.1', port, path, headers: { ...usual, ...headers }, agent: false }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of answer.setEncoding('utf8')) text += String(chunk)
    return { status: answer.statusCode, code: (JSON.parse(text) as { code?: string }).code }
  }
})

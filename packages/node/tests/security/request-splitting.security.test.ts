/** Where a message ends is never in doubt: nothing rides behind another's signature, on another's connection, or in a
 *  value that becomes a message of its own. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { openTarget, talk, type FuzzTarget } from '../fuzz-kit.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall, type SignedCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose } from '../test-network.ts'

describe('a holder', () => {
  let target: FuzzTarget
  before(async () => {
    target = await openTarget()
  })
  after(() => target[Symbol.asyncDispose]())

  /** The call as bytes, with these lines for the length of its body and this after its head. */
  function bytesOf(call: SignedCall, lines: readonly string[], rest: string): Buffer {
    const fields = call.headers.map(([name, value]) => `${name}: ${value}`)
    return Buffer.from(`${[`${call.method} ${call.target} HTTP/1.1`, ...fields, ...lines].join('\r\n')}\r\n\r\n${rest}`)
  }

  const post = () =>
    signCall(target.network, {
      method: 'POST',
      path: '/x/items/items',
      body: '{"name":"a"}',
      headers: { 'comity-purpose': testPurpose },
    })
  const chunked = (body: string, more = '') => `${body.length.toString(16)}${more}\r\n${body}\r\n0\r\n\r\n`

  test('takes a signed call in chunks as it takes one of a length', async () => {
    const call = post()
    const { answers } = await talk(
      target.places.public,
      [bytesOf(call, ['Transfer-Encoding: chunked', 'Connection: close'], chunked(call.body))],
      { patienceMs: 30_000 },
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201],
    )
  })

  const smuggled = (authority: string) => `GET /x/open-items/items/666 HTTP/1.1\r\nHost: ${authority}\r\n\r\n`
  const lengths: Record<string, (call: SignedCall, hidden: string) => [string[], string]> = {
    'both lengths, the hidden one behind the chunks': (call, hidden) => [
      [`Content-Length: ${chunked(call.body).length + hidden.length}`, 'Transfer-Encoding: chunked'],
      chunked(call.body) + hidden,
    ],
    'both lengths, the hidden one behind the length': (call, hidden) => [
      ['Transfer-Encoding: chunked', `Content-Length: ${call.body.length}`],
      call.body + hidden,
    ],
    'two lengths': (call, hidden) => [
      [`Content-Length: ${call.body.length}`, `Content-Length: ${call.body.length + hidden.length}`],
      call.body + hidden,
    ],
    'a coding that hides': (call, hidden) => [
      ['Transfer-Encoding: xchunked', `Content-Length: ${call.body.length}`],
      call.body + hidden,
    ],
    'two codings': (call, hidden) => [
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
      chunked(call.body) + hidden,
    ],
    'a coding after a tab and in capitals': (call, hidden) => [
      [`Content-Length: ${call.body.length}`, 'Transfer-Encoding:\tCHUNKED'],
      call.body + hidden,
    ],
    'a coding with a space before its colon': (call, hidden) => [
      [`Content-Length: ${call.body.length}`, 'Transfer-Encoding : chunked'],
      call.body + hidden,
    ],
    'a length with a sign': (call, hidden) => [[`Content-Length: +${call.body.length}`], call.body + hidden],
    'a length behind a line feed': (call, hidden) => [
      [`X: a\nContent-Length: ${call.body.length}`],
      call.body + hidden,
    ],
    'a chunk that says less than it has': (call, hidden) => [
      ['Transfer-Encoding: chunked'],
      `4\r\n${call.body}\r\n0\r\n\r\n${hidden}`,
    ],
    'a chunk of no hexadecimal size': (call, hidden) => [
      ['Transfer-Encoding: chunked'],
      `0x${call.body.length.toString(16)}\r\n${call.body}\r\n0\r\n\r\n${hidden}`,
    ],
    'chunks that end with line feeds': (call, hidden) => [
      ['Transfer-Encoding: chunked'],
      `${call.body.length.toString(16)}\n${call.body}\n0\n\n${hidden}`,
    ],
  }
  for (const [name, make] of Object.entries(lengths)) {
    test(`answers no hidden request: ${name}`, async () => {
      const call = post()
      const [lines, rest] = make(call, smuggled(target.authority))
      const earlier = target.network.upstream.seen.length
      const talked = await talk(target.places.public, [bytesOf(call, lines, rest)], { patienceMs: 30_000 })
      const called = target.network.upstream.seen.slice(earlier)
      assert.ok(!called.some(({ url }) => url.includes('666')), JSON.stringify(called))
      assert.ok(
        talked.answers.every(({ status }) => status >= 400),
        talked.answers.map(({ status }) => status).join(),
      )
      assert.ok(talked.isClosed)
    })
  }

  test('adds nothing to a message from its trailers or from the extensions of its chunks', async () => {
    const call = post()
    const earlier = target.network.upstream.seen.length
    const body = chunked(call.body, ';comity-subject="x"').replace(
      /0\r\n\r\n$/,
      '0\r\nComity-Subject: x\r\nX-More: x\r\n\r\n',
    )
    const lines = ['Transfer-Encoding: chunked', 'Trailer: comity-subject', 'Connection: close']
    const { answers } = await talk(target.places.public, [bytesOf(call, lines, body)], { patienceMs: 30_000 })
    assert.equal(answers.length, 1)
    const seen = target.network.upstream.seen.slice(earlier)
    assert.ok(
      seen.every(({ headers }) => !('comity-subject' in headers) && !('x-more' in headers) && !('trailer' in headers)),
    )
  })

  test('judges each request on a connection for itself: who was known a moment ago is not known now', async () => {
    const call = signCall(target.network)
    const unsigned = `GET /x/items/items/8 HTTP/1.1\r\nHost: ${target.authority}\r\nConnection: close\r\n\r\n`
    const earlier = target.network.upstream.seen.length
    const { answers } = await talk(target.places.public, [bytesOf(call, [], unsigned)], { patienceMs: 30_000 })
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401],
    )
    assert.equal(target.network.upstream.seen.length, earlier + 1)
  })

  test('makes of no value a line of its own on the way to the API', async () => {
    const { network } = target
    for (const path of [
      '/x/items/items/7%0d%0aX-Injected:%201',
      '/x/items/items/7%20HTTP/1.1%0d%0aX-Injected:%201',
      '/x/items/items/7%00',
      '/x/items/items/7%0a',
    ]) {
      const earlier = network.upstream.seen.length
      const answer = await send(network.holder, signCall(network, { path }))
      assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`)
      assert.equal(network.upstream.seen.length, earlier)
    }
    const answer = await send(
      network.holder,
      signCall(network, { path: '/x/items/items', query: '?limit=1%0d%0aX: 1' }),
    )
    assert.ok(answer.status >= 400, codeOf(answer))
  })

  test('is unharmed', () => target.assertUnharmed())
})

test('an API whose answer holds a second one is not believed, and not asked for more on that connection', async () => {
  let connections = 0
  const hidden =
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{"id":8,"name":"planted"}'
  const first = '{"id":7,"name":"first"}'
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {})
    socket.once('data', () =>
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${first.length}\r\n\r\n${first}${hidden}`,
      ),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  {
    await using network = await startTestNetwork({
      holder: (config) => {
        for (const product of config['products'] as Record<string, unknown>[]) product['upstream'] = url
      },
    })
    await network.agree()
    for (let call = 0; call < 3; call++) {
      const answer = await send(network.holder, signCall(network))
      assert.doesNotMatch(answer.body.toString(), /planted/)
    }
    assert.ok(connections >= 3, String(connections))
  }
  server.close()
})

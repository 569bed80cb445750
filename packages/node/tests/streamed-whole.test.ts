/** Streamed answers for who cannot take them as they come: an application on HTTP/1.0 gets the whole, once it is proven. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { eventsOf, startStreamNetwork } from './stream-network.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

const row = (id: number) => `{"id":${id},"name":"Kestrel"}\n`

let network: TestNetwork
before(async () => {
  network = await startStreamNetwork({ limits: { streamIdleMs: 800 }, network: { timeoutMs: 2_000 } })
})
after(() => network[Symbol.asyncDispose]())
beforeEach(() => {
  network.upstream.behave = (_, response) =>
    void response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(row(1) + row(2))
})

/** An answer to HTTP/1.0, which ends when the connection does: nothing tells a cut. */
async function readOld(path: string) {
  const { hostname, port, host, pathname } = new URL(network.recipient.local(`/holder/samples${path}`))
  const socket = connect(Number(port), hostname)
  socket.write(`GET ${pathname} HTTP/1.0\r\nHost: ${host}\r\nComity-Purpose: ${testPurpose}\r\n\r\n`)
  const [head = '', ...body] = (await text(socket)).split('\r\n\r\n')
  const [line = '', ...fields] = head.split('\r\n')
  const headers = new Map(
    fields.map((field) => [field.split(':', 1)[0]?.toLowerCase(), field.replace(/^[^:]*: */, '')]),
  )
  return { status: Number(line.split(' ')[1]), headers, text: body.join('\r\n\r\n') }
}

async function newOf(node: TestNetwork['holder'], earlier: number) {
  return (await eventsOf(node)).slice(earlier)
}

/** A call that the node makes for itself, as for the replicas that it keeps. */
function callFor(wholeUpTo: number, takesStream: boolean) {
  const headers = new Map([['comity-purpose', testPurpose]])
  return network.recipient.running.parts.gateway.call({
    request: {
      method: 'GET',
      authority: '',
      path: '/holder/samples/ndjson',
      query: '?',
      headers,
      header: (name) => headers.get(name),
      remoteAddress: '',
      clientKeyFingerprint: undefined,
    },
    body: () => new Uint8Array(0),
    takesStream,
    wholeUpTo,
  })
}

test('an application on HTTP/1.0 gets the whole of a streamed answer, with its length and its receipt', async () => {
  const earlier = await eventsOf(network.recipient)
  const answer = await readOld('/ndjson')
  assert.deepEqual([answer.status, answer.text], [200, row(1) + row(2)])
  assert.equal(answer.headers.get('content-length'), String(answer.text.length))
  assert.equal(answer.headers.has('trailer'), false)
  const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
  const [event, ...others] = await newOf(network.recipient, earlier.length)
  assert.deepEqual(others, [])
  assert.deepEqual([event?.outcome, event?.id, event?.responseHash], ['allowed', claims.jti, claims.res])
  assert.deepEqual(event?.streamed, { bytes: answer.text.length })
})

test('of an answer that breaks before its end nothing is handed over', async () => {
  const earlier = await eventsOf(network.recipient)
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write(row(1))
    setTimeout(() => response.destroy(), 100)
  }
  const answer = await readOld('/ndjson')
  assert.equal(answer.status, 502)
  assert.equal((JSON.parse(answer.text) as { code: string }).code, 'stream-cut')
  assert.doesNotMatch(answer.text, /Kestrel/)
  const [event, ...others] = await newOf(network.recipient, earlier.length)
  assert.deepEqual(
    [event?.outcome, event?.problem, event?.streamed, others],
    ['failed', 'stream-cut', { bytes: row(1).length }, []],
  )
})

test('an answer that goes on for longer than any other may take is given up, or passed on where a stream is taken', async () => {
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write(row(1)), 50)
    response.once('close', () => clearInterval(timer))
  }
  const [answer, passed] = await Promise.all([readOld('/ndjson'), callFor(1_000_000, true)])
  assert.deepEqual([answer.status, (JSON.parse(answer.text) as { code: string }).code], [504, 'partner-timeout'])
  let taken = 0
  const gone = passed.stream?.send({
    write: async (chunk) => {
      taken += chunk.length
      if (taken > 20 * row(1).length) throw new Error('enough')
    },
    onGone: () => undefined,
  })
  await assert.rejects(gone ?? Promise.resolve())
  assert.ok(taken > 20 * row(1).length)
})

test('one byte over what is held is refused, or passed on from its beginning where a stream is taken', async () => {
  const whole = row(1) + row(2)
  const held = await callFor(whole.length, false)
  assert.deepEqual([held.status, Buffer.from(held.body).toString(), held.stream], [200, whole, undefined])
  const refused = await callFor(whole.length - 1, false)
  const problem = JSON.parse(Buffer.from(refused.body).toString()) as { code: string; limitBytes: number }
  assert.deepEqual([refused.status, problem.code, problem.limitBytes], [502, 'stream-too-large', whole.length - 1])

  const passed = await callFor(whole.length - 1, true)
  let taken = ''
  const trailers = await passed.stream?.send({
    write: async (chunk) => void (taken += Buffer.from(chunk).toString()),
    onGone: () => undefined,
  })
  assert.deepEqual([passed.status, taken, trailers?.[0]], [200, whole, 'content-digest'])
})

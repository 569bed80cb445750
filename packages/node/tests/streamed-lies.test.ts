/** Streamed answers of a holder that lies, or of whoever sits between: what does not verify at its end never ends for the
 *  application. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { signResponse } from '@comity/core/http-signatures/profile-response'
import { startLyingHolder, type HeardRequest, type Lie, type LyingHolder } from './lying-holder.ts'
import { eventsOf, newEvents, open, read, type SeenAnswer } from './stream-network.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

/** A streamed answer, of which a test changes something before or after it is signed. */
interface Streamed {
  readonly status: number
  readonly head: Record<string, string>
  readonly parts: string[]
  readonly trailers: Record<string, string>
}

let network: TestNetwork
let liar: LyingHolder
before(async () => {
  network = await startTestNetwork()
  liar = await startLyingHolder(network, await network.agree())
})
after(async () => {
  await liar[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

const text = '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n'

function streamed(request: HeardRequest, lie: Lie = {}): Streamed {
  const body = lie.body ?? text
  const { headers } = liar.answer(request, { ...lie, body })
  const head = { 'content-type': 'application/x-ndjson' }
  const fields: Record<string, string> = {
    'content-digest': contentDigest(Buffer.from(body)),
    'comity-receipt': headers['comity-receipt'] ?? '',
  }
  const { status = 200, request: other = request } = lie
  const made = signResponse(
    { status, header: (name) => (head as Record<string, string>)[name], trailer: (name) => fields[name] },
    { parts: other.parts, signatureHeader: other.signature },
    { ...(lie.answerKey ?? liar.keys.authentication), createdAt: Math.floor(network.clock.now() / 1000) },
  )
  const trailers = { ...fields, 'signature-input': made.signatureInput, signature: made.signature }
  return { status, head, parts: [body.slice(0, 20), body.slice(20)], trailers }
}

async function write(response: ServerResponse, { status, head, parts, trailers }: Streamed): Promise<void> {
  response.writeHead(status, { ...head, trailer: 'content-digest, comity-receipt, signature-input, signature' })
  for (const part of parts) {
    response.write(part)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  response.addTrailers(trailers)
  response.end()
}

/** Of the newest answer. */
let sentLength = 0

async function seen(make: (request: HeardRequest) => Streamed): Promise<SeenAnswer> {
  liar.behave = (request, response) => {
    const answer = make(request)
    sentLength = answer.parts.join('').length
    void write(response, answer)
  }
  return read(network, network.recipient.local('/holder/items/items/7'))
}

test('an honest streamed answer is passed on with its proof', async () => {
  const answer = await seen((request) => streamed(request))
  assert.deepEqual([answer.status, answer.text, answer.isWhole], [200, text, true])
  assert.ok(answer.trailers['comity-receipt'])
})

const stranger = { keyid: 'did:web:other.example#k', key: importSigningKey(generatePrivateJwk('ed25519')) }
const without = (answer: Streamed, name: string): Streamed => {
  const { [name]: _, ...trailers } = answer.trailers
  return { ...answer, trailers }
}
const flipped = (part: string) => part.replace('"b"', '"c"')

const lies: Readonly<Record<string, [(request: HeardRequest) => Streamed, string]>> = {
  'of which one byte is another': [
    (request) => ({ ...streamed(request), parts: streamed(request).parts.map(flipped) }),
    'answer-invalid',
  ],
  'that ends a byte early': [(request) => ({ ...streamed(request), parts: [text.slice(0, -1)] }), 'answer-invalid'],
  'that goes on after its end': [
    (request) => ({ ...streamed(request), parts: [text, '{"id":3,"name":"c"}\n'] }),
    'answer-invalid',
  ],
  'without trailers': [(request) => ({ ...streamed(request), trailers: {} }), 'answer-unsigned'],
  'without a digest': [(request) => without(streamed(request), 'content-digest'), 'answer-invalid'],
  'without a receipt': [(request) => without(streamed(request), 'comity-receipt'), 'answer-invalid'],
  'without a signature': [(request) => without(streamed(request), 'signature'), 'answer-unsigned'],
  'with another content type than was signed': [
    (request) => ({ ...streamed(request), head: { 'content-type': 'text/csv' } }),
    'answer-invalid',
  ],
  'with a digest in its head too': [
    (request) => {
      const answer = streamed(request)
      return { ...answer, head: { ...answer.head, 'content-digest': answer.trailers['content-digest'] ?? '' } }
    },
    'answer-invalid',
  ],
  "signed with a stranger's key": [(request) => streamed(request, { answerKey: stranger }), 'answer-invalid'],
  'whose receipt is for other content': [
    (request) => streamed(request, { claims: { res: liar.heard.length.toString().padStart(42, 'A') + 'A' } }),
    'answer-unbound',
  ],
  'whose receipt is for another participant': [
    (request) => streamed(request, { claims: { aud: 'did:web:other.example' } }),
    'answer-unbound',
  ],
  'to another request': [
    (request) => streamed(request, { request: liar.heard[0] ?? request, claims: {} }),
    'answer-invalid',
  ],
}

for (const [name, [make, code]] of Object.entries(lies)) {
  test(`an answer ${name} has no end for the application, and the log says ${code}`, async () => {
    const earlier = (await eventsOf(network.recipient)).length
    const answer = await seen(make)
    assert.deepEqual([answer.isWhole, answer.trailers], [false, {}])
    // The newest bytes were kept back: nobody has all of an answer that did not verify.
    assert.ok(answer.text.length < sentLength)
    const [passing, outcome] = await newEvents(network.recipient, earlier, 2)
    assert.deepEqual([passing?.outcome, outcome?.outcome, outcome?.problem], ['intended', 'failed', code])
    assert.equal(outcome?.receipt, undefined)
    assert.ok(outcome?.streamed?.bytes)
  })
}

test('a holder that cuts its answer off, or says nothing more, has it cut off for the application', async () => {
  const earlier = (await eventsOf(network.recipient)).length
  liar.behave = (request, response) => {
    response.writeHead(200, { ...streamed(request).head, trailer: 'signature' }).write(text)
    setTimeout(() => response.destroy(), 50)
  }
  const answer = await open(network, network.recipient.local('/holder/items/items/7'))
  assert.equal((await answer.rest()).isWhole, false)
  const [, outcome] = await newEvents(network.recipient, earlier, 2)
  assert.deepEqual([outcome?.outcome, outcome?.problem], ['failed', 'stream-cut'])
})

test('an answer that announces no trailers and has no signature is refused whole, as ever', async () => {
  liar.behave = (_, response) => void response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(text)
  const answer = await read(network, network.recipient.local('/holder/items/items/7'))
  assert.deepEqual([answer.status, (JSON.parse(answer.text) as { code: string }).code], [502, 'answer-unsigned'])
})

test('only a success is streamed: a refusal whose signature comes as a trailer is no refusal', async () => {
  for (const status of [203, 403]) {
    const answer = await seen((request) => streamed(request, { status }))
    assert.deepEqual([answer.status, (JSON.parse(answer.text) as { code: string }).code], [502, 'answer-unsigned'])
  }
})

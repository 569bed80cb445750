/** Streamed answers between whole nodes: what leaves of each format, what proves it, and what is written down. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { request } from 'node:https'
import { after, before, beforeEach, test } from 'node:test'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { adminOf } from './admin-call.ts'
import { eventsOf, newEvents, open, read, startStreamNetwork, type SeenAnswer } from './stream-network.ts'
import type { TestNetwork } from './test-network.ts'

const samples = [
  { id: 1, name: 'Kestrel, "K"', weight: 74.5, isAdult: true, address: { city: 'Porto', street: 'Rua 1' } },
  { id: 2, name: 'Merlin', weight: 1.5, address: { street: 'Rua 2' } },
]
const csv = 'weight,id,name,isAdult,address.city\r\n74.5,1,"Kestrel, ""K""",true,Porto\r\n1.5,2,Merlin,,\r\n'
const bodies: Readonly<Record<string, [string, string]>> = {
  '/json': ['application/json', JSON.stringify({ total: 2, items: samples })],
  '/ndjson': ['application/x-ndjson', samples.map((sample) => `${JSON.stringify(sample)}\n`).join('')],
  '/csv': ['text/csv; charset=utf-8', csv],
}
const released = [
  { id: 1, name: 'Kestrel, "K"', isAdult: true, address: { city: 'Porto' } },
  { id: 2, name: 'Merlin' },
]
const expected: Readonly<Record<string, string>> = {
  '/json': JSON.stringify({ total: 2, items: released }),
  '/ndjson': released.map((sample) => `${JSON.stringify(sample)}\n`).join(''),
  '/csv': 'id,name,isAdult,address.city\r\n1,"Kestrel, ""K""",true,Porto\r\n2,Merlin,,\r\n',
}

let network: TestNetwork
before(async () => {
  network = await startStreamNetwork({ limits: { streamIdleMs: 800 } })
})
after(() => network[Symbol.asyncDispose]())
beforeEach(() => {
  network.upstream.behave = (message, response) => {
    const [type = '', body = ''] = bodies[message.url ?? ''] ?? []
    response.writeHead(200, { 'content-type': type, etag: '"whole"' }).end(body)
  }
})

for (const [path, text] of Object.entries(expected)) {
  test(`${path}: what is labelled leaves and nothing else, with trailers that prove it`, async () => {
    const [earlier, earlierOfRecipient] = [await eventsOf(network.holder), await eventsOf(network.recipient)]
    const answer = await read(network, path)
    assert.deepEqual([answer.status, answer.text, answer.isWhole], [200, text, true])
    assert.equal(answer.headers['content-length'], undefined)
    assert.equal(answer.headers['etag'], undefined)
    assert.equal(answer.headers['content-type'], bodies[path]?.[0].split(';')[0])
    const digest = createHash('sha256').update(answer.text).digest()
    assert.equal(answer.trailers['content-digest'], `sha-256=:${digest.toString('base64')}:`)
    const { claims } = parseReceipt(answer.trailers['comity-receipt'] ?? '')
    assert.deepEqual([claims.res, claims.status, claims.prd], [digest.toString('base64url'), 200, 'samples'])
    assert.deepEqual(claims.rel, ['id', 'name', 'isAdult', 'address.city'])

    const streamed = { bytes: Buffer.byteLength(text), rows: 2 }
    const [intended, outcome, ...none] = (await eventsOf(network.holder)).slice(earlier.length)
    assert.deepEqual([intended?.outcome, intended?.released, none], ['intended', claims.rel, []])
    assert.deepEqual([outcome?.outcome, outcome?.streamed, outcome?.responseHash], ['allowed', streamed, claims.res])
    const [passing, passed] = (await eventsOf(network.recipient)).slice(earlierOfRecipient.length)
    assert.deepEqual([passing?.outcome, passed?.outcome], ['intended', 'allowed'])
    assert.deepEqual([passed?.streamed, passed?.responseHash], [{ bytes: streamed.bytes }, claims.res])
  })
}

test('the evidence of a streamed exchange verifies offline, the signature over trailer fields with it', async () => {
  const answer = await read(network, '/ndjson')
  const { claims } = parseReceipt(answer.trailers['comity-receipt'] ?? '')
  const { json } = await (await adminOf(network.recipient)).call({ path: `/v1/exchanges/${claims.jti}/evidence` })
  const { evidence } = json as { evidence: { response: { base: string } } }
  assert.match(evidence.response.base, /^"content-digest";tr: sha-256=.+\n"comity-receipt";tr: /m)
  const report = verifyEvidence(evidence)
  assert.deepEqual(
    report.checks.filter(({ ok }) => !ok),
    [],
  )
  assert.ok(report.checks.some(({ name }) => name === 'response-content'))
})

test('rows leave while the upstream still writes; the application has no end before the record', async () => {
  let write: ((text: string) => void) | undefined
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(`${JSON.stringify(samples[0])}\n`)
    write = (text) => void (text === '' ? response.end() : response.write(text))
  }
  const answer = await open(network, '/ndjson')
  write?.(`${JSON.stringify(samples[1])}\n`)
  // The newest bytes are kept back until the end is known to be good.
  assert.equal(await answer.next(), `${JSON.stringify(released[0])}\n`)
  write?.('')
  const rest = await answer.rest()
  assert.deepEqual([rest.text, rest.isWhole], [`${JSON.stringify(released[1])}\n`, true])
})

test('the same formats are taken apart where an answer is not streamed', async () => {
  const types = { json: '/json', jsonl: '/ndjson', csv: '/csv' }
  for (const [type, path] of Object.entries(types)) {
    const mediaType = type === 'csv' ? 'text/csv' : `application/${type}`
    network.upstream.behave = (_, response) => {
      response.writeHead(200, { 'content-type': mediaType }).end(bodies[path]?.[1])
    }
    const answer = await read(network, '/whole')
    assert.deepEqual([answer.status, JSON.stringify(answer.trailers)], [200, '{}'], answer.text)
    assert.equal(answer.text, expected[path])
    assert.ok(answer.headers['comity-receipt'])
  }
})

test('an answer of no rows is whole and proven', async () => {
  network.upstream.behave = (_, response) => response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end()
  const answer = await read(network, '/ndjson')
  assert.deepEqual([answer.status, answer.text, answer.isWhole], [200, '', true])
  assert.ok(parseReceipt(answer.trailers['comity-receipt'] ?? ''))
})

test('an upstream that lies in its first row is answered with a problem, signed like every other', async () => {
  network.upstream.behave = (_, response) =>
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"id":"x","name":"y"}\n')
  const answer = await read(network, '/ndjson')
  assert.deepEqual([answer.status, (JSON.parse(answer.text) as { code: string }).code], [502, 'upstream-invalid'])
  assert.ok(answer.isWhole)
})

/** Has two rows sent, does something else when both have left the holder, and reads what is left of the answer. */
async function afterTwo(then: (response: ServerResponse) => void): Promise<SeenAnswer> {
  const row = `${JSON.stringify(samples[0])}\n`
  const begun = Promise.withResolvers<ServerResponse>()
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write(row)
    begun.resolve(response)
  }
  const answer = await open(network, '/ndjson')
  const response = await begun.promise
  response.write(row)
  // The recipient's node lets the first go when it has the second.
  assert.equal(await answer.next(), `${JSON.stringify(released[0])}\n`)
  then(response)
  return answer.rest()
}

const breaks: Readonly<Record<string, [(response: ServerResponse) => void, string]>> = {
  'lies in row 3': [(response) => void response.end('{"id":3,"secret":1}\n'), 'upstream-invalid'],
  'sends what is not UTF-8': [(response) => void response.end(Buffer.from([0xff, 0x0a])), 'upstream-invalid'],
  dies: [(response) => void response.destroy(), 'upstream-lost'],
  'says nothing more': [() => undefined, 'upstream-timeout'],
}

for (const [name, [behave, code]] of Object.entries(breaks)) {
  test(`an upstream that ${name} has its answer cut off on both sides, and the logs say what left`, async () => {
    const [earlier, earlierOfRecipient] = [await eventsOf(network.holder), await eventsOf(network.recipient)]
    const answer = await afterTwo(behave)
    assert.equal(answer.isWhole, false)
    assert.deepEqual(answer.trailers, {})
    const [, cut] = await newEvents(network.holder, earlier.length, 2)
    assert.deepEqual([cut?.outcome, cut?.problem, cut?.streamed?.rows], ['failed', code, 2])
    assert.equal(cut?.streamed?.bytes, 2 * `${JSON.stringify(released[0])}\n`.length)
    assert.deepEqual(cut?.released, ['id', 'name', 'isAdult', 'address.city'])
    const [, lost] = await newEvents(network.recipient, earlierOfRecipient.length, 2)
    assert.deepEqual([lost?.outcome, lost?.problem, lost?.receipt], ['failed', 'stream-cut', undefined])
  })
}

test('an application that goes away ends the call up to the upstream', async () => {
  const earlier = await eventsOf(network.holder)
  const closed = Promise.withResolvers<void>()
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write(`${JSON.stringify(samples[0])}\n`), 10)
    response.once('close', () => {
      clearInterval(timer)
      closed.resolve()
    })
  }
  const answer = await open(network, '/ndjson')
  await answer.next()
  answer.message.destroy()
  await closed.promise
  const [, cut] = await newEvents(network.holder, earlier.length, 2)
  assert.deepEqual([cut?.outcome, cut?.problem], ['failed', 'stream-cut'])
})

test('an agreement that ends within a stream ends the stream', async () => {
  const id = await network.agree({ products: ['samples'], operations: ['ndjson'] })
  const earlier = await eventsOf(network.holder)
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write(`${JSON.stringify(samples[0])}\n`), 20)
    response.once('close', () => clearInterval(timer))
  }
  const answer = await open(network, '/ndjson', { 'comity-agreement': id })
  await answer.next()
  await network.holder.running.parts.counterparts.agreements.terminate(id, 'the test is over')
  const rest = await answer.rest()
  assert.equal(rest.isWhole, false)
  const [, cut] = await newEvents(network.holder, earlier.length, 2)
  assert.equal(cut?.outcome, 'failed')
  assert.match(String(cut?.problem), /^agreement-/)
})

test('who calls unsigned gets the rows without proof', async () => {
  const { holder } = network
  const answer = await anonymous(`${holder.url}/x/open-samples/ndjson`)
  assert.deepEqual(answer, [200, expected['/ndjson'], undefined])
})

function anonymous(url: string): Promise<[number, string, string | undefined]> {
  return new Promise((resolve, reject) => {
    request(url, { rejectUnauthorized: false, agent: false }, (message) => {
      let text = ''
      message.setEncoding('utf8').on('data', (part: string) => (text += part))
      message.once('end', () => resolve([message.statusCode ?? 0, text, message.headers.trailer]))
      message.once('error', reject)
    }).end()
  })
}

test('a node that is stopped records what it cut off', async () => {
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write(`${JSON.stringify(samples[0])}\n`), 20)
    response.once('close', () => clearInterval(timer))
  }
  const earlier = await eventsOf(network.holder)
  const answer = await open(network, '/ndjson')
  await answer.next()
  const rest = answer.rest()
  await network.holder.stop()
  await network.holder.start()
  assert.equal((await rest).isWhole, false)
  const [intended, cut] = await newEvents(network.holder, earlier.length, 2)
  assert.deepEqual([intended?.outcome, cut?.outcome, cut?.problem], ['intended', 'failed', 'stream-cut'])
})

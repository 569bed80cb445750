/** Products of class partner and public whose fields have labels, between whole nodes: what of an answer leaves, and what
 *  is written down of it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseExchangeEvent } from '@comity/core/exchange/event'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const row = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    weight: { type: 'number' },
    address: { type: 'object', properties: { city: { type: 'string' }, street: { type: 'string' } } },
  },
}
const json = (schema: object) => ({ description: 'ok', content: { 'application/json': { schema } } })
const optional = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })
const list = { type: 'object', properties: { items: { type: 'array', items: row }, total: { type: 'integer' } } }
const document = {
  openapi: '3.1.0',
  info: { title: 'Samples', version: '1' },
  paths: {
    '/samples': {
      get: {
        operationId: 'samples',
        parameters: [optional('fields'), optional('lang')],
        responses: { 200: json(list), 422: json({ type: 'object', properties: { why: { type: 'string' } } }) },
      },
    },
    '/places': {
      get: {
        operationId: 'places',
        parameters: [optional('fields')],
        responses: {
          200: json({
            type: 'object',
            properties: {
              total: { type: 'integer' },
              items: { type: 'array', items: { type: 'object', properties: { address: row.properties.address } } },
            },
          }),
        },
      },
    },
    '/kinds': { get: { operationId: 'kinds', responses: { 200: json({ type: 'array' }) } } },
  },
}
const data = {
  rows: 'items[]',
  open: ['total'],
  domains: { 'sample.identity': ['id', 'name'], 'sample.place': ['address.city'] },
  sensitivity: { default: 'public', fields: { name: 'confidential' } },
  requestedFields: 'fields',
  withoutData: ['kinds'],
}
const forwarding = { forwardReleasedFields: true }
const sample = { id: 1, name: 'Kestrel', weight: 74.5, address: { city: 'Porto', street: 'Rua 1' } }

let network: TestNetwork
before(async () => {
  network = await startTestNetwork({
    holder: (config, root) => {
      const openapi = join(root, 'samples.json')
      writeFileSync(openapi, JSON.stringify(document))
      const [first] = config['products'] as { upstream: string }[]
      const base = () => ({
        title: 'Samples',
        version: '1',
        upstream: first?.upstream,
        openapi,
        data: structuredClone(data),
      })
      const labelled = [
        { id: 'samples', class: 'partner', ...base() },
        { id: 'open-samples', class: 'public', ...base(), data: { ...base().data, ...forwarding } },
      ]
      config['products'] = [...(config['products'] as object[]), ...labelled]
    },
  })
  await network.agree({ products: ['samples'] })
  network.upstream.behave = (message, response) => {
    response.setHeader('content-type', 'application/json')
    response.setHeader('etag', '"whole"')
    if (message.url === '/kinds') return void response.end('["bird"]')
    if (message.url?.includes('lang=none')) return void response.writeHead(422).end('{"why":"Kestrel"}')
    response.end(JSON.stringify({ items: [sample], total: 9 }))
  }
})
after(() => network[Symbol.asyncDispose]())

const call = (target: string, headers: Record<string, string> = {}) =>
  fetch(network.recipient.local(`/holder/samples${target}`), { headers: { 'comity-purpose': testPurpose, ...headers } })

async function eventsOfHolder() {
  const { database } = network.holder.running.parts.foundation
  const rows = await database.all("SELECT body FROM log_entries WHERE type = 'exchange'")
  return rows.map(({ body }) => parseExchangeEvent(String(body)))
}

test('of an answer with labels the labelled fields leave and nothing else', async () => {
  const answer = await call('/samples')
  assert.deepEqual(await answer.json(), {
    total: 9,
    items: [{ id: 1, name: 'Kestrel', address: { city: 'Porto' } }],
  })
  // A validator of what leaves: the upstream's is about its whole answer.
  assert.match(answer.headers.get('etag') ?? '', /^"[\w-]{43}"$/)
  assert.equal(answer.headers.get('comity-fields-withheld'), null)
  const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
  assert.deepEqual([claims.rel, claims.wit], [['id', 'name', 'address.city'], []])
})

test('a call may ask for some of the fields, and its receipt names those', async () => {
  const answer = await call('/samples?fields=address,id')
  assert.deepEqual(await answer.json(), { total: 9, items: [{ id: 1, address: { city: 'Porto' } }] })
  const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
  assert.deepEqual(claims.rel, ['id', 'address.city'])
  assert.equal(network.upstream.seen.at(-1)?.url, '/samples')
  const refused = await call('/samples?fields=weight')
  assert.equal(((await refused.json()) as { code: string }).code, 'invalid-parameters')
})

test('the log of the holder names the released fields', async () => {
  const answer = await call('/samples?fields=id')
  const { jti } = parseReceipt(answer.headers.get('comity-receipt') ?? '').claims
  assert.deepEqual((await eventsOfHolder()).find((event) => event.id === jti)?.released, ['id'])
})

test('the answers of an operation that is excepted leave whole', async () => {
  const answer = await call('/kinds')
  assert.deepEqual([await answer.json(), answer.headers.get('etag')], [['bird'], '"whole"'])
})

test('of an answer that is no success the status leaves alone', async () => {
  const answer = await call('/samples?lang=none')
  assert.deepEqual([answer.status, await answer.text()], [422, ''])
})

test('the API is asked for the fields that may leave, where the product says so', async () => {
  await fetch(network.recipient.local('/holder/open-samples/samples?fields=address'))
  assert.equal(network.upstream.seen.at(-1)?.url, '/samples?fields=address.city')
})

test('anybody gets the labelled fields of a public product, and no others', async () => {
  const answer = await fetch(network.recipient.local('/holder/open-samples/samples'))
  assert.deepEqual(await answer.json(), {
    total: 9,
    items: [{ id: 1, name: 'Kestrel', address: { city: 'Porto' } }],
  })
})

test('a call asks for nothing that its operation cannot answer, lest it be judged by less than it is about', async () => {
  const asked = network.upstream.seen.length
  for (const path of ['/places?fields=name', '/places?fields=address.city,name', '/samples?fields=name.made.up']) {
    const answer = await call(path)
    assert.equal(answer.status, 400, path)
    assert.match(await answer.text(), /invalid-parameters.*which the operation does not answer/)
  }
  const many = Array.from({ length: 65 }, (_, at) => `address.city${at}`).join()
  assert.match(await (await call(`/samples?fields=${many}`)).text(), /names too many fields/)
  assert.equal(network.upstream.seen.length, asked)
})

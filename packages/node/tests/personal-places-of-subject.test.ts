/** Calls that name the person in the query or in the body, between two real nodes and a real API. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { testPurposes } from '@comity/core/consent/test-consent'
import { call, codeOf, giveConsent, jsonOf, tokenFor, type PersonalNetwork } from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { startTestNetwork } from './test-network.ts'

interface Seen {
  readonly target: string
  readonly body: string
}

const schema = { type: 'object', properties: { height: { type: 'integer' }, name: { type: 'string' } } }
const responses = { 200: { description: 'ok', content: { 'application/json': { schema } } } }
const subject = { type: 'string', maxLength: 64 }
const paths = {
  '/search': {
    get: {
      operationId: 'search',
      parameters: [
        { name: 'athlete', in: 'query', required: true, schema: subject },
        { name: 'season', in: 'query', schema: { type: 'string' } },
      ],
      responses,
    },
  },
  '/lookup': {
    post: {
      operationId: 'lookup',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['who'],
              properties: {
                who: { type: 'object', required: ['id'], properties: { id: subject } },
                season: { type: 'string' },
              },
            },
          },
        },
      },
      responses,
    },
  },
}
const openapi = { openapi: '3.1.0', info: { title: 'search', version: '1.0.0' }, paths }
const personal = {
  domains: { 'sport.body': ['height'], identity: ['name'] },
  operations: {
    search: { subject: { in: 'query', name: 'athlete' }, action: 'read' },
    lookup: { subject: { in: 'body', pointer: '/who/id' }, action: 'read' },
  },
}

/** Answers with data of whom the call names, whoever it is. */
async function startSearchApi(seen: Seen[]) {
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      seen.push({ target: message.url ?? '', body: Buffer.concat(chunks).toString('utf8') })
      response.setHeader('content-type', 'application/json').end('{"height":181,"name":"Amina Rossi"}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe('a person who is named', () => {
  const seen: Seen[] = []
  const stack = new AsyncDisposableStack()
  let network: PersonalNetwork
  let authorization: string
  let pairwise: string
  before(async () => {
    const { server, url } = await startSearchApi(seen)
    stack.defer(() => void (server.closeAllConnections(), server.close()))
    const started = await startTestNetwork({
      holder: (config, root) => {
        const file = join(root, 'search.json')
        writeFileSync(file, JSON.stringify(openapi))
        const limits = { rate: { requests: 100_000, perSeconds: 1 } }
        const product = { id: 'search', title: 'Search', version: '1.0.0', class: 'personal', upstream: url }
        ;(config['products'] as object[]).push({ ...product, openapi: file, limits, personal })
      },
    })
    stack.use(started)
    network = started as PersonalNetwork
    await network.agree({ products: ['search'], purposes: [testPurposes.research] })
    const consent = await giveConsent(network, { grants: [{ products: ['search'] }] })
    authorization = await tokenFor(network, consent)
    pairwise = (await network.holder.running.parts.consent.consents.records(consent))[0]?.subject.id ?? ''
  })
  after(() => stack.disposeAsync())

  const places = {
    query: (id: string) =>
      call(network, { authorization, path: '/x/search/search', query: `?athlete=${id}&season=2026` }),
    body: (id: string) =>
      call(network, {
        authorization,
        method: 'POST',
        path: '/x/search/lookup',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ who: { id }, season: '2026' }),
      }),
  }
  /** What the API was told, in the words of the place. */
  const told = {
    query: (id: string) => `/search?athlete=${id}&season=2026`,
    body: (id: string) => `{"who":{"id":"${id}"},"season":"2026"}`,
  }
  const lastOf = { query: () => seen.at(-1)?.target, body: () => seen.at(-1)?.body }

  for (const place of ['query', 'body'] as const) {
    test(`in the ${place} is covered by the own consent, and only what was released leaves`, async () => {
      const answer = await places[place](athleteReference)
      assert.deepEqual([codeOf(answer), jsonOf(answer)], ['200', { height: 181 }])
      assert.equal(lastOf[place](), told[place](athleteReference))
    })

    test(`in the ${place} by the pairwise id is named to the API by the holder's own reference`, async () => {
      assert.match(pairwise, /^ps_/)
      const answer = await places[place](pairwise)
      assert.deepEqual([codeOf(answer), jsonOf(answer)], ['200', { height: 181 }])
      assert.equal(lastOf[place](), told[place](athleteReference))
      assert.doesNotMatch(JSON.stringify(seen.at(-1)), /[^\w-]ps_[\w-]{16}/)
    })

    test(`in the ${place} is not covered by another's consent, known or not, and the API is not asked`, async () => {
      seen.length = 0
      const others = [otherReference, '000000000', `ps_${'A'.repeat(43)}`]
      const answers = await Promise.all(others.map((id) => places[place](id)))
      assert.deepEqual(answers.map(codeOf), ['consent-required', 'consent-required', 'consent-required'])
      const texts = answers.map((answer) => ({ ...jsonOf(answer), requestId: '', exchange: '' }))
      assert.deepEqual([texts[1], texts[2]], [texts[0], texts[0]], 'with the same words')
      assert.deepEqual(seen, [])
    })
  }

  test('twice is one person too many', async () => {
    seen.length = 0
    const query = `?athlete=${athleteReference}&athlete=${otherReference}`
    const twice = await call(network, { authorization, path: '/x/search/search', query })
    assert.equal(codeOf(twice), 'invalid-parameters')
    const body = `{"who":{"id":"${athleteReference}"},"who":{"id":"${otherReference}"}}`
    const headers = { 'content-type': 'application/json' }
    const both = await call(network, { authorization, method: 'POST', path: '/x/search/lookup', headers, body })
    assert.ok(both.status >= 400, codeOf(both))
    assert.deepEqual(seen, [])
  })
})

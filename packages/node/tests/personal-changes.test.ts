/** Calls that change data about a person, between two real nodes and a real API: which members of a body a consent and
 *  the holder's policies let be written. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { testPurposes } from '@comity/core/consent/test-consent'
import { call, codeOf, giveConsent, jsonOf, tokenFor, type PersonalNetwork } from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { putPolicies } from './policy-network.ts'
import { startTestNetwork } from './test-network.ts'

const text = { type: 'string' }
const rank = { type: 'object', properties: { event: text, rank: { type: 'integer' }, judge: text } }
const athlete = {
  type: 'object',
  properties: {
    name: text,
    height: { type: 'integer' },
    address: { type: ['object', 'null'], properties: { city: text, street: text } },
    results: { type: ['array', 'null'], items: rank },
    reason: text,
    remark: text,
  },
}
const json = (schema: object) => ({ 'application/json': { schema } })
const takes = (schema: object) => ({ required: true, content: json(schema) })
const id = { name: 'id', in: 'path', required: true, schema: text }
const paths = {
  '/athletes/{id}': {
    get: {
      operationId: 'read',
      parameters: [id],
      responses: { 200: { description: 'ok', content: json(athlete) } },
    },
    patch: {
      operationId: 'change',
      parameters: [id],
      requestBody: takes(athlete),
      responses: {
        200: {
          description: 'ok',
          content: json({ type: 'object', properties: { name: text, height: { type: 'integer' } } }),
        },
      },
    },
    delete: { operationId: 'remove', parameters: [id], responses: { 204: { description: 'gone' } } },
  },
  '/athletes/{id}/results': {
    post: {
      operationId: 'append',
      parameters: [id],
      requestBody: takes({ type: 'object', properties: { items: { type: 'array', items: rank }, meeting: text } }),
      responses: { 204: { description: 'done' } },
    },
  },
}
const personal = {
  subject: { in: 'path', name: 'id' },
  domains: {
    identity: ['name'],
    'sport.body': ['height'],
    home: ['address'],
    'sport.results': ['results[].event', 'results[].rank', 'event', 'rank'],
  },
  operations: {
    change: { body: { open: ['reason'] } },
    remove: { changes: ['name', 'height', 'address', 'results'] },
    append: { action: 'append', body: { rows: 'items[]', open: ['meeting'] } },
  },
}

async function startApi(seen: string[]) {
  const server = createServer((message, response) => {
    let body = ''
    message.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
    message.on('end', () => {
      seen.push(`${message.method} ${body}`)
      if (message.method !== 'PATCH') return void response.writeHead(204).end()
      response.setHeader('content-type', 'application/json').end('{"name":"Amina Rossi","height":182}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe('a change', () => {
  const seen: string[] = []
  const stack = new AsyncDisposableStack()
  let network: PersonalNetwork
  before(async () => {
    const { server, url } = await startApi(seen)
    stack.defer(() => void (server.closeAllConnections(), server.close()))
    const started = await startTestNetwork({
      holder: (config, root) => {
        const openapi = join(root, 'clubs.json')
        writeFileSync(openapi, JSON.stringify({ openapi: '3.1.0', info: { title: 'clubs', version: '1' }, paths }))
        const limits = { rate: { requests: 100_000, perSeconds: 1 } }
        const product = { id: 'clubs', title: 'Clubs', version: '1', class: 'personal', upstream: url, openapi }
        ;(config['products'] as object[]).push({ ...product, limits, personal })
      },
    })
    stack.use(started)
    network = started as PersonalNetwork
    await network.agree({ products: ['clubs'], purposes: [testPurposes.research] })
  })
  after(() => stack.disposeAsync())
  beforeEach(() => void (seen.length = 0))

  const consentTo = async (...grants: Partial<ConsentGrant>[]) => {
    const full = grants.map((grant) => ({ products: ['clubs'], actions: ['write'] as const, ...grant }))
    const consent = await giveConsent(network, { grants: full })
    return (method: string, body: unknown, below = '') =>
      tokenFor(network, consent).then((authorization) =>
        call(network, {
          authorization,
          method,
          path: `/x/clubs/athletes/${athleteReference}${below}`,
          ...(body !== undefined && {
            headers: { 'content-type': 'application/json' },
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
        }),
      )
  }

  test('writes what the consent gives for it, and whatever the operation says is open', async () => {
    const ask = await consentTo({ domains: ['sport.body', 'home'] })
    const body = { height: 182, address: { city: 'Porto' }, reason: 'measured' }
    const answer = await ask('PATCH', body)
    assert.deepEqual([codeOf(answer), jsonOf(answer)], ['200', { height: 182 }])
    assert.deepEqual(seen, [`PATCH ${JSON.stringify(body)}`])
  })

  test('of one field more is refused whole, by the names that the caller sent, and the API is not asked', async () => {
    const ask = await consentTo({ domains: ['sport.body', 'home'], fields: { include: ['height', 'address.city'] } })
    const refused = await ask('PATCH', { height: 182, name: 'Jon', address: { city: 'x', street: 'y' } })
    const { code, fields, detail } = jsonOf(refused)
    assert.deepEqual([code, fields], ['consent-scope', ['name', 'address.street']])
    assert.match(String(detail), /does not let the call change `name`, `address\.street`/)
    assert.doesNotMatch(refused.body.toString('utf8'), /Jon|height/)
    for (const body of [{ address: null }, { address: {} }]) {
      assert.equal(codeOf(await ask('PATCH', body)), 'consent-scope', JSON.stringify(body))
    }
    assert.equal(codeOf(await ask('PATCH', { address: { city: 'x' } })), '200')
    assert.deepEqual(seen, ['PATCH {"address":{"city":"x"}}'])
  })

  test('of a member without a label is refused, whoever consents to what', async () => {
    const ask = await consentTo({ domains: ['identity', 'sport', 'home'] })
    for (const body of [{ remark: 'x' }, { results: [{ judge: 'x', rank: 1 }] }, { results: [] }]) {
      const refused = await ask('PATCH', body)
      assert.equal(codeOf(refused), 'invalid-body', JSON.stringify(body))
      assert.match(String(jsonOf(refused)['detail']), /wrong at `\/(remark|results|results\/0\/judge)`: has no label/)
    }
    assert.deepEqual(seen, [])
  })

  test('is not covered by a consent to read, nor its rows by a filter that they do not satisfy', async () => {
    const reads = await consentTo({ domains: ['sport.body'] }, { domains: ['identity'], actions: ['read'] })
    assert.deepEqual(jsonOf(await reads('PATCH', { name: 'x', height: 1 }))['fields'], ['name'])
    const filters = [{ path: 'event', op: '=', value: 'skiff' } as const]
    const ask = await consentTo({ domains: ['sport.results'], actions: ['append'], filters })
    const rows = (...events: string[]) => ({ items: events.map((event, at) => ({ event, rank: at })), meeting: 'Rio' })
    assert.equal(codeOf(await ask('POST', rows('skiff', 'skiff'), '/results')), '204')
    assert.equal(codeOf(await ask('POST', rows('skiff', 'eight'), '/results')), 'consent-scope')
    assert.equal(seen.length, 1)
  })

  test('that is said to change fields whatever its body says needs all of them', async () => {
    const some = await consentTo({ domains: ['identity', 'sport'], actions: ['delete'] })
    const refused = await some('DELETE', undefined)
    assert.deepEqual([codeOf(refused), jsonOf(refused)['fields']], ['consent-scope', ['address']])
    const all = await consentTo({ domains: ['identity', 'sport', 'home'], actions: ['delete'] })
    assert.equal(codeOf(await all('DELETE', undefined)), '204')
    assert.deepEqual(seen, ['DELETE '])
  })

  test('counts as a use of the grant that lets it, though that gives nothing of the answer', async () => {
    const ask = await consentTo({ domains: ['identity'] }, { domains: ['home'], maxUses: 1 })
    assert.equal(codeOf(await ask('PATCH', { address: { city: 'x' } })), '200')
    assert.equal(codeOf(await ask('PATCH', { name: 'x' })), '200')
    assert.equal(codeOf(await ask('PATCH', { address: { city: 'y' } })), 'consent-quota')
  })

  test('is bounded by the masks of the policies that permit it', async () => {
    const ask = await consentTo({ domains: ['identity', 'sport', 'home'] })
    const permit = (annotations: string) => `@id("p") ${annotations} permit (principal, action, resource);`
    await putPolicies(network.holder, permit('@fields("height, address.city") @transforms("height: round 5")'))
    assert.equal(codeOf(await ask('PATCH', { height: 182, address: { city: 'x' } })), '200')
    const refused = await ask('PATCH', { height: 182, address: { street: 'x' }, name: 'y' })
    assert.equal(codeOf(refused), 'policy-denied')
    assert.match(String(jsonOf(refused)['detail']), /do not let the call change `address\.street`, `name`$/)
    await putPolicies(network.holder, permit('@domains("identity, home")'))
    assert.equal(codeOf(await ask('PATCH', { height: 1 })), 'policy-denied')
    assert.equal(codeOf(await ask('PATCH', { address: null })), '200')
    await putPolicies(
      network.holder,
      `${permit('')} @id("no-home") forbid (principal, action, resource) when { context.fields.contains("address.street") };`,
    )
    assert.equal(codeOf(await ask('PATCH', { address: { street: 'x' } })), 'policy-denied')
    assert.equal(codeOf(await ask('PATCH', { address: { city: 'x' } })), '200')
  })
})

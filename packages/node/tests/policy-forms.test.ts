/** Policies hold for an answer of whatever form: streamed, or in the parts of a composite. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { bodyOf, codesOf, composite, research } from './composite-calls.ts'
import { giveConsent, startPersonalNetwork, tokenFor, type PersonalNetwork } from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { decisionOf, eventOf, putPolicies } from './policy-network.ts'
import { read, startStreamNetwork } from './stream-network.ts'
import type { TestNetwork } from './test-network.ts'

const samples = [
  { id: 1, name: 'Kestrel', isAdult: true, address: { city: 'Porto' } },
  { id: 2, name: 'Merlin', isAdult: false, address: { city: 'Faro' } },
]
const bodies: Readonly<Record<string, [string, string]>> = {
  '/json': ['application/json', JSON.stringify({ total: 2, items: samples })],
  '/ndjson': ['application/x-ndjson', samples.map((sample) => `${JSON.stringify(sample)}\n`).join('')],
  '/csv': ['text/csv', 'id,name,isAdult,address.city\r\n1,Kestrel,true,Porto\r\n2,Merlin,false,Faro\r\n'],
}

describe('a streamed answer', () => {
  let network: TestNetwork
  before(async () => {
    network = await startStreamNetwork()
    network.upstream.behave = (message, response) => {
      const [type = '', body = ''] = bodies[message.url ?? ''] ?? []
      response.writeHead(200, { 'content-type': type }).end(body)
    }
    await putPolicies(
      network.holder,
      '@id("names") @fields("id, name") @transforms("name: mask 2") permit (principal, action, resource);',
    )
  })
  after(() => network[Symbol.asyncDispose]())

  test('is masked row by row in each format, and what decided is known before its first byte', async () => {
    const expected: Readonly<Record<string, string>> = {
      '/json': '{"total":2,"items":[{"id":1,"name":"*****el"},{"id":2,"name":"****in"}]}',
      '/ndjson': '{"id":1,"name":"*****el"}\n{"id":2,"name":"****in"}\n',
      '/csv': 'id,name\r\n1,*****el\r\n2,****in\r\n',
    }
    for (const [path, text] of Object.entries(expected)) {
      const answer = await read(network, path)
      assert.deepEqual([answer.status, answer.text], [200, text], path)
      const { claims } = parseReceipt(String(answer.trailers['comity-receipt']))
      assert.deepEqual([claims.pol, claims.rel], [['names'], ['id', 'name']])
      assert.deepEqual((await eventOf(network.holder, claims.jti))['policies'], ['names'])
      assert.equal((await decisionOf(network, claims.jti)).outcome, 'allowed')
    }
  })

  test('is refused like any other', async () => {
    await putPolicies(network.holder, '@id("none") forbid (principal, action, resource);')
    const seen = network.upstream.seen.length
    assert.equal((await read(network, '/ndjson')).status, 403)
    assert.equal(network.upstream.seen.length, seen)
  })
})

describe('a composite', () => {
  let network: PersonalNetwork
  let authorization: string
  before(async () => {
    network = await startPersonalNetwork()
    await network.agree()
    const grants = [{ domains: ['identity', 'sport.body'] }, { products: ['results'], domains: ['sport.results'] }]
    authorization = await tokenFor(network, await giveConsent(network, { grants }))
  })
  after(() => network[Symbol.asyncDispose]())

  test('has each part judged for itself: one masked, one denied, and each decision is kept', async () => {
    await putPolicies(
      network.holder,
      `@id("profile") @transforms("born: year") permit (principal, action, resource in Comity::Product::"athletes");
       @id("items") permit (principal, action, resource in Comity::Product::"items");`,
    )
    const about = { authorization, purpose: research }
    const seen = await composite(network, {
      profile: { product: 'athletes', path: `/athletes/${athleteReference}`, ...about },
      results: { product: 'results', path: `/athletes/${athleteReference}/results`, ...about },
    })
    assert.deepEqual(codesOf(seen), { profile: '200', results: 'policy-denied' })
    assert.equal((bodyOf(seen, 'profile') as { born: string }).born, '1999')
    const { database } = network.holder.running.parts.foundation
    assert.equal((await database.all('SELECT * FROM policy_decisions')).length, 2)
  })
})

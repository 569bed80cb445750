/** Masks between whole nodes: over labelled products without people, through the recipient's node and the SDK, with
 *  idempotency keys, and next to the counters of a consent. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createComityClient } from '../../client/src/client.ts'
import { parseReceipt } from '@comity/core/exchange/receipt'
import {
  call,
  codeOf,
  giveConsent,
  jsonOf,
  startPersonalNetwork,
  tokenFor,
  type PersonalNetwork,
} from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { eventOf, putPolicies } from './policy-network.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const optional = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })
const sample = { id: 1, name: 'Kestrel', weight: 74.5, site: 'Porto' }
const schema = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    weight: { type: 'number' },
    site: { type: 'string' },
  },
}
const answering = (operationId: string, answered: object) => ({
  operationId,
  parameters: [optional('fields')],
  responses: { 200: { description: 'ok', content: { 'application/json': { schema: answered } } } },
})
const document = {
  openapi: '3.1.0',
  info: { title: 'Samples', version: '1' },
  paths: {
    '/samples': { get: answering('samples', schema) },
    '/all': { get: answering('all', { type: 'array', items: schema }) },
  },
}
/** Three of Porto, of which one is nobody else's namesake. */
const all = ['Kestrel', 'Kestrel', 'Merlin'].map((name, at) => ({ id: at, name, weight: 10 * (at + 1), site: 'Porto' }))

describe('masks over a product of class partner', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({
      holder: (config, root) => {
        const openapi = join(root, 'samples.json')
        writeFileSync(openapi, JSON.stringify(document))
        const [first] = config['products'] as { upstream: string }[]
        const data = {
          domains: { 'sample.identity': ['id', 'name'], 'sample.body': ['weight'], place: ['site'] },
          sensitivity: { default: 'internal', fields: { name: 'restricted', id: 'public' } },
          requestedFields: 'fields',
          operations: { all: { rows: '[]' } },
        }
        const product = { id: 'samples', class: 'partner', title: 'Samples', version: '1', openapi, data }
        ;(config['products'] as object[]).push({ ...product, upstream: first?.upstream })
      },
    })
    await network.agree({ products: ['samples', 'items'] })
    network.upstream.behave = ({ url = '' }, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(url.startsWith('/all') ? all : sample))
    }
  })
  after(() => network[Symbol.asyncDispose]())

  const ask = (query = '', headers: Record<string, string> = {}) =>
    fetch(network.recipient.local(`/holder/samples/samples${query}`), {
      headers: { 'comity-purpose': testPurpose, ...headers },
    })

  test('leave fields by level, by domain and by name; permits that match together add', async () => {
    const leaves = async (text: string) => {
      await putPolicies(network.holder, text)
      return (await (await ask()).json()) as unknown
    }
    const permit = (id: string, annotations: string) =>
      `@id("${id}") ${annotations} permit (principal, action, resource);`
    assert.deepEqual(await leaves(permit('a', '@sensitivity("internal")')), { id: 1, weight: 74.5, site: 'Porto' })
    assert.deepEqual(await leaves(permit('a', '@domains("sample")')), { id: 1, name: 'Kestrel', weight: 74.5 })
    assert.deepEqual(await leaves(permit('a', '@domains("sample") @sensitivity("public")')), { id: 1 })
    const rounded = permit('a', '@fields("weight, name") @transforms("weight: round 5; name: mask 2")')
    assert.deepEqual(await leaves(rounded), { name: '*****el', weight: 75 })
    assert.deepEqual(await leaves(rounded + permit('b', '@fields("site, weight")')), {
      name: '*****el',
      weight: 74.5,
      site: 'Porto',
    })
    assert.deepEqual(await leaves(rounded + permit('b', '')), sample)
  })

  test('with an aggregate leave no single row, whichever fields are asked for', async () => {
    await putPolicies(
      network.holder,
      '@id("totals") @fields("site, weight") @transforms("weight: aggregate avg 5") permit (principal, action, resource);',
    )
    for (const query of ['', '?fields=site', '?fields=site,weight', '?fields=weight']) {
      assert.deepEqual(await (await ask(query)).json(), {}, query)
    }
  })

  test('with an aggregate leave the same groups whichever fields are asked for: none can be told by subtraction', async () => {
    const totals = async (fields: string, query: string) => {
      await putPolicies(
        network.holder,
        `@id("totals") @fields("${fields}") @transforms("weight: aggregate sum 2") permit (principal, action, resource);`,
      )
      const answer = await fetch(network.recipient.local(`/holder/samples/all${query}`), {
        headers: { 'comity-purpose': testPurpose },
      })
      return (await answer.json()) as unknown
    }
    assert.deepEqual(await totals('site, weight', ''), [{ site: 'Porto', weight: 60 }])
    const fields = 'site, name, weight'
    assert.deepEqual(await totals(fields, ''), [{ name: 'Kestrel', site: 'Porto', weight: 30 }])
    // Not the sum of all three, of which the answer above would be subtracted.
    assert.deepEqual(await totals(fields, '?fields=weight'), [{ weight: 30 }])
    assert.deepEqual(await totals(fields, '?fields=site,weight'), [{ site: 'Porto', weight: 30 }])
    assert.deepEqual(await totals(fields, '?fields=site'), [{ site: 'Porto' }])
  })

  test('stand in the receipt and in the log of both, ids and what was withheld', async () => {
    const { version } = await putPolicies(
      network.holder,
      '@id("light") @fields("weight") permit (principal, action, resource);',
    )
    const answer = await ask()
    assert.equal(answer.headers.get('comity-fields-withheld'), '"id", "name", "site"')
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual([claims.pol, claims.rel], [['light'], ['weight']])
    const held = await eventOf(network.holder, claims.jti)
    const sent = await eventOf(network.recipient, answer.headers.get('comity-exchange') ?? '')
    assert.deepEqual([held['policies'], held['policyVersion'], held['withheld']], [['light'], version, claims.wit])
    assert.deepEqual([sent['policies'], sent['released']], [['light'], ['weight']])
  })

  test('a read of which nothing would leave is denied before the API is asked', async () => {
    await putPolicies(network.holder, '@id("light") @fields("weight") permit (principal, action, resource);')
    const seen = network.upstream.seen.length
    const answer = await ask('?fields=name,site')
    assert.equal(answer.status, 403)
    assert.equal(((await answer.json()) as { code: string }).code, 'policy-denied')
    assert.equal(network.upstream.seen.length, seen)
  })

  test('over a product without labels cannot be kept: the call fails, and the operator reads why', async () => {
    const answer = await fetch(network.recipient.local('/holder/items/items/7'), {
      headers: { 'comity-purpose': testPurpose },
    })
    assert.equal(answer.status, 500)
    assert.equal(((await answer.json()) as { code: string }).code, 'policy-failed')
    assert.ok(network.holder.logged.some((line) => line.includes('label them in the product')))
  })

  test('a policy sees how sensitive the fields are that are asked for, and which domains they are of', async () => {
    await putPolicies(
      network.holder,
      `@id("low") permit (principal, action, resource) when { resource.sensitivity <= 1 };
       @id("place") forbid (principal, action, resource in Comity::Data::"place")
         unless { context.fields.contains("weight") };`,
    )
    const status = async (query: string) => (await ask(query)).status
    assert.deepEqual(
      [
        await status('?fields=id'),
        await status('?fields=name'),
        await status('?fields=site'),
        await status('?fields=site,weight'),
      ],
      [200, 403, 403, 200],
    )
  })

  test('the application says who acts, in a field or over the SDK; what the holder could not read never leaves', async () => {
    await putPolicies(
      network.holder,
      `@id("nurse") permit (principal == Comity::Human::"${network.recipient.did}/nurse-17", action, resource)
         when { context has assurance && context.assurance == "high" };`,
    )
    assert.equal((await ask()).status, 403)
    assert.equal((await ask('', { 'comity-actor': '"nurse-17";type=human;assurance=high' })).status, 200)
    const refused = await ask('', { 'comity-actor': 'nurse-17' })
    assert.equal(((await refused.json()) as { code: string }).code, 'malformed-request')
    const client = createComityClient({ node: network.recipient.local(''), purpose: testPurpose })
    const samples = client.product('holder', 'samples')
    const actor = { type: 'human', id: 'nurse-17', assurance: 'high' } as const
    assert.equal((await samples.get('/samples', { actor })).status, 200)
    await assert.rejects(samples.get('/samples', { actor: { ...actor, assurance: 'low' } }), { code: 'policy-denied' })
  })
})

describe('masks, idempotency keys and the counters of a consent', () => {
  let network: PersonalNetwork
  before(async () => {
    network = await startPersonalNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  test('a kept answer is given again only while policies leave the same of it', async () => {
    const consent = await giveConsent(network, {
      grants: [{ domains: ['identity', 'sport.notes'], actions: ['write'] }],
    })
    const authorization = await tokenFor(network, consent)
    const note = () =>
      call(network, {
        authorization,
        method: 'POST',
        path: `/x/athletes/athletes/${athleteReference}/notes`,
        body: '{"note":"kept"}',
        headers: { 'idempotency-key': '"note-1"' },
      })
    const permit = (annotations: string) => `@id("p") ${annotations} permit (principal, action, resource);`
    await putPolicies(network.holder, permit(''))
    assert.deepEqual(Object.keys(jsonOf(await note())).toSorted(), ['born', 'name', 'note'])
    const again = await note()
    assert.equal(again.headers.get('idempotency-replayed') !== undefined, true)
    await putPolicies(network.holder, permit('@fields("name, note")'))
    assert.equal(codeOf(await note()), 'idempotency-key-reused')
    await putPolicies(network.holder, `${permit('')} @id("no") forbid (principal, action, resource);`)
    assert.equal(codeOf(await note()), 'policy-denied')
    await putPolicies(network.holder, permit(''))
    assert.equal(codeOf(await note()), '200')
    assert.equal(network.api.called.filter((target) => target.endsWith('/notes')).length, 1)
  })

  test('a call that policies deny takes no use of a consent that allows one', async () => {
    const consent = await giveConsent(network, { grants: [{ fetch: { type: 'once' } }] })
    const authorization = await tokenFor(network, consent)
    await putPolicies(network.holder, '@id("no") forbid (principal, action, resource);')
    for (let times = 0; times < 3; times += 1)
      assert.equal(codeOf(await call(network, { authorization })), 'policy-denied')
    await putPolicies(network.holder, '@id("all") permit (principal, action, resource);')
    assert.equal(codeOf(await call(network, { authorization })), '200')
    assert.equal(codeOf(await call(network, { authorization })), 'consent-quota')
  })

  test('what policies decided about a person is sealed, and no file of the database names them', async () => {
    const { database } = network.holder.running.parts.foundation
    const rows = await database.all('SELECT * FROM policy_decisions')
    assert.ok(rows.length > 5)
    assert.doesNotMatch(JSON.stringify(rows), new RegExp(`${athleteReference}|getAthlete|sport.body|did:web`))
  })
})

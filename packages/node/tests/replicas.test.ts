/** Replicas at a recipient: kept only where the person said so, served without the partner, asked for anew by their
 *  validator, with the organisation's own fields beside, each use in the log. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { athleteOf, callLocally, consented, passOn, until, type ConsentNetwork } from './consent-network.ts'
import { otherReference } from './personal-upstream.ts'
import { callReplica, exchangesOf, ownFields, rowsOf, startReplicaNetwork, storable } from './replica-network.ts'

describe('a replica', () => {
  let network: ConsentNetwork
  let consent: string
  before(async () => {
    network = await startReplicaNetwork()
    consent = await storable(network)
  })
  after(() => network[Symbol.asyncDispose]())

  const ask = (how = 'prefer', headers: Record<string, string> = {}) =>
    callReplica(network.recipient, { consent, headers, ask: how })

  test('is kept of what was received, and answers the next call without the partner', async () => {
    const first = await ask()
    assert.deepEqual([first.code, first.how], ['200', 'stored'])
    const called = network.api.called.length
    const second = await ask()
    assert.deepEqual([second.code, second.how, second.json], ['200', 'hit', first.json])
    assert.equal(network.api.called.length, called)
    assert.equal(second.id, first.id)
    assert.equal(second.exchange, first.exchange)
    assert.equal(second.headers.get('comity-receipt'), first.headers.get('comity-receipt'))
    assert.match(second.headers.get('age') ?? '', /^\d$/)
  })

  test('is used with an entry in the log, sealed, that names the exchange it goes back to', async () => {
    const hit = await ask('only')
    assert.equal(hit.how, 'hit')
    const use = (await exchangesOf(network.recipient)).find(({ id }) => id === hit.headers.get('comity-exchange'))
    assert.ok(use)
    assert.deepEqual([use['role'], use['outcome'], use['replica']], ['recipient', 'allowed', hit.exchange])
    assert.deepEqual(use['released'], ['name', 'born', 'height', 'weight'])
    const { database } = network.recipient.running.parts.foundation
    const row = await database.get("SELECT body FROM log_entries WHERE body LIKE 'sealed:%' ORDER BY 1 LIMIT 1")
    assert.ok(row, 'the body of a use is sealed')
    const clear = await database.all('SELECT body FROM log_entries WHERE body LIKE \'%"replica"%\'')
    assert.deepEqual(clear, [])
  })

  test('is asked for anew by its validator: the same is not sent again, and the holder counts a use', async () => {
    const stored = await ask()
    network.clock.offsetMs += 2_000
    const again = await ask('refresh')
    assert.deepEqual([again.code, again.how, again.exchange], ['200', 'revalidated', stored.exchange])
    assert.deepEqual(again.json, stored.json)
    const holder = (await exchangesOf(network.holder)).at(-1)
    assert.deepEqual([holder?.['status'], holder?.['outcome']], [304, 'allowed'])
    assert.deepEqual(holder?.['released'], ['name', 'born', 'height', 'weight'])
    assert.ok((await ask()).headers.get('age') === '0')
  })

  test('takes the place of an older one when the holder answers otherwise', async () => {
    const earlier = await ask()
    network.api.behave = (response) => {
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ id: '736041664', name: 'Amina Rossi', height: 182, weight: 74, born: '1999-04-17' }),
      )
    }
    const later = await ask('refresh')
    network.api.behave = undefined
    assert.deepEqual([later.how, later.json['height'], later.id], ['stored', 182, earlier.id])
    assert.notEqual(later.exchange, earlier.exchange)
    const hit = await ask()
    assert.deepEqual([hit.how, hit.json['height']], ['hit', 182])
    await ask('refresh')
  })

  test('older than the application will have it is no answer', async () => {
    await ask()
    network.clock.offsetMs += 5_000
    const refused = await ask('only;max-age=2')
    assert.deepEqual([refused.status, refused.code, refused.reason], [504, 'replica-missing', 'stale'])
    assert.equal((await ask('only;max-age=60')).how, 'hit')
    assert.equal((await ask('prefer;max-age=2')).how, 'revalidated')
  })

  test('with `only` never leads to the partner, and the refusal is in the log', async () => {
    const called = network.api.called.length
    const refused = await callReplica(network.recipient, { consent, ask: 'only', path: `${athleteOf()}?fields=name` })
    assert.deepEqual([refused.code, refused.reason], ['replica-missing', 'none'])
    assert.equal(network.api.called.length, called)
    const logged = (await exchangesOf(network.recipient)).find(
      ({ id }) => id === refused.headers.get('comity-exchange'),
    )
    assert.deepEqual([logged?.['outcome'], logged?.['problem']], ['denied', 'replica-missing'])
  })

  test('answers only for the same purpose, actor and person', async () => {
    await ask()
    for (const headers of [
      { 'comity-actor': '"other";type=service' },
      { 'accept-language': 'de' },
      { 'comity-purpose': 'https://w3id.org/dpv#Marketing' },
    ]) {
      const other = await ask('only', headers)
      assert.deepEqual([other.code, other.reason], ['replica-missing', 'none'], JSON.stringify(headers))
    }
  })

  test('own fields lie beside it, are kept over a refresh, and never reach the partner', async () => {
    const { id } = await ask()
    const put = await ownFields(network.recipient, id, { method: 'PUT', body: '{"rating":9007199254740993.10}' })
    assert.equal(put.status, 204)
    await ask('refresh')
    const read = await ownFields(network.recipient, id)
    assert.equal(await read.text(), '{"rating":9007199254740993.10}')
    const both = await ask('prefer', { accept: 'application/vnd.comity.replica+json' })
    assert.equal(both.headers.get('content-type'), 'application/vnd.comity.replica+json')
    assert.equal((both.json['data'] as Record<string, unknown>)['name'], 'Amina Rossi')
    assert.match(both.text, /,"own":\{"rating":9007199254740993\.10\}\}$/)
    assert.equal((await ask()).text.includes('rating'), false)
    for (const body of ['[1]', '{"a":1,"a":2}', '{', '"x"'])
      assert.equal((await ownFields(network.recipient, id, { method: 'PUT', body })).status, 400, body)
    assert.equal((await ownFields(network.recipient, id, { method: 'DELETE' })).status, 204)
    assert.equal((await ownFields(network.recipient, id)).status, 404)
  })

  test('of another replica, or without one, there are no own fields', async () => {
    const nobody = await ownFields(network.recipient, 'A'.repeat(43), { method: 'PUT', body: '{}' })
    assert.equal(nobody.status, 404)
    const page = await ownFields(network.recipient, 'A'.repeat(43), { headers: { origin: 'https://evil.example' } })
    assert.equal(page.status, 403)
  })

  test('is kept under a consent that was passed on where that allows it', async () => {
    const delegation = await passOn(network, consent, { fields: { include: ['height'] }, modes: ['store'] })
    const first = await callReplica(network.delegate, { consent: delegation })
    assert.deepEqual([first.code, first.how], ['200', 'stored'])
    const hit = await callReplica(network.delegate, { consent: delegation, ask: 'only' })
    assert.deepEqual([hit.how, hit.json], ['hit', { height: 181 }])
  })

  test('is asked for with words that are understood, by GET', async () => {
    for (const mode of ['always', 'prefer;max-age=-1', 'prefer, only', ''])
      assert.equal((await ask(mode)).code, 'malformed-request', mode)
    const posted = await callReplica(network.recipient, { consent, method: 'POST', body: '{}' })
    assert.equal(posted.code, 'malformed-request')
  })

  test('of a product about nobody is kept under the agreement, and goes with it', async () => {
    await network.agree()
    const headers = { 'comity-replica': 'prefer', 'comity-purpose': 'https://w3id.org/dpv#ScientificResearch' }
    const call = () => fetch(network.recipient.local('/holder/items/items/1'), { headers })
    const first = await call()
    assert.match(first.headers.get('comity-replica') ?? '', /^stored/, await first.clone().text())
    const second = await call()
    assert.match(second.headers.get('comity-replica') ?? '', /^hit/)
    assert.deepEqual(await second.json(), await first.json())
    const agreements = network.recipient.running.parts.counterparts.agreements
    const about = agreements
      .list()
      .filter(({ permissions }) => permissions.some(({ products }) => products.includes('items')))
    for (const { id } of about) await agreements.terminate(id, 'over')
    const gone = await fetch(network.recipient.local('/holder/items/items/1'), {
      headers: { ...headers, 'comity-replica': 'only' },
    })
    assert.equal(gone.status, 504)
    const { database } = network.recipient.running.parts.foundation
    await until(
      'removed',
      async () => (await database.get("SELECT 1 FROM replicas WHERE product = 'items'")) === undefined,
    )
  })
})

describe('nothing is kept', () => {
  let network: ConsentNetwork
  before(async () => void (network = await startReplicaNetwork()))
  after(() => network[Symbol.asyncDispose]())

  test('where the person allowed to view alone, or named no mode', async () => {
    for (const grant of [{}, { modes: ['view'] as const }]) {
      const consent = await consented(network, { grants: [grant] })
      const answer = await callReplica(network.recipient, { consent })
      assert.deepEqual([answer.code, answer.how, answer.reason], ['200', 'none', 'mode-not-granted'])
      assert.deepEqual(await rowsOf(network.recipient), [])
    }
  })

  test('where one of the grants that may cover the call does not say `store`', async () => {
    const grants = [
      { modes: ['store'] as const, domains: ['identity'] },
      { grant: 'g2', domains: ['sport.body'] },
    ]
    const consent = await consented(network, { grants })
    const answer = await callReplica(network.recipient, { consent })
    assert.deepEqual([answer.code, answer.reason], ['200', 'mode-not-granted'])
  })

  test('of what is not configured, of refusals, and of calls that do not ask', async () => {
    const consent = await storable(network, { products: ['athletes', 'results'] })
    const path = athleteOf().replace('athletes/', 'results/') + '/results'
    const unconfigured = await callReplica(network.recipient, { consent, path })
    assert.equal(unconfigured.reason, 'not-configured')
    const refused = await callReplica(network.recipient, { consent, path: athleteOf(otherReference) })
    assert.ok(refused.status >= 400)
    assert.equal((await callLocally(network.recipient, { consent })).code, '200')
    assert.deepEqual(await rowsOf(network.recipient), [])
  })
})

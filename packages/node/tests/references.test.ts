/** Answers that are promised by reference, between real nodes: resolved once, soon, by whom they were promised to. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { testPurposes } from '@comity/core/consent/test-consent'
import {
  call,
  codeOf,
  consentsOf,
  giveConsent,
  jsonOf,
  startPersonalNetwork,
  tokenFor,
  type PersonalNetwork,
} from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { loggedExchange } from './signed-call.ts'
import { startTestNetwork, testPurpose } from './test-network.ts'

const seconds = 120

describe('an answer by reference', () => {
  let network: PersonalNetwork
  let consent: string
  before(async () => {
    network = await startPersonalNetwork({ athletes: { references: { operations: ['athlete'], seconds } } })
    consent = await giveConsent(network)
  })
  beforeEach(() => {
    network.clock.offsetMs = 0
    network.api.called.length = 0
  })
  after(() => network[Symbol.asyncDispose]())

  const authorization = () => tokenFor(network, consent)
  async function promised(): Promise<string> {
    const answer = await call(network, { authorization: await authorization() })
    assert.equal(answer.headers.get('content-type'), 'application/vnd.comity.reference+json')
    return new URL(String(jsonOf(answer)['reference'])).pathname
  }
  const resolve = async (path: string) => call(network, { path, authorization: await authorization() })
  const usesOf = () => {
    const { database } = network.holder.running.parts.foundation
    return database.all('SELECT exchange FROM consent_uses WHERE consent = ?', [consent])
  }

  test('is no data: the API is not called, and no use counts', async () => {
    const usesBefore = (await usesOf()).length
    const answer = await call(network, { authorization: await authorization() })
    const { reference, expires } = jsonOf(answer)
    assert.match(String(reference), new RegExp(`^${network.holder.url}/x/athletes/~references/[A-Za-z0-9_-]{43}$`))
    assert.ok(Date.parse(String(expires)) > network.clock.now())
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.deepEqual(network.api.called, [])
    assert.equal((await usesOf()).length, usesBefore)
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual([claims.rel, claims.wit, claims.con?.id], [undefined, undefined, consent])
  })

  test('is resolved to the data once, and refused the second time', async () => {
    const path = await promised()
    const answer = await resolve(path)
    assert.deepEqual(jsonOf(answer), { height: 181, weight: 74 })
    assert.deepEqual(network.api.called, [`GET /athletes/${athleteReference}`])
    const event = await loggedExchange(network.holder, answer.headers.get('comity-exchange') ?? '')
    assert.equal(event?.operation, 'athlete')
    assert.match(event?.reference ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(codeOf(await resolve(path)), 'reference-invalid')
    assert.equal(network.api.called.length, 1)
  })

  test('is resolved once by ten who race', async () => {
    const path = await promised()
    const token = await authorization()
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(network, { path, authorization: token })))
    assert.deepEqual(answers.map(codeOf).toSorted(), ['200', ...Array(9).fill('reference-invalid')])
    assert.equal(network.api.called.length, 1)
  })

  test('passes every check anew when it is resolved', async () => {
    const own = await giveConsent(network)
    const token = await tokenFor(network, own)
    const answer = await call(network, { authorization: token })
    const path = new URL(String(jsonOf(answer)['reference'])).pathname
    assert.equal(codeOf(await call(network, { path })), 'consent-required', 'without a token')
    const elsewhere = { path, authorization: token, purpose: testPurposes.marketing }
    assert.equal(codeOf(await call(network, elsewhere)), 'consent-purpose')
    await consentsOf(network.holder).withdraw(own, { by: 'subject', actorId: 'the athlete', method: 'page' })
    assert.equal(codeOf(await call(network, { path, authorization: token })), 'consent-inactive')
    assert.deepEqual(network.api.called, [])
  })

  test('is not used up by a refusal or a failure of the API', async () => {
    const path = await promised()
    assert.equal(codeOf(await call(network, { path })), 'consent-required')
    assert.deepEqual(jsonOf(await resolve(path)), { height: 181, weight: 74 })
  })

  test('is of use to nobody else, nor with another method, nor when it is made up', async () => {
    const path = await promised()
    const made = `${path.slice(0, -43)}${'A'.repeat(43)}`
    for (const other of [made, `${path}A`, path.slice(0, -1)]) {
      assert.equal(codeOf(await resolve(other)), 'reference-invalid')
    }
    const stranger = network.holder.running.parts.foundation.identity.authenticationKey()
    assert.notEqual(codeOf(await call(network, { path, as: stranger, authorization: await authorization() })), '200')
    const posted = await call(network, { path, method: 'POST', authorization: await authorization() })
    assert.equal(codeOf(posted), 'method-not-allowed')
    assert.deepEqual(network.api.called, [])
  })

  test('outlives a restart, and its use does too', async () => {
    const [path, used] = [await promised(), await promised()]
    assert.equal(codeOf(await resolve(used)), '200')
    await network.holder.stop()
    await network.holder.start()
    assert.equal(codeOf(await resolve(used)), 'reference-invalid')
    assert.equal(codeOf(await resolve(path)), '200')
  })

  test('expires', async () => {
    const path = await promised()
    network.clock.offsetMs = (seconds + 1) * 1_000
    assert.equal(codeOf(await resolve(path)), 'reference-invalid')
  })
})

test('a reference comes to the application of a partner, which resolves it through its own node', async () => {
  await using network = await startTestNetwork({
    holder: (config) => {
      for (const product of config['products'] as Record<string, unknown>[]) {
        if (product['id'] === 'items') product['references'] = { operations: ['getItem'] }
      }
    },
  })
  await network.agree()
  const ask = (path: string) => fetch(network.recipient.local(path), { headers: { 'comity-purpose': testPurpose } })
  const { reference } = (await (await ask('/holder/items/items/7')).json()) as { reference: string }
  const path = `/holder/items/${reference.slice(reference.indexOf('~references'))}`
  const answer = await ask(path)
  assert.equal(answer.status, 200)
  assert.equal(((await answer.json()) as { id: unknown }).id, 7)
  const again = await ask(path)
  assert.deepEqual([again.status, ((await again.json()) as { code: string }).code], [404, 'reference-invalid'])
})

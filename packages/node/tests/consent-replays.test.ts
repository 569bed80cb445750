/** What is sent twice, too late, too early or at once: decisions, links, requests, tokens, events, clocks that differ. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { attribute } from './html-page.ts'
import { callOverWire, chainOf, codeOf, problemOf } from './consent-chains.ts'
import {
  ask,
  atHolder,
  browserAt,
  callLocally,
  changeOnPage,
  consented,
  decideOnPage,
  operate,
  startConsentNetwork,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { adminOf } from './admin-call.ts'
import { send, signCall, type Answer } from './signed-call.ts'
import { requestOf } from './personal-network.ts'

describe('consent over and over', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  const stepsOf = async (id: string) => (await atHolder(network, id)).events.map(({ type }) => type)

  test('a link that decided decides no more, in whatever browser, and a guessed one never', async () => {
    const { id, link } = await ask(network)
    await decideOnPage(network, link)
    await changeOnPage(network, id, 'withdraw')
    for (const address of [link, link.replace(/.{6}$/, 'AAAAAA'), `${new URL(link).origin}/c/${'A'.repeat(43)}`]) {
      const again = await browserAt(network).open(address)
      assert.equal(again.status, 404)
      assert.match(again.text, /link-invalid/)
    }
    assert.deepEqual((await atHolder(network, id)).state, 'withdrawn')
  })

  test('a form that is sent twice, also at once, counts once', async () => {
    const { id, link } = await ask(network)
    const browser = browserAt(network)
    const shown = await browser.open(link)
    const [field] = shown.page.all('input').filter((input) => attribute(input, 'name') === 'fields-0')
    const ticks: [string, string][] = [
      ['grant-0', 'yes'],
      ['fields-0', attribute(field as never, 'value') ?? ''],
      ['time', 'P30D'],
      ['act', 'grant'],
    ]
    const review = await browser.submit(shown, '/c/decide', ticks)
    const form = review.page.form('/c/confirm').hidden
    const answers = await Promise.all(Array.from({ length: 5 }, () => browser.post('/c/confirm', form)))
    for (const { path } of answers) assert.equal(path, '/c/done')
    await browser.post('/c/confirm', form)
    await browser.post('/c/decide', [...shown.page.form('/c/decide').hidden, ['act', 'refuse']])
    assert.deepEqual(await stepsOf(id), ['requested', 'presented', 'granted'])
    const { records, state, rev } = await atHolder(network, id)
    assert.deepEqual([records.length, state, rev], [1, 'active', 1])
  })

  test('a withdrawal that is sent five times at once is one', async () => {
    const id = await consented(network)
    const admin = await adminOf(network.holder)
    const path = `/v1/consents/${id}/withdraw`
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => admin.call({ method: 'POST', path, body: { by: 'subject' } })),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const { status, json } of answers)
      if (status !== 200) assert.equal((json as { code: string }).code, 'consent-state')
    assert.equal((await stepsOf(id)).filter((type) => type === 'withdrawn').length, 1)
    await untilHeld(network.recipient, id, 'withdrawn')
    const duties = await network.holder.running.parts.consent.duties.list({ consent: id })
    assert.equal(duties.length, 1, 'what is owed is owed once')
  })

  test('a request that is repeated under its key is the same request, and another one has to wait', async () => {
    const body = JSON.stringify(requestOf({ reference: '900000001' }))
    const post = (key: string, content = body) =>
      send(
        network.holder,
        signCall(network, {
          method: 'POST',
          path: '/consents/requests',
          body: content,
          headers: { 'idempotency-key': `"${key}"` },
        }),
      )
    const answers = await Promise.all([post('one'), post('one'), post('one')])
    answers.push(await post('one'))
    const ids = new Set(answers.map((answer) => problemOf(answer)['id']))
    assert.deepEqual([answers.map(({ status }) => status), ids.size], [[202, 202, 202, 202], 1])
    assert.equal(problemOf(await post('two'))['id'], [...ids][0], 'the same question waits once')
    const third = await post('three', JSON.stringify(requestOf({ reference: '900000001', duration: 'P90D' })))
    assert.equal(codeOf(third), 'consent-state')
    const other = await post('one', JSON.stringify(requestOf({ reference: '900000001', duration: 'P60D' })))
    assert.equal(codeOf(other), 'idempotency-key-reused')
  })

  test('a signed request for a token, a call and a request are taken once each', async () => {
    const id = await consented(network)
    const chain = await chainOf(network.recipient, id)
    const calls = [
      signCall(network, { path: `/consents/${id}/token`, headers: {} }),
      signCall(network, { path: `/consents/${id}`, headers: {} }),
      signCall(network, {
        method: 'POST',
        path: '/consents/requests',
        headers: {},
        body: JSON.stringify(requestOf({ reference: '900000002' })),
      }),
      signCall(network, {
        path: '/x/athletes/athletes/736041664',
        headers: { 'comity-purpose': 'https://w3id.org/dpv#ResearchAndDevelopment', authorization: `Comity ${chain}` },
      }),
    ]
    for (const call of calls) {
      assert.ok((await send(network.holder, call)).status < 300, call.target)
      assert.equal(codeOf(await send(network.holder, call)), 'nonce-replayed', call.target)
    }
  })

  test('a decision over the API for what was decided already is refused, and changes nothing', async () => {
    const { id } = await ask(network, { reference: '900000003' })
    const admin = await adminOf(network.holder)
    const decide = (body: object) => admin.call({ method: 'POST', path: `/v1/consents/${id}/decide`, body })
    const session = { channel: 'portal' }
    const refuse = { decision: 'refuse', session, lang: 'en' }
    assert.equal((await decide(refuse)).status, 200)
    const steps = await stepsOf(id)
    for (const body of [
      refuse,
      { decision: 'grant', session, lang: 'en', grants: [{ id: 'g1' }] },
      { decision: 'defer', session, lang: 'en' },
    ])
      assert.equal(((await decide(body)).json as { code: string }).code, 'consent-state')
    assert.deepEqual(await stepsOf(id), steps)
  })

  test('clocks that differ by less than is allowed cost no call, and by more every one', async () => {
    const id = await consented(network)
    const chain = await chainOf(network.recipient, id)
    const now = Math.floor(network.clock.now() / 1_000)
    const at = (createdAt: number): Promise<Answer> =>
      callOverWire(network, { chain, createdAt, expiresAt: createdAt + 30 })
    assert.deepEqual([codeOf(await at(now - 25)), codeOf(await at(now + 25))], ['200', '200'])
    assert.match(codeOf(await at(now - 70)), /^signature-/)
    assert.match(codeOf(await at(now + 70)), /^signature-/)
    // A token is good a little longer than it says, by that same allowance, and no more.
    const exp = Math.floor(network.clock.now() / 1_000) + 300
    network.clock.offsetMs += 320_000
    assert.ok(exp < Math.floor(network.clock.now() / 1_000))
    assert.equal(codeOf(await callOverWire(network, { chain })), '200')
    network.clock.offsetMs += 15_000
    assert.equal(codeOf(await callOverWire(network, { chain })), 'consent-token-expired')
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200', 'its own node fetches another')
  })

  test('a request that lapsed cannot be granted, and asking again is possible', async () => {
    const { id, link } = await ask(network, { reference: '736041665' })
    const browser = browserAt(network)
    const shown = await browser.open(link)
    network.clock.offsetMs += 31 * 86_400_000
    await network.holder.running.parts.consent.consents.expireDue()
    const late = await browser.post('/c/decide', [...shown.page.form('/c/decide').hidden, ['act', 'refuse']])
    assert.ok(late.status >= 400, late.page.text)
    assert.ok((await browserAt(network).open(link)).status >= 400)
    assert.equal((await atHolder(network, id)).state, 'expired')
    const again = await ask(network, { reference: '736041665' })
    assert.notEqual(again.id, id)
    await operate(network.holder, `/v1/consents/${again.id}`)
  })
})

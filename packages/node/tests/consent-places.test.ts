/** A consent for some countries over the wire, a consent that takes another's place, and rights that bite while calls
 *  are under way. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { consentChanged } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import { callOverWire, chainOf, codeOf, problemOf } from './consent-chains.ts'
import {
  atHolder,
  callLocally,
  changeOnPage,
  consented,
  decideOnPage,
  grantOf,
  operate,
  plainNotice,
  startConsentNetwork,
  until,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { personAt } from './rights-person.ts'

describe('a consent between real nodes', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  /** What the holder has been told of where the recipient is. */
  async function declare(country: string | undefined): Promise<void> {
    const { partners } = network.holder.running.parts.counterparts
    const { alias, did, url, fingerprint } = { ...network.recipient, alias: 'recipient' }
    await partners.remove(alias)
    await partners.add({ alias, did, url, fingerprints: [fingerprint], ...(country !== undefined && { country }) })
  }

  test('for some countries: the partner`s declared country decides, and who declared none is refused', async () => {
    const only = await consented(network, { grants: [{ geo: { allow: ['CH', 'PT'] } }] })
    const not = await consented(network, { grants: [{ geo: { deny: ['US'] } }] })
    const both = async () => {
      const calls = [only, not].map(async (consent) => {
        const chain = await chainOf(network.recipient, consent)
        return codeOf(await callOverWire(network, { chain }))
      })
      return Promise.all(calls)
    }
    network.api.called.length = 0
    assert.deepEqual(await both(), ['consent-place', 'consent-place'], 'nothing is known of where it is')
    await declare('US')
    assert.deepEqual(await both(), ['consent-place', 'consent-place'])
    assert.deepEqual(network.api.called, [], 'the API behind is not asked')
    await declare('PT')
    assert.deepEqual(await both(), ['200', '200'])
    await declare('BR')
    assert.deepEqual(await both(), ['consent-place', '200'])
    await declare(undefined)
    assert.deepEqual(await both(), ['consent-place', 'consent-place'])
  })

  test('that takes the place of another by the same template: the old token is refused, the application goes on', async () => {
    const { grant, ...rest } = grantOf({})
    await operate(network.recipient, '/v1/templates', {
      id: 'urn:example:renewed',
      version: '1',
      kind: 'personal',
      title: { en: 'Sports medicine' },
      notice: { text: plainNotice.text },
      grants: [{ grant, ...rest }],
      duration: 'P30D',
    })
    const asked = async () => {
      const { id } = await operate<{ id: string }>(network.recipient, '/v1/held-consents', {
        partner: 'holder',
        reference: athleteReference,
        label: 'kim',
        template: { id: 'urn:example:renewed' },
        recipient: { name: 'Sports Lab' },
      })
      const { data } = await until('the link', () =>
        network.systems.holder.heard.find(({ type, data: told }) => type === 'consent.requested' && told['id'] === id),
      )
      await decideOnPage(network, String(data['link']))
      return id
    }
    const given = async () => {
      const id = await asked()
      await untilHeld(network.recipient, id, 'active')
      return id
    }
    for (const old of await operate<{ id: string; state: string }[]>(network.recipient, '/v1/held-consents'))
      if (old.state === 'active')
        await changeOnPage(network, old.id, 'withdraw').then(() => untilHeld(network.recipient, old.id, 'withdrawn'))
    const first = await given()
    const { subject } = await untilHeld(network.recipient, first, 'active')
    const path = `athletes/athletes/${subject}`
    const chain = await chainOf(network.recipient, first)
    assert.equal(codeOf(await callOverWire(network, { chain })), '200')
    assert.equal((await callLocally(network.recipient, { path })).code, '200')
    const second = await given()
    const refused = await callOverWire(network, { chain })
    assert.deepEqual([codeOf(refused), problemOf(refused)['state']], ['consent-inactive', 'superseded'])
    assert.equal((await atHolder(network, first)).state, 'superseded')
    const read = await callLocally(network.recipient, { path })
    assert.equal(read.code, '200', read.text)
    await untilHeld(network.recipient, first, 'superseded')
    assert.equal((await callLocally(network.recipient, { path })).code, '200')
    const [use] = await operate<{ caller: string }[]>(network.holder, `/v1/consents/${second}/uses`)
    assert.equal(use?.caller, network.recipient.did)
    const { handlers } = network.recipient.running.parts.counterparts
    const take = handlers.get(consentChanged)
    assert.ok(take)
    handlers.set(consentChanged, () => Promise.reject(new Problem('storage-failed', 'not now')))
    const third = await asked()
    const known = await network.recipient.running.parts.consent.held.consents.show(second)
    assert.equal(known.held.state, 'active', 'no notice is here')
    const calls = await Promise.all([path, path, path].map((one) => callLocally(network.recipient, { path: one })))
    assert.deepEqual(
      calls.map(({ code }) => code),
      ['200', '200', '200'],
    )
    const named = await callLocally(network.recipient, { path, consent: second })
    assert.deepEqual([named.code, named.json['state']], ['consent-inactive', 'superseded'], 'who names one means it')
    assert.equal((await operate<object[]>(network.holder, `/v1/consents/${third}/uses`)).length, 3)
    handlers.set(consentChanged, take)
    await untilHeld(network.recipient, third, 'active')
  })

  for (const type of ['restrict', 'object'] as const) {
    test(`with \`${type}\` while calls are under way: no answer leaves after it is in the log`, async () => {
      const consent = await consented(network)
      const chain = await chainOf(network.recipient, consent)
      const person = await personAt(network)
      const held: ServerResponse[] = []
      network.api.behave = (response) => void held.push(response)
      const calls = Array.from({ length: 8 }, () => callOverWire(network, { chain }))
      await until('the calls at the API', () => held.length === 8)
      await person.ask({ type })
      network.api.behave = undefined
      const later = await callOverWire(network, { chain })
      for (const response of held)
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ height: 181 }))
      const answers = await Promise.all(calls)
      assert.deepEqual(
        [...answers, later].map((answer) => [codeOf(answer), answer.body.toString('utf8').includes('181')]),
        Array.from({ length: 9 }, () => ['consent-inactive', false]),
      )
      const uses = await operate<unknown[]>(network.holder, `/v1/consents/${consent}/uses`)
      assert.deepEqual(uses, [])
    })
  }
})

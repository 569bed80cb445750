/** Who asks cannot find out whom a holder knows: whatever is the reason, the answer is the same to the last byte. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertAlike, comparable } from './comparable-answer.ts'
import { callOverWire, callerKey, chainOf, type WireCall } from './consent-chains.ts'
import {
  ask,
  changeOnPage,
  consented,
  passOn,
  startConsentNetwork,
  until,
  type ConsentNetwork,
} from './consent-network.ts'
import { requestOf } from './personal-network.ts'
import { otherReference } from './personal-upstream.ts'
import { send, signCall } from './signed-call.ts'
import { adminOf } from './admin-call.ts'

const nobody = '999999999'

describe('nobody learns whom a holder knows', () => {
  let network: ConsentNetwork
  let chain: string
  let foreign: string
  let known: string
  before(async () => {
    network = await startConsentNetwork()
    known = await consented(network, { reference: otherReference })
    foreign = await chainOf(network.recipient, known)
    const id = await consented(network)
    chain = await chainOf(network.recipient, id)
  })
  after(() => network[Symbol.asyncDispose]())

  const about = (reference: string): WireCall => ({ path: `/x/athletes/athletes/${reference}` })

  test('by calls: without a token, about nobody, about who gave none, with another`s token', async () => {
    network.api.called.length = 0
    assertAlike(
      await Promise.all([
        callOverWire(network, about(nobody)),
        callOverWire(network, about(otherReference)),
        callOverWire(network),
        callOverWire(network, { ...about(nobody), chain }),
        callOverWire(network, { ...about(otherReference), chain }),
        callOverWire(network, { chain: foreign }),
        callOverWire(network, { ...about(nobody), chain: foreign }),
      ]),
    )
    assert.deepEqual(network.api.called, [])
  })

  test('by calls through their own node either', async () => {
    const held = network.recipient.running.parts.consent.held
    const { details } = await held.consents.show(known)
    const codes = [nobody, otherReference].map(async (reference) => {
      const answer = await fetch(network.recipient.local(`/holder/athletes/athletes/${reference}`), {
        headers: { 'comity-purpose': 'https://w3id.org/dpv#ResearchAndDevelopment' },
      })
      const { requestId: _, ...body } = (await answer.json()) as Record<string, unknown>
      return { status: answer.status, body }
    })
    const [first, second] = await Promise.all(codes)
    assert.deepEqual(first, second)
    assert.equal(first?.body['code'], 'consent-required')
    assert.match(details?.subject ?? '', /^ps_/)
  })

  test('by asking: the answer about nobody has the shape of every other', async () => {
    const asked = async (reference: string) => {
      const body = JSON.stringify(requestOf({ reference }))
      return send(network.holder, signCall(network, { method: 'POST', path: '/consents/requests', headers: {}, body }))
    }
    const answers = await Promise.all(['900000011', nobody].map(asked))
    for (const { status, headers, body } of answers) {
      const { id, state, lapses, ...more } = JSON.parse(body.toString()) as Record<string, string>
      assert.deepEqual(
        [status, state, more, headers.get('content-length')],
        [202, 'requested', {}, String(body.length)],
      )
      assert.match(id ?? '', /^urn:uuid:/)
      assert.ok(Date.parse(lapses ?? '') > network.clock.now())
    }
    assert.equal(new Set(answers.map(({ body }) => body.length)).size, 1)
  })

  test('by asking again: who refused, who did not answer and who is not there look alike', async () => {
    const { id: refused, link } = await ask(network, { reference: '900000012' })
    const admin = await adminOf(network.holder)
    const decision = { decision: 'refuse', session: { channel: 'portal' }, lang: 'en' }
    assert.equal(
      (await admin.call({ method: 'POST', path: `/v1/consents/${refused}/decide`, body: decision })).status,
      200,
    )
    const { id: unanswered } = await ask(network, { reference: '900000013' })
    assert.ok(link)
    const read = async (path: string) => {
      const { status, body } = await send(network.holder, signCall(network, { path, headers: {} }))
      const { id: _, lapses: __, ...rest } = JSON.parse(body.toString()) as Record<string, unknown>
      return { status, rest: { ...rest, requestId: '' }, bytes: body.length }
    }
    for (const path of [(id: string) => `/consents/requests/${id}`, (id: string) => `/consents/${id}`])
      assert.deepEqual(await read(path(refused)), await read(path(unanswered)))
    const tokens = await Promise.all([refused, unanswered].map((id) => read(`/consents/${id}/token`)))
    assert.deepEqual(tokens[0], tokens[1])
  })

  test('by the addresses of consents: no such one, and one of others', async () => {
    const strange = 'urn:uuid:0190a7f0-0000-7000-8000-000000000000'
    const id = known
    const paths = [
      (of: string) => `/consents/${of}`,
      (of: string) => `/consents/requests/${of}`,
      (of: string) => `/consents/${of}/token`,
    ]
    const as = callerKey(network.delegate)
    const assertStrange = async (asked: typeof paths) => {
      for (const path of asked) {
        const calls = [strange, id].map((of) => signCall(network, { path: path(of), headers: {}, as }))
        assertAlike(await Promise.all(calls.map((call) => send(network.holder, call))))
      }
    }
    await assertStrange(paths)
    await passOn(network, id)
    const { store } = network.holder.running.parts.consent
    await until('the holder knows the delegate', async () => (await store.loadDelegates(id)).length > 0)
    // A delegate gets its part from who passed it on: to the holder's addresses it is a stranger still.
    await assertStrange(paths)
    const revoke = (of: string) =>
      send(
        network.holder,
        signCall(network, {
          method: 'POST',
          path: `/consents/${of}/revoke`,
          headers: {},
          as: callerKey(network.delegate),
        }),
      )
    assertAlike([await revoke(strange), await revoke(id)])
  })

  test('by a withdrawal: another`s token about who ended it says nothing new', async () => {
    const earlier = comparable(await callOverWire(network, { ...about(otherReference), chain }))
    await changeOnPage(network, known, 'withdraw')
    assert.deepEqual(comparable(await callOverWire(network, { ...about(otherReference), chain })), earlier)
    assert.deepEqual(comparable(await callOverWire(network, about(otherReference))), earlier)
  })
})

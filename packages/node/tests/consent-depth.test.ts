/** A delegate that passes a part on to a delegate of its own: four real nodes, a chain of two, and its ends. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { DutyView } from '../src/admin/rights-api.ts'
import { adminOf } from './admin-call.ts'
import { callOverWire, chainOf, codeOf, payloadOf } from './consent-chains.ts'
import {
  callLocally,
  changeOnPage,
  consented,
  operate,
  passOn,
  startConsentNetwork,
  until,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { fulfil } from './rights-person.ts'
import type { TestNode } from './test-network.ts'

const further = { fields: { include: ['height', 'weight'] }, onward: { allow: 'any', maxDepth: 2 } } as const

describe('a delegate of a delegate', () => {
  let network: ConsentNetwork
  let sub: TestNode
  before(async () => {
    network = await startConsentNetwork({ more: ['sub'] })
    sub = network.others['sub'] ?? assert.fail()
  })
  after(() => network[Symbol.asyncDispose]())

  /** What a node answers to its operator who passes a part of what it holds on. */
  const passOnAt = async (
    node: TestNode,
    held: string,
    { delegate, ...part }: { delegate: string; fields: object },
  ) => {
    const ends = new Date(network.clock.now() + 86_400_000).toISOString()
    const body = { delegate, until: ends, grants: [{ grant: 'g1', ...part }] }
    const { status, text } = await (
      await adminOf(node)
    ).call({ path: `/v1/held-consents/${held}/delegate`, method: 'POST', body })
    const json = JSON.parse(text) as { readonly id: string; readonly code?: string }
    return { id: json.id, code: json.code ?? String(status), text }
  }
  const height = { fields: { include: ['height'] } } as const

  /** A consent, what the delegate has of it, and what its delegate has of that. */
  async function passedTwice() {
    const consent = await consented(network)
    const first = await passOn(network, consent, further)
    const { id: second, code, text } = await passOnAt(network.delegate, first, { delegate: 'sub', ...height })
    assert.equal(code, '201', text)
    await untilHeld(sub, second, 'active')
    return { consent, first, second }
  }

  test('reads through the chain of two what it was given, and no more', async () => {
    const { second } = await passedTwice()
    const read = await callLocally(sub, { consent: second })
    assert.deepEqual([read.code, read.json], ['200', { height: 181 }])
    const chain = await chainOf(sub, second)
    assert.deepEqual([chain.split('~').length, payloadOf(chain).del_depth], [3, 2])
    assert.equal(codeOf(await callOverWire(network, { chain, by: sub })), '200')
    assert.equal(codeOf(await callOverWire(network, { chain, by: network.delegate })), 'consent-required')
  })

  test('is refused with its next call after the withdrawal, and its node is told', async () => {
    const { consent, second } = await passedTwice()
    const chain = await chainOf(sub, second)
    const read = async () => codeOf(await callOverWire(network, { chain, by: sub }))
    assert.equal(await read(), '200')
    await changeOnPage(network, consent, 'withdraw')
    assert.equal(await read(), 'consent-inactive')
    await untilHeld(sub, second, 'withdrawn')
    assert.equal((await callLocally(sub, { consent: second })).code, 'consent-inactive')
  })

  test('owes the deletion as well, and its receipt is at the holder', async () => {
    const { consent, second } = await passedTwice()
    assert.equal((await callLocally(sub, { consent: second })).code, '200')
    await changeOnPage(network, consent, 'withdraw')
    const duty = await until('what is owed', async () => {
      const imposed = await operate<DutyView[]>(network.holder, `/v1/duties?side=imposed&consent=${consent}`)
      const owed = await operate<DutyView[]>(sub, '/v1/duties?side=owed&state=open')
      return owed.find(({ id }) => imposed.some((one) => one.id === id && one.debtor === sub.did))
    })
    assert.equal(duty.kind, 'delete')
    const closed = await fulfil(sub, network, { duty: duty.id, outcome: 'deleted' })
    assert.deepEqual([closed.state, closed.debtor, closed.receipt === undefined], ['done', sub.did, false])
  })

  test('loses what it has with the delegation above it, which the holder and its node hear of', async () => {
    const { consent, first, second } = await passedTwice()
    const chain = await chainOf(sub, second)
    await operate(network.recipient, `/v1/delegations/${first}/end`, {})
    const { store } = network.holder.running.parts.consent
    await until('the end', async () =>
      (await store.loadDelegates(consent)).some(
        ({ delegation, endedMs }) => delegation === first && endedMs !== undefined,
      ),
    )
    assert.equal(codeOf(await callOverWire(network, { chain, by: sub })), 'consent-inactive')
    await untilHeld(network.delegate, first, 'revoked')
    await untilHeld(sub, second, 'revoked')
    assert.equal((await callLocally(sub, { consent: second })).code, 'consent-inactive')
    assert.equal((await callLocally(network.recipient, { consent })).code, '200')
  })

  test('a chain gets no deeper than was allowed, whoever would make it longer', async () => {
    const { second } = await passedTwice()
    const third = await passOnAt(sub, second, { delegate: 'recipient', ...height })
    assert.equal(third.code, 'delegation-refused', third.text)
    const shallow = await consented(network, { grants: [{ onward: { allow: 'any', maxDepth: 1 } }] })
    const wider = await passOnAt(network.recipient, shallow, { delegate: 'delegate', ...further })
    assert.equal(wider.code, 'delegation-refused', wider.text)
    const only = await passOn(network, shallow)
    const refused = await passOnAt(network.delegate, only, { delegate: 'sub', ...height })
    assert.equal(refused.code, 'delegation-refused', refused.text)
  })
})

/** A person narrows a consent of which parts were passed on, between real nodes: what a delegation still covers follows,
 *  what it does not ends, everyone hears of it, and what was dropped is owed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { DelegationView } from '../src/admin/consent-api.ts'
import type { DutyView } from '../src/admin/rights-api.ts'
import { adminOf } from './admin-call.ts'
import {
  callLocally,
  consented,
  operate,
  passOn,
  startConsentNetwork,
  until,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { owedAt } from './rights-person.ts'
import type { TestNode } from './test-network.ts'

describe('a consent that is narrowed after parts of it were passed on', () => {
  let network: ConsentNetwork
  before(async () => void (network = await startConsentNetwork()))
  after(() => network[Symbol.asyncDispose]())

  const narrow = (id: string, ...fields: string[]) =>
    operate(network.holder, `/v1/consents/${id}/decide`, {
      decision: 'grant',
      lang: 'en',
      grants: [{ id: 'g1', fields }],
      session: { channel: 'portal' },
    })
  const listed = async (id: string) =>
    (await operate<DelegationView[]>(network.recipient, '/v1/delegations')).find((one) => one.id === id)
  const fieldsOf = async (node: TestNode, consent: string) => {
    const { code, json } = await callLocally(node, { consent })
    return code === '200' ? Object.keys(json) : code
  }

  test('a delegation of the whole grant follows; both owe the fields that were dropped, and only those', async () => {
    const consent = await consented(network)
    const delegation = await passOn(network, consent, { fields: undefined as never })
    for (const one of [
      [network.recipient, consent],
      [network.delegate, delegation],
    ] as const)
      assert.deepEqual(await fieldsOf(...one), ['name', 'born', 'height', 'weight'])
    await narrow(consent, 'height')
    await until('the narrowing', async () => {
      const [grant] = (await listed(delegation))?.grants ?? []
      return grant?.fields?.include?.join() === 'height'
    })
    assert.equal((await listed(delegation))?.ended, undefined)
    for (const [node, id] of [
      [network.recipient, consent],
      [network.delegate, delegation],
    ] as const) {
      assert.deepEqual(await fieldsOf(node, id), ['height'])
      const { fields, kind, consent: of } = await owedAt(network, { node, kind: 'delete' })
      assert.deepEqual([kind, of, fields], ['delete', consent, ['name', 'born', 'weight']])
    }
    const imposed = await operate<DutyView[]>(network.holder, `/v1/duties?side=imposed&consent=${consent}`)
    assert.deepEqual(
      imposed.map(({ debtor }) => debtor).toSorted(),
      [network.delegate.did, network.recipient.did].toSorted(),
    )
    const told = await until('duty.owed', () => network.systems.delegate.heard.find(({ type }) => type === 'duty.owed'))
    assert.deepEqual(told.data['fields'], ['name', 'born', 'weight'])
  })

  test('a delegation of a field that was dropped ends at the delegator, the delegate and the holder', async () => {
    const consent = await consented(network, { reference: '736041665' })
    const delegation = await passOn(network, consent)
    await narrow(consent, 'weight')
    await untilHeld(network.delegate, delegation, 'revoked')
    const { ended, endedBy } = (await listed(delegation)) ?? {}
    assert.deepEqual([ended === undefined, endedBy], [false, 'narrowing'])
    assert.equal((await callLocally(network.delegate, { consent: delegation })).code, 'consent-inactive')
    const { store } = network.holder.running.parts.consent
    await until('the holder knows', async () => (await store.loadDelegates(consent))[0]?.endedMs !== undefined)
    // The part that is left can be passed on again.
    await passOn(network, consent, { fields: { include: ['weight'] } })
  })

  test('no delegation outlasts its consent, and the delegate sees how long it has it', async () => {
    const consent = await consented(network, { reference: '736041666' })
    const { expires = '' } = await operate<{ expires?: string }>(network.recipient, `/v1/held-consents/${consent}`)
    const late = new Date(Date.parse(expires) + 1_000).toISOString()
    const body = { delegate: 'delegate', until: late, grants: [{ grant: 'g1', fields: { include: ['height'] } }] }
    const admin = await adminOf(network.recipient)
    const path = `/v1/held-consents/${consent}/delegate`
    const { status, json } = await admin.call({ method: 'POST', path, body })
    assert.deepEqual([status, (json as { ends: string }).ends], [403, expires])
    const { id } = await operate<DelegationView>(network.recipient, path, { ...body, until: expires })
    assert.equal((await untilHeld(network.delegate, id, 'active')).expires, expires)
  })

  test('a delegate that calls before anybody has heard of the narrowing reads what is left, at once', async () => {
    const consent = await consented(network)
    const delegation = await passOn(network, consent, { fields: undefined as never })
    for (const one of [
      [network.recipient, consent],
      [network.delegate, delegation],
    ] as const)
      assert.equal((await fieldsOf(...one)).length, 4)
    // Both keep their tokens of the first revision, as before the event arrives.
    const keepers = [network.recipient, network.delegate].map(({ running }) => running.parts.consent.held.keeper)
    const drops = keepers.map(({ drop }) => drop)
    for (const keeper of keepers) keeper.drop = () => undefined
    await narrow(consent, 'height')
    assert.deepEqual(await fieldsOf(network.delegate, delegation), ['height'])
    for (const [index, keeper] of keepers.entries()) keeper.drop = drops[index] ?? keeper.drop
  })

  test('a delegation of two parts that loses one says so', async () => {
    const grants = [{}, { grant: 'g2', domains: ['identity'] }]
    const consent = await consented(network, { grants })
    const { expires = '' } = await operate<{ expires?: string }>(network.recipient, `/v1/held-consents/${consent}`)
    const path = `/v1/held-consents/${consent}/delegate`
    const passed = { delegate: 'delegate', until: expires, grants: [{ grant: 'g1' }, { grant: 'g2' }] }
    const { id, dropped } = await operate<DelegationView>(network.recipient, path, passed)
    assert.deepEqual(dropped, [])
    await narrow(consent, 'height')
    const left = await until('what fell away', async () => {
      const one = await listed(id)
      return one?.dropped.length === 1 ? one : undefined
    })
    assert.deepEqual([left.dropped, left.grants?.map(({ grant }) => grant), left.ended], [['g2'], ['g1'], undefined])
  })
})

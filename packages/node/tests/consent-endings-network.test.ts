/** What has ended, paused or become narrower counts with the very next call: at the holder, at the recipient's node, at
 *  its delegate, between two pages of one answer, and in the status list. */
import assert from 'node:assert/strict'
import { inflateSync } from 'node:zlib'
import { after, before, describe, test } from 'node:test'
import { parseStatusList, verifyStatusList } from '@comity/core/status-list/status-list-token'
import { decodeStatusList, getStatus, statusValues } from '@comity/core/status-list/status-list'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { callOverWire, chainOf, codeOf, payloadOf, problemOf } from './consent-chains.ts'
import {
  atHolder,
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
import { athleteReference } from './personal-upstream.ts'
import { send } from './signed-call.ts'

const results = `results/athletes/${athleteReference}/results`

describe('a consent that changes', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  /** What anybody can read of the status now. */
  async function statusOf(id: string): Promise<string> {
    const [record] = (await atHolder(network, id)).records
    const { uri = '', idx = 0 } = record?.revocation.status ?? {}
    const headers = [['host', new URL(network.holder.url).host]] as const
    const answer = await send(network.holder, { method: 'GET', target: new URL(uri).pathname, headers, body: '' })
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/statuslist\+jwt/)
    const parsed = parseStatusList(answer.body.toString('utf8'))
    const { key } = network.holder.running.parts.foundation.identity.assertionKey()
    const facts = { uri, nowMs: network.clock.now(), skewSeconds: 0 }
    const { claims } = verifyStatusList(parsed, importVerifyingKey(key.publicJwk), facts)
    const list = decodeStatusList(claims.status_list, (bytes, maxOutputLength) =>
      inflateSync(bytes, { maxOutputLength }),
    )
    const value = getStatus(list, idx)
    return Object.entries(statusValues).find(([, known]) => known === value)?.[0] ?? String(value)
  }

  test('by a withdrawal between two pages refuses the second, for recipient and delegate', async () => {
    const id = await consented(network, { grants: [{ products: ['results'], domains: ['sport.results'] }] })
    const delegation = await passOn(network, id, { fields: { include: ['event'] } })
    const [chain, passed] = [await chainOf(network.recipient, id), await chainOf(network.delegate, delegation)]
    const pageOf = (page: number) => ({ path: `/x/${results}`, query: `?page=${page}` })
    const first = await Promise.all([
      callOverWire(network, { chain, ...pageOf(1) }),
      callOverWire(network, { chain: passed, by: network.delegate, ...pageOf(1) }),
    ])
    assert.deepEqual(
      first.map((answer) => (problemOf(answer)['items'] as unknown[]).length),
      [2, 2],
    )
    await changeOnPage(network, id, 'withdraw')
    network.api.called.length = 0
    const second = await Promise.all([
      callOverWire(network, { chain, ...pageOf(2) }),
      callOverWire(network, { chain: passed, by: network.delegate, ...pageOf(2) }),
      callLocally(network.recipient, { consent: id, path: `${results}?page=2` }),
      callLocally(network.delegate, { consent: delegation, path: `${results}?page=2` }),
    ])
    assert.deepEqual(
      second.map((answer) => ('code' in answer ? answer.code : codeOf(answer))),
      Array.from({ length: 4 }, () => 'consent-inactive'),
    )
    assert.deepEqual(network.api.called, [], 'the API behind is not asked')
  })

  test('by a withdrawal is refused by the recipient`s and the delegate`s own node once they were told', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id)
    await changeOnPage(network, id, 'withdraw')
    await untilHeld(network.recipient, id, 'withdrawn')
    await untilHeld(network.delegate, delegation, 'withdrawn')
    const exchanges = async () => {
      const events = await network.holder.running.parts.auditLog.readEvents({ limit: 10_000 })
      return events.filter(({ type }) => type === 'exchange').length
    }
    const known = await exchanges()
    for (const [node, consent] of [
      [network.recipient, id],
      [network.delegate, delegation],
    ] as const) {
      const refused = await callLocally(node, { consent })
      assert.deepEqual([refused.code, refused.json['state']], ['consent-inactive', 'withdrawn'])
    }
    assert.equal(await exchanges(), known, 'nothing left their nodes')
  })

  test('by a pause refuses what worked, and works again with the same token once it is resumed', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id)
    const [chain, passed] = [await chainOf(network.recipient, id), await chainOf(network.delegate, delegation)]
    const both = async () => [
      codeOf(await callOverWire(network, { chain })),
      codeOf(await callOverWire(network, { chain: passed, by: network.delegate })),
    ]
    assert.deepEqual(await both(), ['200', '200'])
    for (let times = 0; times < 2; times += 1) {
      await changeOnPage(network, id, 'pause')
      assert.deepEqual(await both(), ['consent-inactive', 'consent-inactive'])
      assert.equal(await statusOf(id), 'suspended')
      await untilHeld(network.recipient, id, 'paused')
      assert.equal((await callLocally(network.recipient, { consent: id })).json['state'], 'paused')
      await changeOnPage(network, id, 'resume')
      assert.deepEqual(await both(), ['200', '200'])
      assert.equal(await statusOf(id), 'valid')
      await untilHeld(network.recipient, id, 'active')
      await untilHeld(network.delegate, delegation, 'active')
      assert.equal((await callLocally(network.delegate, { consent: delegation })).code, '200')
    }
    const told = (name: 'recipient' | 'delegate', held: string) =>
      network.systems[name].heard.flatMap(({ type, data }) =>
        type === 'consent.changed' && data['id'] === held ? [data['state']] : [],
      )
    for (const [name, held] of [
      ['recipient', id],
      ['delegate', delegation],
    ] as const)
      await until(`the own systems of the ${name} are told of both`, () => {
        const states = told(name, held)
        return ['active', 'paused'].every((state) => states.includes(state)) && states.at(-1) === 'active'
      })
  })

  test('shows in the status list as soon as it is withdrawn', async () => {
    const id = await consented(network)
    assert.equal(await statusOf(id), 'valid')
    await changeOnPage(network, id, 'withdraw')
    assert.equal(await statusOf(id), 'invalid')
  })

  test('by a narrower revision kills every older token, and what is fetched anew gives less', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id, { fields: { include: ['height', 'weight'] } })
    const [chain, passed] = [await chainOf(network.recipient, id), await chainOf(network.delegate, delegation)]
    await operate(network.holder, `/v1/consents/${id}/decide`, {
      decision: 'grant',
      session: { channel: 'portal' },
      lang: 'en',
      grants: [{ id: 'g1', fields: ['height'] }],
    })
    const old = await Promise.all([
      callOverWire(network, { chain }),
      callOverWire(network, { chain: passed, by: network.delegate }),
    ])
    assert.deepEqual(old.map(codeOf), ['consent-superseded', 'consent-superseded'])
    const anew = await callLocally(network.recipient, { consent: id })
    assert.deepEqual(anew.json, { height: 181 })
    const fresh = await chainOf(network.recipient, id)
    assert.deepEqual([payloadOf(fresh).consent.rev, payloadOf(chain).consent.rev], [2, 1])
    const wider = await callLocally(network.delegate, { consent: delegation })
    assert.notEqual(wider.code, '200', wider.text)
    assert.doesNotMatch(wider.text, /\b74\b/)
  })

  test('by its end is refused at that very second, for recipient and delegate, with tokens in hand', async () => {
    const id = await consented(network, {}, { time: 'P1D' })
    const delegation = await passOn(network, id)
    const endMs = Date.parse((await atHolder(network, id)).expires ?? '')
    network.clock.offsetMs += endMs - network.clock.now() - 5_000
    const [chain, passed] = [await chainOf(network.recipient, id), await chainOf(network.delegate, delegation)]
    const both = async () => [
      codeOf(await callOverWire(network, { chain })),
      codeOf(await callOverWire(network, { chain: passed, by: network.delegate })),
    ]
    assert.deepEqual(await both(), ['200', '200'])
    network.clock.offsetMs += endMs - network.clock.now() + 1
    assert.deepEqual(await both(), ['consent-inactive', 'consent-inactive'])
    for (const [node, consent] of [
      [network.recipient, id],
      [network.delegate, delegation],
    ] as const)
      assert.equal((await callLocally(node, { consent })).code, 'consent-inactive', node.name)
  })

  test('by the end of a delegation leaves the recipient its own, and the delegate nothing', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id)
    const passed = await chainOf(network.delegate, delegation)
    assert.equal(codeOf(await callOverWire(network, { chain: passed, by: network.delegate })), '200')
    await operate(network.recipient, `/v1/delegations/${delegation}/end`, {})
    await untilHeld(network.delegate, delegation, 'revoked')
    assert.equal((await callLocally(network.delegate, { consent: delegation })).code, 'consent-inactive')
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
    await untilEnded(network, id)
    assert.equal(codeOf(await callOverWire(network, { chain: passed, by: network.delegate })), 'consent-inactive')
  })
})

/** The holder was told as well. */
async function untilEnded(network: ConsentNetwork, id: string): Promise<void> {
  const { store } = network.holder.running.parts.consent
  await until('the delegation`s end', async () =>
    (await store.loadDelegates(id)).every(({ endedMs }) => endedMs !== undefined),
  )
}

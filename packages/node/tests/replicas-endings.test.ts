/** How replicas end: with the consent, its terms, its retention, a duty, the person; and when nothing is heard of them. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { parseDutyReceipt } from '@comity/core/duties/duty-receipt'
import type { DutyReportView, DutyView } from '../src/admin/rights-api.ts'
import { replicaOf } from '../src/replicas/replica-store-contract.ts'
import { createReplicaStore } from '../src/replicas/replica-store-sql.ts'
import { changeOnPage, operate, startConsentNetwork, until, untilHeld, type ConsentNetwork } from './consent-network.ts'
import { callReplica, ownFields, rowsOf, startReplicaNetwork, storable } from './replica-network.ts'
import { owedAt } from './rights-person.ts'

const minuteMs = 60_000

describe('a replica ends', () => {
  let network: ConsentNetwork
  before(async () => void (network = await startReplicaNetwork()))
  after(() => network[Symbol.asyncDispose]())

  const kept = async (consent: string, count = 1): Promise<void> => {
    const answer = await callReplica(network.recipient, { consent })
    assert.deepEqual([answer.code, answer.how], ['200', 'stored'])
    assert.equal((await rowsOfConsent(consent)).length, count)
  }
  const rowsOfConsent = async (consent: string) =>
    (await rowsOf(network.recipient)).filter((row) => row['consent'] === consent)

  test('with the consent: it is gone with the word of it, and the receipt of the duty says so', async () => {
    const consent = await storable(network)
    await kept(consent)
    const { id } = await callReplica(network.recipient, { consent })
    assert.equal((await ownFields(network.recipient, id, { method: 'PUT', body: '{"own":1}' })).status, 204)
    await changeOnPage(network, consent, 'withdraw')
    await untilHeld(network.recipient, consent, 'withdrawn')
    assert.deepEqual(await rowsOfConsent(consent), [])
    assert.equal((await ownFields(network.recipient, id)).status, 404)
    const refused = await callReplica(network.recipient, { consent, ask: 'only' })
    assert.equal(refused.code, 'replica-missing')
    assert.equal((await callReplica(network.recipient, { consent })).code, 'consent-inactive')
    const duty = await owedAt(network, { node: network.recipient, kind: 'delete' })
    assert.equal(duty.state, 'open', 'the other systems of the organisation still have to report')
    const reported = await operate<DutyReportView>(network.recipient, `/v1/duties/${duty.id}/report`, {
      outcome: 'deleted',
    })
    const { claims } = parseDutyReceipt(reported.receipt ?? '')
    assert.equal(claims.replicas?.removed, 1)
    assert.ok((claims.replicas?.at ?? 0) <= claims.at)
    const done = await until('the receipt at the holder', async () =>
      (await operate<DutyView[]>(network.holder, `/v1/duties?side=imposed&consent=${consent}`)).find(
        ({ state }) => state === 'done',
      ),
    )
    assert.equal(done.receipt, reported.receipt)
  })

  test('while the consent is paused it gives nothing, and is there again afterwards', async () => {
    const consent = await storable(network)
    await kept(consent)
    await changeOnPage(network, consent, 'pause')
    await untilHeld(network.recipient, consent, 'paused')
    const paused = await callReplica(network.recipient, { consent, ask: 'only' })
    assert.deepEqual([paused.code, paused.reason], ['replica-missing', 'consent-inactive'])
    await changeOnPage(network, consent, 'resume')
    await untilHeld(network.recipient, consent, 'active')
    assert.equal((await callReplica(network.recipient, { consent, ask: 'only' })).how, 'hit')
  })

  test('with its retention, to the second, and is removed soon after', async () => {
    const consent = await storable(network, { retention: { for: 'PT1H', onWithdrawal: 'delete' } })
    await kept(consent)
    network.clock.offsetMs += 59 * minuteMs
    assert.equal((await callReplica(network.recipient, { consent })).how, 'hit')
    network.clock.offsetMs += minuteMs
    const over = await callReplica(network.recipient, { consent, ask: 'only' })
    assert.deepEqual(over.code, 'replica-missing')
    await until('removed', async () => (await rowsOfConsent(consent)).length === 0)
    const events = await network.recipient.running.parts.auditLog.readEvents({ from: 0, limit: 10_000 })
    const told = events.findLast(({ type }) => type === 'replicas-removed')
    assert.match(told?.body ?? '', /"reason":"retention-over","removed":1/)
  })

  test('with the person, whose key is destroyed', async () => {
    const consent = await storable(network)
    await kept(consent)
    const [row] = await rowsOfConsent(consent)
    const shown = await network.recipient.running.parts.consent.held.consents.show(consent)
    await network.recipient.running.parts.consent.eraseSubject(shown.details?.subject ?? '')
    assert.deepEqual(await rowsOfConsent(consent), [])
    const { vault } = network.recipient.running.parts.foundation
    assert.equal(await vault.unseal(String(row?.['sealed'])), undefined)
  })
})

describe('a holder that is not heard', () => {
  let network: ConsentNetwork
  let consent: string
  before(async () => {
    network = await startReplicaNetwork()
    consent = await storable(network)
    assert.equal((await callReplica(network.recipient, { consent })).how, 'stored')
  })
  after(() => network[Symbol.asyncDispose]())
  afterEach(() => assert.equal(network.recipient.running.parts.state.ready, true))

  test('does not matter while its word is fresh', async () => {
    await network.holder.stop()
    assert.equal((await callReplica(network.recipient, { consent })).how, 'hit')
    assert.equal((await callReplica(network.recipient, { consent, ask: 'only' })).how, 'hit')
  })

  test('makes its replicas useless once the word is older than a token lives', async () => {
    network.clock.offsetMs += 6 * minuteMs
    const only = await callReplica(network.recipient, { consent, ask: 'only' })
    assert.deepEqual([only.code, only.reason], ['replica-missing', 'unconfirmed'])
    assert.ok((await callReplica(network.recipient, { consent })).status >= 500)
  })

  test('and makes them answer again when it is back', async () => {
    await network.holder.start()
    const answer = await until('an answer', async () => {
      const said = await callReplica(network.recipient, { consent })
      return said.status === 200 && said
    })
    assert.equal(answer.how, 'hit', 'the consent was asked about, the data were not')
  })

  test('a withdrawal that was missed is learned before a replica answers', async () => {
    await network.recipient.stop()
    await changeOnPage(network, consent, 'withdraw')
    network.clock.offsetMs += 6 * minuteMs
    await network.recipient.start()
    const answer = await callReplica(network.recipient, { consent })
    assert.equal(answer.code, 'consent-inactive')
    await until('removed', async () => (await rowsOf(network.recipient)).length === 0)
  })
})

describe('a replica over a restart', () => {
  let network: ConsentNetwork
  before(async () => void (network = await startReplicaNetwork()))
  after(() => network[Symbol.asyncDispose]())

  test('is still there, and what was over meanwhile is removed', async () => {
    const long = await storable(network)
    const short = await storable(network, { retention: { for: 'PT4M', onWithdrawal: 'delete' } })
    for (const consent of [long, short]) assert.equal((await callReplica(network.recipient, { consent })).how, 'stored')
    await network.recipient.stop()
    network.clock.offsetMs += 4 * minuteMs
    await network.recipient.start()
    assert.equal((await callReplica(network.recipient, { consent: long, ask: 'only' })).how, 'hit')
    await until('removed', async () => (await rowsOf(network.recipient)).length === 1)
  })
})

describe('a replica that is refreshed by itself', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startReplicaNetwork([
      { partner: 'holder', product: 'athletes', maxAge: 'PT1H', refresh: 'PT10M' },
      { partner: 'holder', product: 'items', maxAge: 'PT1H' },
    ])
  })
  after(() => network[Symbol.asyncDispose]())

  test('is asked for anew when it is due, and as often only', async () => {
    const consent = await storable(network)
    const stored = await callReplica(network.recipient, { consent })
    network.clock.offsetMs += 11 * minuteMs
    await until('asked anew', async () => network.api.called.length === 2)
    const hit = await until('validated', async () => {
      const said = await callReplica(network.recipient, { consent, ask: 'only;max-age=60' })
      return said.how === 'hit' && said
    })
    assert.equal(hit.exchange, stored.exchange)
    assert.equal(network.api.called.length, 2)
  })

  test('is asked for anew, however many older ones are asked for by nobody', async () => {
    const consent = await storable(network)
    const stored = await callReplica(network.recipient, { consent })
    const { database } = network.recipient.running.parts.foundation
    const store = createReplicaStore(database)
    const unasked = { holder: network.holder.did, product: 'items', operation: 'item', validatedMs: 1, confirmedMs: 1 }
    const about = { agreement: undefined, held: undefined, consent: undefined, subject: undefined, untilMs: undefined }
    await database.execute(
      Array.from({ length: 120 }, (_, n) =>
        store.put(replicaOf(`older-${n}`, { ...unasked, ...about }), { sql: '1 = 1' }),
      ),
    )
    network.clock.offsetMs += 11 * minuteMs
    await until('asked anew', async () => {
      const replica = await store.find(stored.id ?? '')
      return replica !== undefined && replica.validatedMs > replica.fetchedMs + 10 * minuteMs
    })
  })
})

test('a node that keeps no replicas answers as ever, and says that none is configured', async () => {
  await using network = await startConsentNetwork()
  const consent = await storable(network)
  const answer = await callReplica(network.recipient, { consent })
  assert.deepEqual([answer.code, answer.how, answer.reason], ['200', 'none', 'not-configured'])
  assert.deepEqual(await rowsOf(network.recipient), [])
})

/** A consent ends; what the recipient and its delegate owe for it is told to their own systems, done, and proven to the
 *  holder by their signed receipts, between real nodes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { importSigningKey, generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { parseDutyReceipt, signDutyReceipt } from '@comity/core/duties/duty-receipt'
import { dutyReported } from '@comity/core/events/event-types'
import type { DutyReportView, DutyView } from '../src/admin/rights-api.ts'
import { adminOf } from './admin-call.ts'
import {
  athleteOf,
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
import { otherReference } from './personal-upstream.ts'
import { fulfil, owedAt } from './rights-person.ts'
import type { TestNode } from './test-network.ts'

const dayMs = 86_400_000

describe('what is owed when a consent ends', () => {
  let network: ConsentNetwork
  let consent: string
  before(async () => {
    network = await startConsentNetwork()
    consent = await consented(network)
    assert.equal((await callLocally(network.recipient, { consent })).code, '200')
    const delegation = await passOn(network, consent)
    assert.equal((await callLocally(network.delegate, { consent: delegation })).code, '200')
    await changeOnPage(network, consent, 'withdraw')
    await untilHeld(network.recipient, consent, 'withdrawn')
  })
  after(() => network[Symbol.asyncDispose]())

  const imposed = () => operate<DutyView[]>(network.holder, `/v1/duties?side=imposed&consent=${consent}`)

  test('recipient and delegate each owe the deletion, and their own systems are told', async () => {
    for (const [node, system] of [
      [network.recipient, network.systems.recipient],
      [network.delegate, network.systems.delegate],
    ] as const) {
      const duty = await owedAt(network, { node, kind: 'delete' })
      assert.deepEqual([duty.consent, duty.debtor, duty.overdue], [consent, node.did, false])
      const told = await until('duty.owed', () => system.heard.find(({ type }) => type === 'duty.owed'))
      assert.deepEqual([told.data['duty'], told.data['kind'], told.data['subject']], [duty.id, 'delete', duty.subject])
      assert.match(duty.subject ?? '', /^ps_/)
    }
    assert.equal((await imposed()).length, 2)
  })

  test('a forged receipt, or another`s, closes nothing', async () => {
    const duty = await owedAt(network, { node: network.recipient, kind: 'delete' })
    const { foundation, counterparts } = network.recipient.running.parts
    const { keyid } = foundation.identity.assertionKey()
    const claims = {
      iss: network.recipient.did,
      aud: network.holder.did,
      iat: Math.floor(network.clock.now() / 1000),
      duty: duty.id,
      kind: 'delete',
      consent,
      sub: duty.subject ?? '',
      outcome: 'deleted',
      at: network.clock.now(),
    } as const
    const forged = signDutyReceipt(claims, { keyid, key: importSigningKey(generatePrivateJwk('ed25519')) })
    const other = (await imposed()).find(({ debtor }) => debtor === network.delegate.did)?.id ?? ''
    const right = signDutyReceipt({ ...claims, duty: other }, foundation.identity.assertionKey())
    const { handlers } = network.holder.running.parts.counterparts
    for (const payload of [
      { duty: duty.id, receipt: forged },
      { duty: duty.id, receipt: right },
      { duty: other, receipt: right },
    ]) {
      const event = { issuer: network.recipient.did, id: 'x', type: dutyReported, payload, occurredMs: claims.at }
      await assert.rejects(handlers.get(dutyReported)?.(event) ?? Promise.resolve(), { code: 'event-invalid' })
    }
    // And over the wire, as a debtor that lies would send it.
    await foundation.database.execute([
      counterparts.outbox.statement({
        recipient: network.holder.did,
        type: dutyReported,
        payload: { duty: duty.id, receipt: forged },
        occurredMs: claims.at,
      }),
    ])
    counterparts.outbox.wake()
    await until('the refusal', () => network.recipient.logged.find((line) => line.includes('notice.delayed')))
    assert.ok((await imposed()).every(({ state, receipt }) => state === 'open' && receipt === undefined))
  })

  test('what is late is shown as late on both sides, told once, and counted', async () => {
    network.clock.offsetMs += 8 * dayMs
    for (const [node, name] of [
      [network.holder, 'holder'],
      [network.recipient, 'recipient'],
    ] as const) {
      const { duties } = node.running.parts.consent
      await duties.tellOverdue()
      await duties.tellOverdue()
      const late = await operate<DutyView[]>(node, '/v1/duties?overdue=true')
      assert.ok(late.length >= 1 && late.every(({ overdue }) => overdue))
      const { heard } = network.systems[name]
      await until('duty.overdue', () => heard.some(({ type }) => type === 'duty.overdue'))
      const { text } = await (await adminOf(node)).call({ path: '/metrics' })
      assert.match(text, new RegExp(`^comity_duties_overdue ${late.length}$`, 'm'))
    }
  })

  test('after a restart of both sides the duties stand, and the receipt of each debtor closes its own', async () => {
    for (const node of network.parties) await node.stop()
    for (const node of network.parties) await node.start()
    for (const [node, outcome] of [
      [network.recipient, 'deleted'],
      [network.delegate, 'none-held'],
    ] as const) {
      const duty = await owedAt(network, { node, kind: 'delete' })
      // The holder is away while it is reported: the receipt waits.
      await network.holder.stop()
      await operate(node, `/v1/duties/${duty.id}/report`, { outcome })
      await network.holder.start()
      node.running.parts.counterparts.outbox.wake()
      const closed = await fulfil(node, network, { duty: duty.id, outcome: 'refused', ground: 'said too late' })
      assert.deepEqual([closed.state, closed.outcome, closed.overdue], ['done', outcome, false])
      const { claims } = parseDutyReceipt(closed.receipt ?? '')
      assert.deepEqual([claims.iss, claims.aud, claims.consent], [node.did, network.holder.did, consent])
    }
    assert.deepEqual(await operate(network.holder, '/v1/duties?overdue=true'), [])
  })

  test('a debtor that keeps the data by law says so, and the duty is closed as refused', async () => {
    const again = await consented(network)
    assert.equal((await callLocally(network.recipient, { consent: again })).code, '200')
    await changeOnPage(network, again, 'withdraw')
    const duty = await owedAt(network, { node: network.recipient, kind: 'delete' })
    const admin = await adminOf(network.recipient)
    const path = `/v1/duties/${duty.id}/report`
    const refused = await admin.call({ method: 'POST', path, body: { outcome: 'retained' } })
    assert.deepEqual([refused.status, (refused.json as { code: string }).code], [422, 'duty-receipt-invalid'])
    const closed = await fulfil(network.recipient, network, {
      duty: duty.id,
      outcome: 'retained',
      ground: 'records act',
    })
    assert.deepEqual([closed.state, closed.outcome], ['refused', 'retained'])
    assert.equal(parseDutyReceipt(closed.receipt ?? '').claims.ground, 'records act')
  })

  test('who reports an erasure need not report the deletions of the same person as well', async () => {
    const reference = otherReference
    for (const days of ['P20D', 'P10D']) {
      const given = await consented(network, { reference, duration: days, label: days })
      assert.equal((await callLocally(network.recipient, { consent: given, path: athleteOf(reference) })).code, '200')
    }
    const { id } = await operate<{ id: string }>(network.holder, '/v1/rights/requests', { type: 'erase', reference })
    const erase = await owedAt(network, { node: network.recipient, kind: 'erase', request: id })
    const about = async (node: TestNode) =>
      (await operate<DutyView[]>(node, '/v1/duties?limit=100')).filter(({ subject }) => subject === erase.subject)
    await until('all that is owed', async () => (await about(network.recipient)).length === 4)
    const path = `/v1/duties/${erase.id}/report`
    const reported = await operate<DutyReportView>(network.recipient, path, { outcome: 'deleted' })
    assert.deepEqual([reported.isNew, reported.discharged.length], [true, 3])
    await until('the receipts', async () => (await about(network.holder)).every(({ state }) => state === 'done'))
    for (const duty of await about(network.holder)) {
      const { claims } = parseDutyReceipt(duty.receipt ?? '')
      assert.deepEqual([claims.duty, claims.kind, claims.outcome], [duty.id, duty.kind, 'deleted'])
    }
    const again = await operate<DutyReportView>(network.recipient, path, { outcome: 'none-held' })
    assert.deepEqual([again.isNew, again.outcome, again.discharged], [false, 'deleted', []])
  })

  test('nobody reports in another`s name, and an unknown duty is unknown', async () => {
    const [duty] = await imposed()
    const admin = await adminOf(network.holder)
    for (const id of [duty?.id, 'urn:uuid:none']) {
      const body = { outcome: 'deleted' }
      const answer = await admin.call({ method: 'POST', path: `/v1/duties/${id}/report`, body })
      assert.equal((answer.json as { code: string }).code, 'duty-unknown')
    }
  })
})

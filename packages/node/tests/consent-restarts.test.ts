/** Whoever is away when something ends is told when back, whoever restarts forgets nothing that counts. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { dutyImposed, dutyReported, consentChanged } from '@comity/core/events/event-types'
import { parseDutyReceipt } from '@comity/core/duties/duty-receipt'
import { parseCompactJws } from '@comity/core/jws/compact'
import { callOverWire, chainOf, codeOf } from './consent-chains.ts'
import {
  atHolder,
  callLocally,
  changeOnPage,
  consented,
  passOn,
  startConsentNetwork,
  until,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { send, signCall } from './signed-call.ts'
import type { TestNode } from './test-network.ts'

async function restart(node: TestNode): Promise<void> {
  await node.stop()
  await node.start()
}

describe('consent across restarts', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  /** What a node has to tell about a consent or a duty of it, with the acknowledged tokens. */
  const toldBy = (node: TestNode, type: string, text: string) =>
    node.running.parts.foundation.database.all(
      'SELECT recipient, payload, token, acknowledged_ms FROM outbox_events WHERE type = ? AND payload LIKE ? ORDER BY id',
      [type, `%${text}%`],
    )

  const isAcknowledged = (rows: readonly Record<string, unknown>[]) =>
    rows.length > 0 && rows.every(({ acknowledged_ms: at }) => at !== null) && rows

  test('an end that recipient and delegate missed reaches them, though the holder restarted meanwhile', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id)
    assert.equal((await callLocally(network.delegate, { consent: delegation })).code, '200')
    await network.recipient.stop()
    await network.delegate.stop()
    await changeOnPage(network, id, 'withdraw')
    await restart(network.holder)
    assert.equal((await atHolder(network, id)).state, 'withdrawn')
    const waiting = await toldBy(network.holder, consentChanged, id)
    assert.equal(waiting.filter(({ acknowledged_ms: at }) => at === null).length, 2, 'one for each of the two')
    await network.recipient.start()
    await network.delegate.start()
    // Whoever calls before the word has come is refused by the holder.
    for (const node of [network.recipient, network.delegate])
      assert.equal((await callLocally(node, { consent: id })).code, 'consent-inactive')
    network.clock.offsetMs += 600_000
    network.holder.running.parts.counterparts.outbox.wake()
    await untilHeld(network.recipient, id, 'withdrawn')
    await untilHeld(network.delegate, delegation, 'withdrawn')
    const told = await until('acknowledged', async () =>
      isAcknowledged(await toldBy(network.holder, consentChanged, id)),
    )
    for (const { token, recipient } of told) {
      const { payloadText } = parseCompactJws(String(token), { maxLength: 20_000, typ: 'secevent+jwt' })
      const claims = JSON.parse(payloadText) as Record<string, unknown>
      assert.deepEqual([claims['iss'], claims['aud']], [network.holder.did, recipient])
    }
    await restart(network.holder)
    const kept = await toldBy(network.holder, consentChanged, id)
    assert.deepEqual(kept, told, 'what was acknowledged is kept as evidence')
  })

  test('what is owed reaches the debtor, and its receipt the holder, whoever was away', async () => {
    const id = await consented(network)
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
    await network.recipient.stop()
    await changeOnPage(network, id, 'withdraw')
    await restart(network.holder)
    await network.recipient.start()
    network.clock.offsetMs += 600_000
    network.holder.running.parts.counterparts.outbox.wake()
    const owed = await until('the duty', async () => {
      const duties = await network.recipient.running.parts.consent.duties.list({ side: 'owed', consent: id })
      return duties[0]
    })
    assert.equal(owed.kind, 'delete')
    await until('its own system is told', () =>
      network.systems.recipient.heard.some(({ type, data }) => type === 'duty.owed' && data['duty'] === owed.id),
    )
    await restart(network.recipient)
    await network.holder.stop()
    await network.recipient.running.parts.consent.duties.report(owed.id, { outcome: 'deleted' })
    await restart(network.recipient)
    await network.holder.start()
    network.clock.offsetMs += 600_000
    network.recipient.running.parts.counterparts.outbox.wake()
    const closed = await until('the receipt', async () => {
      const duty = await network.holder.running.parts.consent.duties.show(owed.id)
      return duty.receipt !== undefined && duty
    })
    const { claims } = parseDutyReceipt(closed.receipt ?? '')
    assert.deepEqual([closed.state, claims.outcome, claims.iss], ['done', 'deleted', network.recipient.did])
    await until('acknowledged', async () => isAcknowledged(await toldBy(network.recipient, dutyReported, '')))
    await restart(network.holder)
    const [again] = await network.holder.running.parts.consent.duties.list({ side: 'imposed', consent: id })
    assert.deepEqual(again?.receipt, closed.receipt)
    for (const { payload, token } of await toldBy(network.holder, dutyImposed, '')) {
      assert.equal(payload, '{}', 'of what was told of a person nothing is kept but what shows that it was told')
      assert.match(String(token), /^sha-256:/)
    }
  })

  test('a duty that nobody does is shown as overdue, and the own systems are told once', async () => {
    const id = await consented(network, { grants: [{ retention: { onWithdrawal: 'delete', deleteWithin: 'P1D' } }] })
    await changeOnPage(network, id, 'withdraw')
    const { duties } = network.holder.running.parts.consent
    const [duty] = await duties.list({ side: 'imposed', consent: id })
    assert.ok(duty && !duty.isOverdue)
    network.clock.offsetMs += 86_400_000 + 60_000
    await duties.tellOverdue()
    assert.equal((await duties.show(duty.id)).isOverdue, true)
    await restart(network.holder)
    await network.holder.running.parts.consent.duties.tellOverdue()
    const heard = () =>
      network.systems.holder.heard.filter(({ type, data }) => type === 'duty.overdue' && data['duty'] === duty.id)
    await until('told', () => heard().length > 0)
    assert.equal(heard().length, 1)
    assert.deepEqual(network.systems.holder.refused, [])
  })

  test('uses that were spent stay spent, of the recipient and of its delegate together', async () => {
    const id = await consented(network, { grants: [{ maxUses: 4 }] })
    const delegation = await passOn(network, id, { maxUses: 2 } as never)
    const of = (node: TestNode, consent: string) => callLocally(node, { consent }).then(({ code }) => code)
    assert.equal(await of(network.recipient, id), '200')
    assert.equal(await of(network.delegate, delegation), '200')
    await restart(network.holder)
    assert.equal(await of(network.delegate, delegation), '200')
    assert.equal(await of(network.delegate, delegation), 'consent-quota', 'its own two are spent')
    await restart(network.holder)
    assert.equal(await of(network.delegate, delegation), 'consent-quota')
    assert.equal(await of(network.recipient, id), '200')
    assert.equal(await of(network.recipient, id), 'consent-quota')
    await restart(network.holder)
    assert.equal(await of(network.recipient, id), 'consent-quota')
    const uses = await network.holder.running.parts.foundation.database.all(
      `SELECT exchange FROM consent_uses WHERE consent = ? AND link = ''`,
      [id],
    )
    assert.equal(uses.length, 4)
  })

  test('what was seen before the restart is a replay after it, and a token in hand still counts', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id)
    const [chain, passed] = [await chainOf(network.recipient, id), await chainOf(network.delegate, delegation)]
    const headers = {
      'comity-purpose': 'https://w3id.org/dpv#ResearchAndDevelopment',
      authorization: `Comity ${chain}`,
    }
    const sent = signCall(network, { path: '/x/athletes/athletes/736041664', headers })
    assert.equal((await send(network.holder, sent)).status, 200)
    await restart(network.holder)
    assert.equal(codeOf(await send(network.holder, sent)), 'nonce-replayed')
    assert.equal(codeOf(await callOverWire(network, { chain })), '200')
    assert.equal(codeOf(await callOverWire(network, { chain: passed, by: network.delegate })), '200')
    await restart(network.recipient)
    await restart(network.delegate)
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200', 'fetched anew')
    assert.equal((await callLocally(network.delegate, { consent: delegation })).code, '200', 'fetched anew')
    assert.notEqual(await chainOf(network.recipient, id), chain)
  })

  test('a pause, a status and a link outlive the holder`s restart', async () => {
    const id = await consented(network)
    await changeOnPage(network, id, 'pause')
    await restart(network.holder)
    assert.equal((await callLocally(network.recipient, { consent: id })).code, 'consent-inactive')
    await changeOnPage(network, id, 'resume')
    await untilHeld(network.recipient, id, 'active')
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
  })
})

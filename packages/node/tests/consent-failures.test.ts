/** What went wrong again and again in other consent managers, one test for each, between real nodes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { noticeHash } from '@comity/core/consent/consent-record-schema'
import { verifyConsentProof } from '@comity/core/consent/consent-proof'
import { eventHash, parseConsentRecord, recordHash, verifyEventChain } from '@comity/core/consent/parse-record'
import { testPurposes } from '@comity/core/consent/test-consent'
import { parseDutyReceipt, verifyDutyReceipt } from '@comity/core/duties/duty-receipt'
import { parseExchangeEvent } from '@comity/core/exchange/event'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { adminOf } from './admin-call.ts'
import { callOverWire, chainOf, codeOf, payloadOf, problemOf } from './consent-chains.ts'
import {
  ask,
  athleteOf,
  atHolder,
  browserAt,
  callLocally,
  changeOnPage,
  consented,
  decideOnPage,
  operate,
  passOn,
  startConsentNetwork,
  until,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { otherReference } from './personal-upstream.ts'

const dayMs = 86_400_000

describe('consent does not repeat what failed elsewhere', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  test('1: a withdrawn consent leaves no token working, neither issued, nor cached, nor delegated', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id)
    const [chain, passed] = [await chainOf(network.recipient, id), await chainOf(network.delegate, delegation)]
    const calls = () =>
      Promise.all([callOverWire(network, { chain }), callOverWire(network, { chain: passed, by: network.delegate })])
    for (let times = 0; times < 2; times += 1) assert.deepEqual((await calls()).map(codeOf), ['200', '200'])
    await changeOnPage(network, id, 'withdraw')
    assert.deepEqual((await calls()).map(codeOf), ['consent-inactive', 'consent-inactive'])
    for (const node of [network.recipient, network.delegate])
      assert.equal((await callLocally(node, { consent: id })).code, 'consent-inactive')
  })

  test('2: a row that is gone means nothing is allowed, and an ended one stays', async () => {
    const id = await consented(network)
    const chain = await chainOf(network.recipient, id)
    assert.equal(codeOf(await callOverWire(network, { chain })), '200')
    await changeOnPage(network, id, 'withdraw')
    const { database } = network.holder.running.parts.foundation
    assert.equal((await database.get('SELECT state FROM consents WHERE id = ?', [id]))?.['state'], 'withdrawn')
    await database.execute([{ sql: 'DELETE FROM consents WHERE id = ?', params: [id] }])
    assert.equal(codeOf(await callOverWire(network, { chain })), 'consent-required')
  })

  test('3: an end that was set is kept, told to everybody, and enforced at its second', async () => {
    const id = await consented(network, { duration: 'P30D' }, { time: 'P1D' })
    const held = await untilHeld(network.recipient, id, 'active')
    const endMs = Date.parse(held.expires ?? '')
    assert.equal(held.expires, (await atHolder(network, id)).expires)
    assert.ok(Math.abs(endMs - network.clock.now() - dayMs) < 60_000, held.expires)
    network.clock.offsetMs += endMs - network.clock.now() - 3_000
    const chain = await chainOf(network.recipient, id)
    assert.equal(payloadOf(chain).exp, Math.floor(endMs / 1_000))
    assert.equal(codeOf(await callOverWire(network, { chain })), '200')
    network.clock.offsetMs += endMs - network.clock.now() + 1
    assert.equal(codeOf(await callOverWire(network, { chain })), 'consent-inactive')
    assert.equal((await callLocally(network.recipient, { consent: id })).code, 'consent-inactive')
    await network.holder.running.parts.consent.consents.expireDue()
    await untilHeld(network.recipient, id, 'expired')
  })

  test('4: an end is pushed to recipient and delegate, and their acknowledgements are kept', async () => {
    const id = await consented(network)
    const delegation = await passOn(network, id)
    await callLocally(network.delegate, { consent: delegation })
    await changeOnPage(network, id, 'withdraw')
    await untilHeld(network.recipient, id, 'withdrawn')
    await untilHeld(network.delegate, delegation, 'withdrawn')
    const { database } = network.holder.running.parts.foundation
    const sent = await until('acknowledged', async () => {
      const rows = await database.all(
        `SELECT * FROM outbox_events WHERE payload LIKE ? AND payload LIKE '%withdrawn%' ORDER BY recipient`,
        [`%${id}%`],
      )
      return rows.length === 2 && rows.every(({ acknowledged_ms: at }) => at !== null) ? rows : undefined
    })
    assert.deepEqual(
      sent.map(({ recipient }) => recipient).toSorted(),
      [network.recipient.did, network.delegate.did].toSorted(),
    )
    for (const { token } of sent) assert.match(String(token), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  test('5: a part can be given, by grant and by field, and nothing more is released', async () => {
    const grants = [{ domains: ['sport.body'] }, { domains: ['identity'] }]
    const { id, link } = await ask(network, { grants })
    const browser = browserAt(network)
    const shown = await browser.open(link)
    const review = await browser.submit(shown, '/c/decide', [
      ['grant-0', 'yes'],
      ['fields-0', '0'],
      ['time', 'P30D'],
      ['act', 'grant'],
    ])
    await browser.submit(review, '/c/confirm')
    await untilHeld(network.recipient, id, 'active')
    const read = await callLocally(network.recipient, { consent: id })
    assert.deepEqual(read.json, { height: 181 })
    assert.equal(read.headers.get('comity-fields-withheld'), '"name", "born", "weight", "note"')
    assert.equal(
      (await callLocally(network.recipient, { consent: id, path: `${athleteOf()}?fields=name` })).code,
      'consent-scope',
    )
  })

  test('6: the record holds the text that was shown, and a letter changed in it shows', async () => {
    const text = { en: 'We study sport.', de: 'Wir erforschen den Sport.' }
    const { id, link } = await ask(network, { notice: { version: '7', text } })
    await decideOnPage(network, link, { browser: browserAt(network, { 'accept-language': 'de' }) })
    const held = await untilHeld(network.recipient, id, 'active')
    const [record] = (await atHolder(network, id)).records
    assert.ok(record && held.record)
    assert.deepEqual(held.record, record)
    assert.deepEqual([record.notice.lang, record.notice.text, record.notice.version], ['de', text.de, '7'])
    assert.equal(record.notice.hash, noticeHash(text.de))
    assert.ok(Math.abs(Date.parse(record.notice.presentedAt) - network.clock.now()) < 60_000)
    const proof = record.proofs.find(({ type }) => type === 'jws')
    assert.ok(proof)
    const { resolver } = network.recipient.running.parts.counterparts
    const { keyid } = network.holder.running.parts.foundation.identity.assertionKey()
    const holderKey = await resolver.resolveKey(keyid, 'assertionMethod')
    verifyConsentProof(proof, recordHash(record), { holderKey })
    const other = { ...record, notice: { ...record.notice, text: 'Wir erforschen den Spott.' } }
    assert.throws(() => parseConsentRecord(other))
    assert.throws(() => verifyConsentProof(proof, recordHash(other), { holderKey }))
  })

  test('7: a request to be erased stays open until the recipient has reported, with its signed receipt', async () => {
    const id = await consented(network, { reference: otherReference })
    assert.equal((await callLocally(network.recipient, { consent: id, path: athleteOf(otherReference) })).code, '200')
    const { consents, rights } = network.holder.running.parts.consent
    const { subject } = (await consents.find(id)) ?? { subject: '' }
    const opened = await rights.open({ subject, reference: otherReference }, { type: 'erase' }, 'api')
    for (const product of ['athletes', 'results']) await rights.report(opened.id, { product, state: 'done' })
    await rights.settle()
    assert.equal(
      (await rights.show(opened.id)).closedMs,
      undefined,
      'its own systems have reported, and one must still',
    )
    const { duties } = network.recipient.running.parts.consent
    const owed = await until('the duty', async () => {
      const known = await duties.list({ side: 'owed', state: 'open', consent: id })
      return known.find(({ kind }) => kind === 'erase')
    })
    await duties.report(owed.id, { outcome: 'deleted' })
    const closed = await until('closed', async () => {
      const now = await rights.show(opened.id)
      return now.closedMs !== undefined && now
    })
    assert.equal(closed.status, 'fulfilled')
    const receipt = closed.duties.find((duty) => duty.id === owed.id)?.receipt ?? ''
    const parsed = parseDutyReceipt(receipt)
    const { resolver } = network.holder.running.parts.counterparts
    verifyDutyReceipt(parsed, await resolver.resolveKey(parsed.kid, 'assertionMethod'))
    assert.deepEqual([parsed.claims.iss, parsed.claims.outcome], [network.recipient.did, 'deleted'])
  })

  test('8: steps bear the moments when they happened, and one that is changed or moved is found', async () => {
    const { id, link } = await ask(network)
    const moments: number[] = [network.clock.now()]
    const later = () => {
      network.clock.offsetMs += 60_000
      moments.push(network.clock.now())
    }
    later()
    await decideOnPage(network, link)
    await untilHeld(network.recipient, id, 'active')
    for (const step of ['pause', 'resume', 'withdraw'] as const) {
      later()
      await changeOnPage(network, id, step)
    }
    const { events } = await atHolder(network, id)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['requested', 'presented', 'granted', 'paused', 'resumed', 'withdrawn'],
    )
    const wanted = [0, 1, 1, 2, 3, 4].map((index) => moments[index] ?? 0)
    for (const [index, { at }] of events.entries()) {
      assert.ok(Math.abs(Date.parse(at) - (wanted[index] ?? 0)) < 30_000, `${events[index]?.type} ${at}`)
    }
    verifyEventChain(events)
    for (const index of events.slice(1).keys()) {
      const changed = events.map((event, at) => (at === index ? { ...event, at: '2020-01-01T00:00:00Z' } : event))
      assert.throws(() => verifyEventChain(changed), `${index}`)
    }
    const { database } = network.holder.running.parts.foundation
    const row = await database.get('SELECT step_hash FROM consents WHERE id = ?', [id])
    assert.equal(row?.['step_hash'], eventHash(events.at(-1) as never), 'nothing follows the last, so the row holds it')
    await database.execute([
      {
        sql: `UPDATE consent_steps SET body = (SELECT body FROM consent_steps WHERE consent = ? AND seq = 4) WHERE consent = ? AND seq = 6`,
        params: [id, id],
      },
    ])
    const swapped = (await atHolder(network, id)).events
    assert.throws(() => verifyEventChain(swapped))
  })

  test('9: token, receipt and both logs name the consent, its revision and its hash', async () => {
    const id = await consented(network)
    const [record] = (await atHolder(network, id)).records
    assert.ok(record)
    const named = { id, rev: 1, hash: recordHash(record) }
    assert.deepEqual(payloadOf(await chainOf(network.recipient, id)).consent, named)
    const answer = await callLocally(network.recipient, { consent: id })
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual(claims.con, named)
    const exchange = answer.headers.get('comity-exchange') ?? ''
    for (const [node, event] of [
      [network.recipient, exchange],
      [network.holder, claims.jti],
    ] as const) {
      const found = await node.running.parts.auditLog.readEvent(event)
      assert.deepEqual(parseExchangeEvent(found?.body ?? '').consent, named, node.name)
    }
    const uses = await operate<readonly { exchange: string }[]>(network.holder, `/v1/consents/${id}/uses`)
    assert.deepEqual(
      uses.map((use) => use.exchange),
      [claims.jti],
    )
  })

  test('10: data for a purpose is not given for another, though the agreement covers that too', async () => {
    const id = await consented(network)
    const other = await callLocally(network.recipient, { consent: id, purpose: testPurposes.marketing })
    assert.equal(other.code, 'consent-purpose')
    const chain = await chainOf(network.recipient, id)
    const without = await callOverWire(network, { chain, headers: { 'comity-purpose': testPurposes.marketing } })
    assert.equal(codeOf(without), 'consent-purpose')
    assert.doesNotMatch(JSON.stringify(problemOf(without)), /\b181\b/)
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
  })

  test('11: what names no consent ends none', async () => {
    const id = await consented(network)
    const [holder, recipient] = [await adminOf(network.holder), await adminOf(network.recipient)]
    const attempts = [
      ...['/v1/consents//revoke', '/v1/consents/revoke', '/v1/consents/%20/revoke', '/v1/consents/*/withdraw'].map(
        (path) => holder.call({ method: 'POST', path, body: {} }),
      ),
      ...['/v1/consents', '/v1/consents/', `/v1/consents/${id}`].map((path) => holder.call({ method: 'DELETE', path })),
      ...[{}, { reference: '' }, { reference: null }, { reference: ['736041664'] }].map((body) =>
        holder.call({ method: 'POST', path: '/v1/subjects/erase', body }),
      ),
      ...['/v1/held-consents//revoke', '/v1/held-consents/revoke', '/v1/held-consents/*/revoke'].map((path) =>
        recipient.call({ method: 'POST', path, body: {} }),
      ),
      recipient.call({ method: 'POST', path: '/v1/delegations//end', body: {} }),
    ]
    for (const { status, text } of await Promise.all(attempts)) assert.ok(status >= 400 && status < 500, text)
    for (const path of ['/consents//revoke', '/consents/revoke', '/consents/urn:uuid:/revoke', '/consents/*/revoke']) {
      const answer = await callOverWire(network, { method: 'POST', path, body: '{}' })
      assert.ok(answer.status >= 400 && answer.status < 500, answer.body.toString())
    }
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
  })
})

/** People's rights between real nodes: a request is acted on at once, told to everyone who was given data, answered with
 *  proofs, and closed when the last of them has reported, never before. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseConsentRecord, verifyEventChain, verifyRecordChain } from '@comity/core/consent/parse-record'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { parseDutyReceipt, verifyDutyReceipt } from '@comity/core/duties/duty-receipt'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import { verifyRightsBundle, type RightsBundle } from '@comity/core/rights/rights-bundle'
import type { DutyView, RightsRequestView } from '../src/admin/rights-api.ts'
import { adminOf } from './admin-call.ts'
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
import { athleteReference, otherReference } from './personal-upstream.ts'
import { formOf, fulfil, owedAt, personAt, reportStore, requestAt, untilClosed, type Person } from './rights-person.ts'

const stores = ['athletes', 'results']

describe('the rights of a person', () => {
  let network: ConsentNetwork
  let person: Person
  let consent: string
  let delegation: string
  before(async () => {
    network = await startConsentNetwork()
    consent = await consented(network)
    delegation = await passOn(network, consent)
    person = await personAt(network)
  })
  after(() => network[Symbol.asyncDispose]())

  const codeOf = async (node = network.recipient, id = consent) => (await callLocally(node, { consent: id })).code
  const holderKey = () => {
    const { keyid, key } = network.holder.running.parts.foundation.identity.assertionKey()
    return (kid: string) => (assert.equal(kid, keyid), importVerifyingKey(key.publicJwk))
  }
  const reportAll = async (id: string, more: Record<string, unknown> = {}) => {
    for (const product of stores) await reportStore(network, id, { product, state: 'done', ...more })
  }
  const rejected = async (node = network.holder, path = '', body: unknown = {}) => {
    const answer = await (await adminOf(node)).call({ method: 'POST', path, body })
    return (answer.json as { code: string }).code
  }

  test('access: what each system has, every consent and every use with its proof, in one signed bundle', async () => {
    assert.deepEqual([await codeOf(), await codeOf(network.delegate, delegation)], ['200', '200'])
    const id = await person.ask({ type: 'access', message: 'all of it, please' })
    const told = await until('rights.requested', () =>
      network.systems.holder.heard.find(({ type, data }) => type === 'rights.requested' && data['request'] === id),
    )
    assert.deepEqual([told.data['reference'], told.data['products']], [athleteReference, stores])
    const path = `/v1/rights/requests/${id}/report`
    assert.equal(await rejected(network.holder, path, { product: 'athletes', state: 'done' }), 'rights-request-invalid')
    const wrong = { method: 'POST', path, body: { product: 'athletes', state: 'done' } }
    const { errors } = (await (await adminOf(network.holder)).call(wrong)).json as { errors: { pointer: string }[] }
    assert.equal(errors[0]?.pointer, '/data')
    await reportStore(network, id, { product: 'athletes', state: 'done', data: { name: 'Amina Rossi' } })
    assert.equal((await requestAt(network, id)).status, 'in_progress')
    assert.equal((await person.call('GET', `/rights/requests/${id}/bundle`)).json['code'], 'rights-request-state')
    const closed = await reportStore(network, id, { product: 'results', state: 'done', data: null })
    assert.equal(closed.status, 'fulfilled')
    const answer = await person.call('GET', `/rights/requests/${id}/bundle`)
    const bundle = answer.json as unknown as RightsBundle
    assert.equal(verifyRightsBundle(bundle, holderKey()).status, 'fulfilled')
    const read = (name: string): unknown => JSON.parse(bundle.documents[name] ?? '')
    assert.deepEqual((read('store-athletes.json') as { data: unknown }).data, { name: 'Amina Rossi' })
    const [kept] = read('consents.json') as { records: unknown[]; events: never[] }[]
    verifyRecordChain((kept?.records ?? []).map(parseConsentRecord))
    verifyEventChain(kept?.events ?? [])
    const uses = read('uses.json') as { exchange: string; caller: string; released: string[] }[]
    assert.deepEqual(
      uses.map(({ caller, released }) => [caller, released]),
      [
        [network.delegate.did, ['height']],
        [network.recipient.did, ['name', 'born', 'height', 'weight']],
      ],
    )
    for (const { exchange } of uses) {
      const report = verifyEvidence(read(`evidence-${exchange}.json`) as EvidenceBundle)
      assert.ok(report.ok, JSON.stringify(report.checks))
    }
    const changed = bundle.documents['store-athletes.json']?.replace('Amina', 'Emina') ?? ''
    const forged = { ...bundle, documents: { ...bundle.documents, 'store-athletes.json': changed } }
    assert.throws(() => verifyRightsBundle(forged, holderKey()), { code: 'proof-invalid' })
  })

  test('a request is its own person`s alone, and what changes something needs the page`s own token', async () => {
    const id = await person.ask({ type: 'port' })
    const other = await personAt(network, otherReference)
    for (const path of ['', '/bundle']) {
      const answer = await other.call('GET', `/rights/requests/${id}${path}`)
      assert.deepEqual([answer.status, answer.json['code']], [404, 'rights-request-unknown'])
    }
    const taken = await other.call('DELETE', `/rights/requests/${id}`, { headers: await formOf(other.call) })
    assert.equal(taken.json['code'], 'rights-request-unknown')
    assert.deepEqual((await other.call('GET', '/rights/requests')).json, { requests: [] })
    for (const headers of [
      {},
      await formOf(other.call),
      { ...(await formOf(person.call)), origin: 'https://x.example' },
    ]) {
      const answers = [
        await person.call('POST', '/rights/requests', { body: { type: 'erase' }, headers }),
        await person.call('DELETE', `/rights/requests/${id}`, { headers }),
      ]
      for (const { json } of answers) assert.equal(json['code'], 'form-refused')
    }
    const mine = await person.call('DELETE', `/rights/requests/${id}`, { headers: await formOf(person.call) })
    assert.deepEqual([mine.status, mine.json['status']], [200, 'revoked'])
    assert.equal(
      await rejected(network.holder, `/v1/rights/requests/${id}/report`, {
        product: 'athletes',
        state: 'done',
        data: null,
      }),
      'rights-request-state',
    )
  })

  test('refuses what it could only pretend to do: unknown fields, products and consents', async () => {
    const form = await formOf(person.call)
    for (const [request, pointer] of [
      [{ type: 'rectify', corrections: { shoeSize: 41 } }, '/corrections/shoeSize'],
      [{ type: 'erase', scope: { products: ['nothing'] } }, '/scope/products/0'],
      [{ type: 'restrict', scope: { consents: ['urn:uuid:other'] } }, '/scope/consents/0'],
      [{ type: 'forget' }, '/type'],
    ] as const) {
      const { status, json } = await person.call('POST', '/rights/requests', { body: request, headers: form })
      assert.deepEqual([status, json['code']], [422, 'rights-request-invalid'])
      assert.equal((json['errors'] as { pointer: string }[])[0]?.pointer, pointer)
    }
  })

  test('correction: the store that has the field and everyone who read are told which, not what', async () => {
    const id = await person.ask({ type: 'rectify', corrections: { height: 182 } })
    const request = await requestAt(network, id)
    assert.deepEqual(
      [request.stores.map(({ product }) => product), request.recipients.map(({ debtor }) => debtor).toSorted()],
      [['athletes'], [network.delegate.did, network.recipient.did].toSorted()],
    )
    await reportStore(network, id, { product: 'athletes', state: 'done' })
    for (const node of [network.recipient, network.delegate]) {
      network.clock.offsetMs += 3_000
      await network.holder.running.parts.consent.rights.settle()
      assert.equal((await requestAt(network, id)).closed, undefined)
      const duty = await owedAt(network, { node, kind: 'rectify', request: id })
      assert.deepEqual([duty.fields, /\b182\b/.test(JSON.stringify(duty))], [['height'], false])
      await fulfil(node, network, { duty: duty.id, outcome: 'rectified' })
    }
    const closed = await untilClosed(network, id)
    assert.equal(closed.status, 'fulfilled')
    for (const { receipt, debtor } of closed.recipients) {
      const parsed = parseDutyReceipt(receipt ?? '')
      const node = network.parties.find(({ did }) => did === debtor)
      const key = node?.running.parts.foundation.identity.assertionKey().key.publicJwk
      assert.ok(key)
      verifyDutyReceipt(parsed, importVerifyingKey(key))
      assert.deepEqual([parsed.claims.iss, parsed.claims.outcome], [debtor, 'rectified'])
    }
  })

  test('restriction: the next call is refused, also the delegate`s, until it is lifted, and everyone hears of both', async () => {
    const id = await person.ask({ type: 'restrict' })
    assert.equal(await codeOf(), 'consent-inactive')
    await assert.rejects(network.holder.running.parts.consent.rights.lift(id), { code: 'rights-request-state' })
    await reportAll(id)
    for (const node of [network.recipient, network.delegate]) {
      const duty = await owedAt(network, { node, kind: 'restrict', request: id })
      await fulfil(node, network, { duty: duty.id, outcome: 'restricted' })
    }
    assert.equal((await untilClosed(network, id)).status, 'fulfilled')
    assert.equal(await codeOf(), 'consent-inactive')
    await operate(network.holder, `/v1/rights/requests/${id}/lift`, {})
    assert.equal(await rejected(network.holder, `/v1/rights/requests/${id}/lift`), 'rights-request-state')
    await untilHeld(network.recipient, consent, 'active')
    assert.deepEqual([await codeOf(), (await requestAt(network, id)).lifted === undefined], ['200', false])
    for (const node of [network.recipient, network.delegate])
      await owedAt(network, { node, kind: 'lift-restriction', request: id })
    const lifting = await operate<DutyView[]>(network.holder, '/v1/duties?side=imposed&state=open')
    assert.equal(lifting.filter(({ kind }) => kind === 'lift-restriction').length, 2, 'each is told once')
  })

  test('a pause of the person`s own is not lifted by what is taken back or denied', async () => {
    await changeOnPage(network, consent, 'pause')
    const id = await person.ask({ type: 'restrict' })
    await person.call('DELETE', `/rights/requests/${id}`, { headers: await formOf(person.call) })
    assert.equal((await operate<{ state: string }>(network.holder, `/v1/consents/${consent}`)).state, 'paused')
    await changeOnPage(network, consent, 'resume')
    const second = await person.ask({ type: 'restrict' })
    assert.equal(await codeOf(), 'consent-inactive')
    await person.call('DELETE', `/rights/requests/${second}`, { headers: await formOf(person.call) })
    await untilHeld(network.recipient, consent, 'active')
    assert.equal(await codeOf(), '200')
  })

  test('a restriction of one product leaves consents for others alone', async () => {
    const id = await person.ask({ type: 'restrict', scope: { products: ['results'] } })
    assert.equal(await codeOf(), '200')
    const { stores: asked, recipients } = await requestAt(network, id)
    assert.deepEqual([asked.map(({ product }) => product), recipients], [['results'], []])
    await reportStore(network, id, { product: 'results', state: 'refused', ground: 'needed in court' })
    assert.equal((await untilClosed(network, id)).status, 'denied')
    assert.equal((await person.call('GET', `/rights/requests/${id}`)).json['status'], 'denied')
  })

  test('the clock of the law: a month, once extended by two with a reason that the person reads, then overdue', async () => {
    const id = await person.ask({ type: 'access' })
    const dayMs = 86_400_000
    const { received, due } = await requestAt(network, id)
    const days = (Date.parse(due) - Date.parse(received)) / dayMs
    assert.ok(days >= 28 && days <= 31)
    const extended = await operate<RightsRequestView>(network.holder, `/v1/rights/requests/${id}/extend`, {
      reason: 'many systems',
    })
    assert.ok(Date.parse(extended.due) - Date.parse(received) > 88 * dayMs)
    assert.equal(
      await rejected(network.holder, `/v1/rights/requests/${id}/extend`, { reason: 'again' }),
      'rights-request-state',
    )
    const page = await person.browser.open(`/me/rights/${id}`)
    assert.match(page.page.text, /many systems/)
    network.clock.offsetMs += 95 * dayMs
    assert.equal((await requestAt(network, id)).overdue, true)
    const { text } = await (await adminOf(network.holder)).call({ path: '/metrics' })
    assert.match(text, /^comity_rights_requests_overdue [1-9]/m)
  })
})

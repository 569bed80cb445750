/** An objection from the first call that is refused to the end; what a crash or an erasure leaves of requests. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ConsentRecord } from '@comity/core/consent/consent-record'
import { createRightsStore } from '../src/rights/rights-store-sql.ts'
import { callLocally, consented, operate, startConsentNetwork, until, type ConsentNetwork } from './consent-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { fulfil, owedAt, personAt, reportStore, requestAt } from './rights-person.ts'

const stores = ['athletes', 'results']

describe('an objection', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  test('stops calls at once, survives a restart of the holder, and ends the consent once it is granted', async () => {
    const consent = await consented(network)
    const read = async () => (await callLocally(network.recipient, { consent })).code
    assert.equal(await read(), '200')
    const person = await personAt(network)
    const id = await person.ask({ type: 'object', message: 'not for this' })
    assert.equal(await read(), 'consent-inactive')
    await network.holder.stop()
    await network.holder.start()
    assert.equal(await read(), 'consent-inactive')
    for (const product of stores) await reportStore(network, id, { product, state: 'done' })
    // Two at once, and a settling with them: one closing, one word to the systems.
    const duty = await owedAt(network, { node: network.recipient, kind: 'object', request: id })
    await fulfil(network.recipient, network, { duty: duty.id, outcome: 'stopped' })
    network.clock.offsetMs += 3_000
    const { rights } = network.holder.running.parts.consent
    await Promise.all([rights.settle(), rights.settle(id), rights.settle()])
    assert.equal((await requestAt(network, id)).status, 'fulfilled')
    assert.equal((await operate<{ state: string }>(network.holder, `/v1/consents/${consent}`)).state, 'revoked')
    const { heard } = network.systems.holder
    const closings = () => heard.filter(({ type, data }) => type === 'rights.closed' && data['request'] === id)
    await until('rights.closed', () => closings().length > 0)
    await network.holder.running.parts.consent.webhooks.settled()
    assert.equal(closings().length, 1)
  })

  test('what a crash left undone is done after the start: the right bites, and who read is told', async () => {
    const consent = await consented(network)
    const read = async () => (await callLocally(network.recipient, { consent })).code
    assert.equal(await read(), '200')
    const { database, vault } = network.holder.running.parts.foundation
    const subject = vault.handleOf(athleteReference)
    const id = '01900000-0000-7000-8000-000000000001'
    const body = (await vault.open(subject)).seal('{"type":"restrict"}')
    const times = { receivedMs: network.clock.now(), dueMs: network.clock.now() + 1_000_000 }
    // As it stands when the node ends between writing the request down and acting on it.
    await database.execute([
      createRightsStore(database).insert({ id, subject, type: 'restrict', body, ...times }),
      createRightsStore(database).insertTask(id, 'athletes'),
    ])
    assert.equal(await read(), '200')
    await network.holder.stop()
    await network.holder.start()
    await network.holder.running.parts.consent.rights.settle()
    assert.equal(await read(), 'consent-inactive')
    const duty = await owedAt(network, { node: network.recipient, kind: 'restrict', request: id })
    await network.holder.running.parts.consent.rights.settle(id)
    const { recipients, closed } = await requestAt(network, id)
    // Also for the consent that has ended: what was read under it may still be there. For each once.
    assert.deepEqual([recipients.length, new Set(recipients.map((one) => one.consent)).size, closed], [2, 2, undefined])
    assert.ok(recipients.some((one) => one.duty === duty.id))
  })

  test('a person who is erased by order of the operator: what was asked is moot, an erasure is still reported', async () => {
    const person = await personAt(network, otherReference)
    const [access, erase] = [await person.ask({ type: 'access' }), await person.ask({ type: 'erase' })]
    await reportStore(network, erase, { product: 'athletes', state: 'done' })
    await operate(network.holder, '/v1/subjects/erase', { reference: otherReference })
    for (const id of [access, erase]) {
      const { status, message } = await requestAt(network, id)
      assert.deepEqual([['open', 'in_progress'].includes(status), message], [true, undefined])
    }
    await reportStore(network, erase, { product: 'results', state: 'done' })
    assert.equal((await requestAt(network, erase)).status, 'fulfilled')
    for (const product of stores) await reportStore(network, access, { product, state: 'done', data: { name: 'Jon' } })
    const { status, closed } = await requestAt(network, access)
    assert.deepEqual([status, closed === undefined], ['revoked', false])
    const { database } = network.holder.running.parts.foundation
    const kept = await database.all('SELECT report FROM rights_tasks WHERE request = ?', [access])
    assert.deepEqual(
      kept.map(({ report }) => report),
      [null, null],
      'what was reported after the erasure is not kept',
    )
  })

  test('calls who received the data by the name that the consent gave them, where the operator gave none', async () => {
    const consent = await consented(network)
    assert.equal((await callLocally(network.recipient, { consent })).code, '200')
    const person = await personAt(network)
    const id = await person.ask({ type: 'object' })
    const [record] = (await operate<{ records: ConsentRecord[] }>(network.holder, `/v1/consents/${consent}`)).records
    const { name, id: did } = record?.parties.find(({ role }) => role === 'recipient') ?? assert.fail('is a party')
    assert.notEqual(name, did)
    const { page } = await person.browser.open(`/me/rights/${id}`)
    assert.ok(page.text.replace(/\s+/g, ' ').includes(`${name} ${did}: not answered yet`), page.text)
  })
})

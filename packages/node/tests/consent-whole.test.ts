/** The whole of consent between three real nodes, as a person and applications meet it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { verifyEventChain, verifyRecordChain } from '@comity/core/consent/parse-record'
import {
  ask,
  atHolder,
  callLocally,
  changeOnPage,
  decideOnPage,
  operate,
  passOn,
  startConsentNetwork,
  until,
  untilHeld,
  type ConsentNetwork,
  type PartyName,
} from './consent-network.ts'

/** From the question over the page to the data, on to the delegate, and to the end everywhere. */
async function tellTheStory(network: ConsentNetwork): Promise<void> {
  const { holder, recipient, delegate } = network
  const { id, link } = await ask(network)
  assert.equal((await callLocally(recipient, { consent: id })).code, 'consent-inactive', 'not by silence')
  await decideOnPage(network, link, { fields: ['height', 'born'] })
  const { subject } = await untilHeld(recipient, id, 'active')
  const path = `athletes/athletes/${subject}`
  const read = await callLocally(recipient, { path })
  assert.deepEqual(read.json, { height: 181, born: '1999-04-17' })
  assert.equal(read.headers.get('comity-fields-withheld'), '"name", "weight", "note"')
  const delegation = await passOn(network, id)
  const passed = await callLocally(delegate, { path, consent: delegation })
  assert.deepEqual(passed.json, { height: 181 })
  assert.equal((await callLocally(delegate, { path })).code, '200', 'found by the person alone')
  await changeOnPage(network, id, 'withdraw')
  for (const node of [recipient, delegate])
    assert.equal((await callLocally(node, { path, consent: id })).code, 'consent-inactive', node.name)
  await untilHeld(recipient, id, 'withdrawn')
  await untilHeld(delegate, delegation, 'withdrawn')
  await reportDeletion(network, id)
  const { records, events, state } = await atHolder(network, id)
  verifyRecordChain(records)
  verifyEventChain(events)
  assert.equal(state, 'withdrawn')
  const uses = await operate<readonly { caller: string; released: string[] }[]>(holder, `/v1/consents/${id}/uses`)
  assert.deepEqual(uses.map(({ caller, released }) => [caller, released]).toReversed(), [
    [recipient.did, ['born', 'height']],
    [delegate.did, ['height']],
    [delegate.did, ['height']],
  ])
}

/** Both who were given data owe that it is deleted, and say so. */
async function reportDeletion({ holder, recipient, delegate }: ConsentNetwork, id: string): Promise<void> {
  for (const node of [recipient, delegate]) {
    const { duties } = node.running.parts.consent
    const owed = await until(
      `what ${node.name} owes`,
      async () => (await duties.list({ side: 'owed', consent: id }))[0],
    )
    await duties.report(owed.id, { outcome: 'deleted' })
  }
  const imposed = await until('both receipts', async () => {
    const duties = await holder.running.parts.consent.duties.list({ side: 'imposed', consent: id })
    return duties.every(({ receipt }) => receipt !== undefined) && duties
  })
  assert.deepEqual(imposed.map(({ debtor }) => debtor).toSorted(), [recipient.did, delegate.did].toSorted())
}

describe('consent between a holder, a recipient and its delegate', () => {
  test('goes from the question over the page to the data, on to the delegate, and ends everywhere', async () => {
    await using network = await startConsentNetwork()
    await tellTheStory(network)
    const { holder, recipient, delegate } = network.systems
    const kinds = (system: typeof holder) => [...new Set(system.heard.map(({ type }) => type))].toSorted()
    const states = ({ heard }: typeof holder) =>
      heard.flatMap(({ type, data }) => (type === 'consent.changed' ? [`${data['side']} ${data['state']}`] : []))
    await until('told', () => [holder, recipient, delegate].every((system) => kinds(system).length === 2))
    assert.deepEqual(kinds(holder), ['consent.changed', 'consent.requested'])
    for (const [system, side] of [
      [recipient, 'recipient'],
      [delegate, 'delegate'],
    ] as const) {
      await until('the end', () => states(system).length === 2)
      assert.deepEqual(states(system).toSorted(), [`${side} active`, `${side} withdrawn`])
      assert.equal(system.heard.filter(({ type }) => type === 'duty.owed').length, 1)
    }
    for (const system of [holder, recipient, delegate]) assert.deepEqual(system.refused, [])
  })

  test('does so too where recipient and delegate have nothing set up for it', async () => {
    const configure = (config: Record<string, unknown>, name: PartyName) => {
      if (name !== 'holder') delete config['webhooks']
    }
    await using network = await startConsentNetwork({ configure })
    await tellTheStory(network)
  })
})

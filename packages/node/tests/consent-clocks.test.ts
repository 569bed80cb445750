/** Nodes whose clocks differ: within what is allowed nothing is lost, beyond it nothing is read, and all goes on once the
 *  clocks are right again. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
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
import { fulfil } from './rights-person.ts'

describe('clocks of holder, recipient and delegate', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  const setClocks = (recipientMs: number, delegateMs: number) => {
    network.recipient.aheadMs = recipientMs
    network.delegate.aheadMs = delegateMs
  }

  for (const [recipientMs, delegateMs] of [
    [25_000, 0],
    [-25_000, 0],
    [12_000, -12_000],
    [-12_000, 12_000],
  ] as const) {
    const told = `${recipientMs / 1_000} and ${delegateMs / 1_000} s ahead`
    test(`that differ by less than is allowed: ${told}, from the question to the receipt of the deletion`, async () => {
      setClocks(recipientMs, delegateMs)
      const id = await consented(network)
      assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
      const delegation = await passOn(network, id)
      assert.equal((await callLocally(network.delegate, { consent: delegation })).code, '200')
      await changeOnPage(network, id, 'withdraw')
      for (const node of [network.recipient, network.delegate])
        assert.equal((await callLocally(node, { consent: id })).code, 'consent-inactive')
      await untilHeld(network.recipient, id, 'withdrawn')
      await untilHeld(network.delegate, delegation, 'withdrawn')
      for (const node of [network.recipient, network.delegate]) {
        const { duties } = node.running.parts.consent
        const duty = await until('the duty', async () => (await duties.list({ side: 'owed', state: 'open' }))[0])
        const closed = await fulfil(node, network, { duty: duty.id, outcome: 'deleted' })
        assert.deepEqual([closed.state, closed.receipt === undefined], ['done', false], node.name)
      }
    })
  }

  for (const aheadMs of [120_000, -120_000]) {
    test(`that differ by too much, ${aheadMs / 1_000} s: nothing is read, and all goes on when they are right`, async () => {
      setClocks(0, 0)
      const id = await consented(network)
      assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
      setClocks(aheadMs, 0)
      const refused = await callLocally(network.recipient, { consent: id })
      assert.notEqual(refused.code, '200', refused.text)
      assert.doesNotMatch(refused.text, /\b181\b/)
      await changeOnPage(network, id, 'pause')
      setClocks(0, 0)
      assert.equal((await callLocally(network.recipient, { consent: id })).json['state'], 'paused')
      await changeOnPage(network, id, 'resume')
      assert.equal((await atHolder(network, id)).state, 'active')
      await until('it reads again', async () => (await callLocally(network.recipient, { consent: id })).code === '200')
    })
  }
})

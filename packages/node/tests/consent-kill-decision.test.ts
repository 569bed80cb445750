/** A holder that is killed in the moment in which it has said that something is decided, before anybody was told. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ask, atHolder, callLocally, startConsentNetwork, untilHeld, type ConsentNetwork } from './consent-network.ts'
import { startProcess } from './start-process.ts'

describe('killed between decision and push', () => {
  let network: ConsentNetwork
  let id: string
  before(async () => {
    network = await startConsentNetwork()
    id = (await ask(network)).id
  })
  after(() => network[Symbol.asyncDispose]())

  /** While the recipient is away the holder takes an order of its operator, and ends with the answer to it. */
  async function orderAndKill(path: string, body: object): Promise<void> {
    const { holder, recipient } = network
    await recipient.stop()
    await holder.stop()
    const token = (await readFile(join(holder.directory, 'keys', 'admin.token'), 'utf8')).trim()
    {
      await using victim = await startProcess(holder.configFile)
      const { status } = await fetch(`http://127.0.0.1:${victim.ports.admin}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      await victim.kill()
      assert.equal(status, 200)
    }
    await recipient.start()
    await holder.start()
  }

  test('a decision stands, whole, and the recipient hears of it', async () => {
    const session = { channel: 'https://portal.example' }
    const grants = [{ id: 'g1', fields: ['height'] }]
    await orderAndKill(`/v1/consents/${id}/decide`, { decision: 'grant', session, lang: 'en', grants })
    const { state, records, events } = await atHolder(network, id)
    assert.deepEqual([state, records.length, events.at(-1)?.type], ['active', 1, 'granted'])
    await untilHeld(network.recipient, id, 'active')
    assert.deepEqual((await callLocally(network.recipient, { consent: id })).json, { height: 181 })
  })

  test('a withdrawal stands, bites at the next call, and is told, with what is owed', async () => {
    await orderAndKill(`/v1/consents/${id}/withdraw`, { by: 'subject' })
    assert.equal((await callLocally(network.recipient, { consent: id })).code, 'consent-inactive')
    assert.equal((await atHolder(network, id)).state, 'withdrawn')
    await untilHeld(network.recipient, id, 'withdrawn')
    const [duty, ...more] = await network.holder.running.parts.consent.duties.list({ side: 'imposed', consent: id })
    assert.deepEqual([duty?.kind, duty?.debtor, more], ['delete', network.recipient.did, []])
  })
})

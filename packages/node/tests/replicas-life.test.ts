/** Replicas over a consent's life: other terms, the holder's policies, the operator, the disk. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { changeOnPage, operate, startConsentNetwork, until, untilHeld, type ConsentNetwork } from './consent-network.ts'
import { freePort } from './free-port.ts'
import { athleteReference } from './personal-upstream.ts'
import { putPolicies } from './policy-network.ts'
import { callReplica, ownFields, replicasOfAthletes, rowsOf, startReplicaNetwork, storable } from './replica-network.ts'
import { spellingIn } from './spellings.ts'

describe('a replica under a consent that changes', () => {
  let network: ConsentNetwork
  before(async () => void (network = await startReplicaNetwork()))
  after(() => network[Symbol.asyncDispose]())

  test('does not outlive the terms under which it came; the own fields do', async () => {
    const consent = await storable(network)
    const first = await callReplica(network.recipient, { consent })
    assert.deepEqual(Object.keys(first.json).toSorted(), ['born', 'height', 'name', 'weight'])
    assert.equal((await ownFields(network.recipient, first.id, { method: 'PUT', body: '{"own":1}' })).status, 204)
    await operate(network.holder, `/v1/consents/${consent}/decide`, {
      decision: 'grant',
      lang: 'en',
      grants: [{ id: 'g1', fields: ['height'] }],
      session: { channel: 'portal' },
    })
    await until('emptied', async () => (await rowsOf(network.recipient))[0]?.['sealed'] === '')
    const gone = await callReplica(network.recipient, { consent, ask: 'only' })
    assert.deepEqual([gone.code, gone.reason], ['replica-missing', 'emptied'])
    const narrower = await until('kept anew', async () => {
      const answer = await callReplica(network.recipient, { consent })
      return answer.how === 'stored' && answer
    })
    assert.deepEqual(narrower.json, { height: 181 })
    assert.equal(await (await ownFields(network.recipient, first.id)).text(), '{"own":1}')
  })

  test('that the holder would not give any more is taken away when it says so', async () => {
    const consent = await storable(network)
    assert.equal((await callReplica(network.recipient, { consent })).how, 'stored')
    await putPolicies(network.holder, '@id("none") forbid (principal, action, resource);')
    const refused = await callReplica(network.recipient, { consent, ask: 'refresh' })
    assert.deepEqual([refused.status, refused.code], [403, 'policy-denied'])
    const gone = await callReplica(network.recipient, { consent, ask: 'only' })
    assert.equal(gone.code, 'replica-missing')
    await putPolicies(network.holder, '@id("all") permit (principal, action, resource);')
  })

  test('marked `no-store` by the holder is not kept, and what was kept before goes', async () => {
    const consent = await storable(network)
    const kept = await callReplica(network.recipient, { consent })
    network.api.behave = (response) => {
      response.setHeader('content-type', 'application/json')
      response.setHeader('cache-control', 'no-store')
      response.end(JSON.stringify({ id: athleteReference, name: 'Amina Rossi', height: 183 }))
    }
    const answer = await callReplica(network.recipient, { consent, ask: 'refresh' })
    network.api.behave = undefined
    assert.deepEqual([answer.code, answer.how, answer.reason], ['200', 'none', 'no-store'])
    assert.equal(
      (await rowsOf(network.recipient)).some(({ id }) => id === kept.id),
      false,
    )
  })
})

describe('what is kept', () => {
  let network: ConsentNetwork
  before(async () => {
    const port = await freePort()
    network = await startConsentNetwork({
      configure: (config, name) => {
        if (name !== 'recipient') return
        config['replicas'] = structuredClone(replicasOfAthletes)
        Object.assign(config['listen'] as object, { admin: { port } })
      },
    })
  })
  after(() => network[Symbol.asyncDispose]())

  test('stands in clear in no file of the node, in no encoding, nor in a line that it logs', async () => {
    const consent = await storable(network)
    const { id } = await callReplica(network.recipient, { consent })
    const own = await ownFields(network.recipient, id, { method: 'PUT', body: '{"planted-own-field":"planted-own"}' })
    assert.equal(own.status, 204)
    await callReplica(network.recipient, { consent, ask: 'only' })
    await callReplica(network.recipient, { consent, ask: 'refresh' })
    const { subject = '' } = await untilHeld(network.recipient, consent, 'active')
    const words = ['Amina Rossi', '1999-04-17', athleteReference, 'planted-own', subject]
    const look = () => {
      for (const [path, bytes] of filesOf(network.recipient.directory))
        for (const word of words) assert.equal(spellingIn(bytes, word), undefined, `${path} holds ${word}`)
      for (const word of words) assert.ok(!network.recipient.logged.join('').includes(word), word)
    }
    look()
    await changeOnPage(network, consent, 'withdraw')
    await until('removed', async () => (await rowsOf(network.recipient)).length === 0)
    look()
  })

  test('is listed, shown and removed by the operator, without its content', async () => {
    const consent = await storable(network)
    const { id = '' } = await callReplica(network.recipient, { consent })
    const run = (...args: string[]) => runQuietly('-c', network.recipient.configFile, ...args)
    const listed = await run('replicas', 'list', '--holder', 'holder')
    assert.equal(listed.code, 0, listed.error)
    assert.match(listed.out, new RegExp(`${id}.*athletes.*athlete.*${consent}.*content`))
    const shown = await run('replicas', 'show', id)
    const view = JSON.parse(shown.out) as Record<string, unknown>
    assert.deepEqual(
      [view['id'], view['consent'], view['hasContent'], view['hasOwnFields']],
      [id, consent, true, false],
    )
    assert.ok(!shown.out.includes('Amina Rossi') && !shown.out.includes(athleteReference))
    assert.match((await run('replicas', 'remove', id)).out, /is removed/)
    assert.match((await run('replicas', 'show', id)).error, /replica-unknown|no such replica/)
    assert.equal((await callReplica(network.recipient, { consent, ask: 'only' })).reason, 'none')
    const events = await network.recipient.running.parts.auditLog.readEvents({ from: 0, limit: 10_000 })
    assert.match(events.findLast(({ type }) => type === 'replicas-removed')?.body ?? '', /"reason":"operator"/)
  })
})

function filesOf(directory: string): [string, Buffer][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:ya?ml|json)$/.test(entry.name))
    .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name))])
}

/** Callers that nobody can identify. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { assertRefused, send, signCall } from './signed-call.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

describe('a node', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test('refuses a partner whose document cannot be had as one that it cannot identify', async () => {
    const did = 'did:web:localhost%3A1'
    const { partners } = network.holder.running.parts.counterparts
    await partners.add({ alias: 'gone', did, fingerprints: [network.recipient.fingerprint] })
    const as = { keyid: `${did}#auth-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
    await assertRefused(network, signCall(network, { as }), { code: 'key-unknown', signed: false })
  })

  test('refuses an idempotency key of a caller without a name, rather than making the call twice', async () => {
    const calls = network.upstream.seen.length
    const headers: [string, string][] = [
      ['host', new URL(network.holder.url).host],
      ['idempotency-key', '"k1"'],
      ['content-type', 'application/json'],
    ]
    const call = { method: 'POST', target: '/x/open-items/items', headers, body: '{"name":"new"}' }
    const answer = await send(network.holder, call)
    assert.equal(answer.status, 400)
    assert.match(answer.body.toString(), /idempotency-key-invalid/)
    assert.equal(network.upstream.seen.length, calls)
  })
})

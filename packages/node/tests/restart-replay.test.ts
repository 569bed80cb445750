/** A restart forgets no request, and a full memory forgets none either. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertRefused, send, signCall, type SignedCall } from './signed-call.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

const post = { method: 'POST', path: '/x/items/items', body: '{"name":"new"}' }

describe('a holder that restarts', () => {
  let network: TestNetwork
  const captured: Record<string, SignedCall> = {}
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
    const early = Math.floor(network.clock.now() / 1000) + 25
    captured['read'] = signCall(network)
    captured['write'] = signCall(network, post)
    captured['of a clock that is ahead'] = signCall(network, { createdAt: early, expiresAt: early + 60 })
    captured['refused'] = signCall(network, { path: '/x/items/nothing' })
    for (const call of Object.values(captured)) assert.ok((await send(network.holder, call)).status < 405)
    captured['proof'] = await fetchProof()
    await network.holder.stop()
    await network.holder.start()
  })
  after(() => network[Symbol.asyncDispose]())

  /** Asks for the proof of some exchange until there is one. Gives the request that was answered. */
  async function fetchProof(): Promise<SignedCall> {
    const { headers } = await send(network.holder, signCall(network))
    await network.holder.running.parts.auditLog.integrate()
    const call = signCall(network, { path: `/receipts/${headers.get('comity-exchange')}/proof`, headers: {} })
    assert.equal((await send(network.holder, call)).status, 200)
    return call
  }

  for (const name of ['read', 'write', 'of a clock that is ahead', 'refused']) {
    test(`refuses a request from before: ${name}`, async () => {
      const call = captured[name] as SignedCall
      await assertRefused(network, call, { code: 'nonce-replayed' })
      await assertRefused(network, call, { code: 'nonce-replayed' })
    })
  }

  test('refuses a request for a proof from before', async () => {
    const answer = await send(network.holder, captured['proof'] as SignedCall)
    const { code } = JSON.parse(answer.body.toString()) as { code: string }
    assert.equal(code, 'nonce-replayed')
  })

  test('refuses a request of a fast clock for as long as it could be fresh', async () => {
    network.clock.offsetMs += 100_000
    await network.holder.stop()
    await network.holder.start()
    await assertRefused(network, captured['of a clock that is ahead'] as SignedCall, { code: 'nonce-replayed' })
    await assertRefused(network, captured['read'] as SignedCall, { code: 'signature-stale' })
    network.clock.offsetMs += 20_000
    await assertRefused(network, captured['of a clock that is ahead'] as SignedCall, { code: 'signature-stale' })
    network.clock.offsetMs -= 120_000
  })
})

describe('a holder whose memory of nonces is full', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({
      holder: (config) => Object.assign(config['limits'] as object, { nonces: 1_000 }),
    })
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test('refuses what is new, forgets nothing that is old, and takes calls again when nonces expire', async () => {
    const first = signCall(network)
    assert.equal((await send(network.holder, first)).status, 200)
    while (network.holder.running.parts.gateway.nonceCount() < 1_000) {
      await Promise.all(Array.from({ length: 50 }, () => send(network.holder, signCall(network))))
    }
    const answer = await send(network.holder, signCall(network))
    assert.equal(answer.status, 503)
    assert.equal((JSON.parse(answer.body.toString()) as { code: string }).code, 'nonce-store-full')
    assert.ok(Number(answer.headers.get('retry-after')) >= 1)
    assert.ok(answer.headers.has('signature'), 'the caller was identified')
    await assertRefused(network, first, { code: 'nonce-replayed' })
    network.clock.offsetMs += 120_000
    assert.equal((await send(network.holder, signCall(network))).status, 200)
  })
})

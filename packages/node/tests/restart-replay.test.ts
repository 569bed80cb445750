/** A restart forgets no request, and a full memory forgets none either. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertRefused, send, signCall, type Answer, type SignedCall } from './signed-call.ts'
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
    for (const [name, call] of Object.entries(own())) {
      captured[name] = call
      assert.ok(refusals.has(codeOf(await send(network.holder, call))), name)
    }
    await network.holder.stop()
    await network.holder.start()
  })
  after(() => network[Symbol.asyncDispose]())

  /** To the node's own addresses: what is asked there is judged, and leaves no exchange. */
  function own(): Record<string, SignedCall> {
    const [id, headers] = ['01a20118-12ae-700d-a400-018fda62c82d', {}]
    const quota = JSON.stringify({ limit: 'monthly', units: 1, per: 'month', reason: 'more' })
    return {
      'asks for consent': signCall(network, { method: 'POST', path: '/consents/requests', headers, body: '{}' }),
      'asks for a token': signCall(network, { path: `/consents/${id}/token`, headers }),
      'asks for a quota': signCall(network, { method: 'POST', path: '/limits/requests', headers, body: quota }),
      'asks how a quota stands': signCall(network, { path: `/limits/requests/${id}`, headers }),
      'asks about a key': signCall(network, { path: '/keys/renewal', headers }),
    }
  }
  const refusals: ReadonlySet<string> = new Set([
    'consent-request-invalid',
    'not-found',
    'quota-request-invalid',
    'quota-request-unknown',
    'key-required',
  ])
  const codeOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { code: string }).code

  for (const name of [
    'asks for consent',
    'asks for a token',
    'asks for a quota',
    'asks how a quota stands',
    'asks about a key',
  ]) {
    test(`refuses a request to an address of its own from before: ${name}`, async () => {
      for (const _ of [1, 2])
        assert.equal(codeOf(await send(network.holder, captured[name] as SignedCall)), 'nonce-replayed')
    })
  }

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

describe('a holder that restarts while its clock is ahead', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  for (const [what, draft] of [
    ['a call', {}],
    ['a request to an address of its own', { path: '/limits/requests/1', headers: {} }],
  ] as const) {
    test(`takes ${what} from before no second time when its clock is right again`, async () => {
      const call = signCall(network, draft)
      const first = await send(network.holder, call)
      assert.notEqual(first.status, 503)
      network.holder.aheadMs = 3_600_000
      await network.holder.stop()
      await network.holder.start()
      network.holder.aheadMs = 0
      const again = await send(network.holder, call)
      assert.equal(again.status, 503, again.body.toString())
      assert.match(again.body.toString(), /the clock of the node was just set back/)
      await network.holder.stop()
      await network.holder.start()
      assert.match((await send(network.holder, call)).body.toString(), /nonce-replayed/)
      assert.equal((await send(network.holder, signCall(network))).status, 200)
    })
  }
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

  const codeOf = async (call: SignedCall) => {
    const answer = await send(network.holder, call)
    return answer.status === 200 ? 'ok' : (JSON.parse(answer.body.toString()) as { code: string }).code
  }

  test('refuses what is new, forgets nothing that is old, and takes calls again when nonces expire', async () => {
    const calls: SignedCall[] = []
    const codes: string[] = []
    while (calls.length < 1_200) {
      const round = Array.from({ length: 50 }, () => signCall(network))
      calls.push(...round)
      codes.push(...(await Promise.all(round.map(codeOf))))
    }
    assert.deepEqual(new Set(codes), new Set(['ok', 'nonce-store-full']))
    assert.equal(codes.filter((code) => code === 'ok').length, 1_000)
    const answer = await send(network.holder, signCall(network))
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) >= 1)
    assert.ok(answer.headers.has('signature'), 'the caller was identified')
    const some = calls.filter((_, index) => codes[index] === 'ok' && index % 20 === 0)
    assert.deepEqual(new Set(await Promise.all(some.map(codeOf))), new Set(['nonce-replayed']))
    await network.holder.stop()
    await network.holder.start()
    assert.deepEqual(new Set(await Promise.all(some.map(codeOf))), new Set(['nonce-replayed']))
    network.clock.offsetMs += 120_000
    assert.equal(await codeOf(signCall(network)), 'ok')
  })
})

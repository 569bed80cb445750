/** Keys of holder, recipient and delegate are rotated while consented calls run: none may fail, though every token is
 *  bound to a key and signed with one. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { callOverWire, callerKey, chainOf, codeOf } from './consent-chains.ts'
import { callLocally, consented, operate, passOn, startConsentNetwork, type ConsentNetwork } from './consent-network.ts'
import type { TestNode } from './test-network.ts'

const callers = 6

describe('rotations under consented load', () => {
  let network: ConsentNetwork
  let id: string
  let delegation: string
  let firstExchange: string
  before(async () => {
    const configure = (config: Record<string, unknown>) =>
      Object.assign(config['network'] as object, { didCacheSeconds: 10 })
    network = await startConsentNetwork({ configure })
    id = await consented(network)
    delegation = await passOn(network, id)
    const { headers } = await callLocally(network.recipient, { consent: id })
    firstExchange = parseReceipt(headers.get('comity-receipt') ?? '').claims.jti
  })
  after(() => network[Symbol.asyncDispose]())

  interface Load {
    /** Resolves when every call that runs now has ended, and one more of each caller. */
    turnOver(): Promise<void>
    /** Gives how many were answered; throws what the first failure said. */
    stop(): Promise<number>
  }

  /** Calls by recipient and delegate until told to stop. */
  function startLoad(): Load {
    const load = { isStopped: false, answered: Array<number>(callers).fill(0) }
    const run = async (node: TestNode, consent: string, caller: number) => {
      while (!load.isStopped) {
        const { status, text } = await callLocally(node, { consent })
        assert.equal(status, 200, `${node.name} ${text}`)
        load.answered[caller] = (load.answered[caller] ?? 0) + 1
      }
    }
    const running = Promise.all(
      Array.from({ length: callers }, (_, index) =>
        index % 2 === 0 ? run(network.recipient, id, index) : run(network.delegate, delegation, index),
      ),
    )
    running.catch(() => (load.isStopped = true))
    return {
      async turnOver() {
        const enough = load.answered.map((count) => count + 2)
        while (!load.isStopped && enough.some((count, caller) => (load.answered[caller] ?? 0) < count)) await sleep(10)
      },
      async stop() {
        load.isStopped = true
        await running
        return load.answered.reduce((sum, count) => sum + count)
      },
    }
  }

  /** As the command rotates; the clock goes on until the predecessors are retired, slower than any call takes. */
  async function rotate(node: TestNode, { turnOver }: Load): Promise<void> {
    const purposes = ['authentication', 'assertionMethod', 'tls']
    await operate(node, '/v1/keys/rotate', { purposes, publishForMs: 20_000, overlapMs: 20_000 })
    const { foundation, keysChanged } = node.running.parts
    while (foundation.identity.nextChangeAtMs() !== undefined) {
      await turnOver()
      network.clock.offsetMs += 8_000
      for (const listener of keysChanged.listeners) listener()
    }
    await turnOver()
  }

  for (const name of ['holder', 'recipient', 'delegate'] as const) {
    test(`of all keys of the ${name} fail no call`, async () => {
      const node = network[name]
      const earlier = callerKey(node).keyid
      const load = startLoad()
      await rotate(node, load)
      assert.ok((await load.stop()) > 2 * callers)
      assert.notEqual(callerKey(node).keyid, earlier)
    })
  }

  test('leave a token that is bound to the retired key worthless', async () => {
    const chain = await chainOf(network.recipient, id)
    const earlier = callerKey(network.recipient)
    const load = startLoad()
    await rotate(network.recipient, load)
    await load.stop()
    assert.equal(codeOf(await callOverWire(network, { chain })), 'consent-required')
    assert.equal(codeOf(await callOverWire(network, { chain, as: earlier })), 'key-unknown')
    assert.equal((await callLocally(network.recipient, { consent: id })).code, '200')
  })

  test('leave what was read before them provable', async () => {
    const path = `/v1/exchanges/${firstExchange}/evidence`
    const { evidence } = await operate<{ evidence: EvidenceBundle }>(network.holder, path)
    const report = verifyEvidence(evidence)
    assert.ok(report.ok, JSON.stringify(report.checks))
    assert.equal(report.claims?.con?.id, id)
  })
})

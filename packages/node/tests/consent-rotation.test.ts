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

  /** Calls by recipient and delegate until told to stop. Gives how many were answered. */
  function startLoad(): { stop(): Promise<number> } {
    const load = { isStopped: false, answered: 0 }
    const run = async (node: TestNode, consent: string) => {
      while (!load.isStopped) {
        const { status, text } = await callLocally(node, { consent })
        assert.equal(status, 200, `${node.name} ${text}`)
        load.answered += 1
      }
    }
    const running = Promise.all(
      Array.from({ length: callers }, (_, index) =>
        index % 2 === 0 ? run(network.recipient, id) : run(network.delegate, delegation),
      ),
    )
    running.catch(() => (load.isStopped = true))
    return {
      async stop() {
        load.isStopped = true
        await running
        return load.answered
      },
    }
  }

  /** As the command rotates; the clock goes on until the predecessors are retired. */
  async function rotate(node: TestNode): Promise<void> {
    const purposes = ['authentication', 'assertionMethod', 'tls']
    await operate(node, '/v1/keys/rotate', { purposes, publishForMs: 20_000, overlapMs: 20_000 })
    const { foundation, keysChanged } = node.running.parts
    while (foundation.identity.nextChangeAtMs() !== undefined) {
      await sleep(150)
      network.clock.offsetMs += 8_000
      for (const listener of keysChanged.listeners) listener()
    }
    await sleep(150)
  }

  for (const name of ['holder', 'recipient', 'delegate'] as const) {
    test(`of all keys of the ${name} fail no call`, async () => {
      const node = network[name]
      const earlier = callerKey(node).keyid
      const load = startLoad()
      await rotate(node)
      assert.ok((await load.stop()) > 2 * callers)
      assert.notEqual(callerKey(node).keyid, earlier)
    })
  }

  test('leave a token that is bound to the retired key worthless', async () => {
    const chain = await chainOf(network.recipient, id)
    const earlier = callerKey(network.recipient)
    await rotate(network.recipient)
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

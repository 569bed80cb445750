/** The keys that contents are sealed to are rotated on both sides while calls run: none may fail, and what is sealed to
 *  the predecessor opens for as long as it is not retired. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { startSealingNetwork, type SealingNetwork } from './sealing-network.ts'
import type { TestNode } from './test-network.ts'

const callers = 8

describe('a rotation of key agreement keys under load', () => {
  let network: SealingNetwork
  before(async () => {
    const rememberShortly = (config: Record<string, unknown>) =>
      void Object.assign(config['network'] as object, { didCacheSeconds: 10 })
    const options = { holder: rememberShortly, recipient: rememberShortly }
    network = await startSealingNetwork({ answers: 'required', requests: 'required' }, options)
  })
  after(() => network[Symbol.asyncDispose]())

  async function underLoad(change: (turnOver: () => Promise<void>) => Promise<void>): Promise<number> {
    const load = { stopped: false, succeeded: 0 }
    const run = async () => {
      while (!load.stopped) {
        const answer = await network.post(`call ${load.succeeded}`)
        const text = await answer.text()
        assert.equal(answer.status, 201, text)
        load.succeeded++
      }
    }
    const running = Promise.all(Array.from({ length: callers }, run))
    running.catch(() => (load.stopped = true))
    await change(async () => {
      const enough = load.succeeded + 2 * callers
      while (load.succeeded < enough && !load.stopped) await sleep(10)
    })
    load.stopped = true
    await running
    return load.succeeded
  }

  const keyids = (node: TestNode) => node.running.parts.foundation.identity.agreementKeys().map(({ keyid }) => keyid)
  const usedKeys = () =>
    new Set(
      network.proxy.seen.flatMap(({ body }) => {
        const [head = ''] = body.toString('latin1', 0, 2_000).split('.')
        const text = Buffer.from(head, 'base64url').toString('utf8')
        return text.startsWith('{"alg"') ? [(JSON.parse(text) as { kid: string }).kid] : []
      }),
    )

  for (const side of ['holder', 'recipient'] as const) {
    test(`of the ${side} fails no call; before and after it contents are sealed to other keys`, async () => {
      const { identity } = network[side].running.parts.foundation
      const earlier = keyids(network[side])
      const succeeded = await underLoad(async (turnOver) => {
        await turnOver()
        await identity.rotate({ purposes: ['keyAgreement'], publishForMs: 20_000, overlapMs: 20_000 })
        while (identity.nextChangeAtMs() !== undefined) {
          await turnOver()
          network.clock.offsetMs += 5_000
        }
        await turnOver()
      })
      assert.ok(succeeded > 8 * callers, `${succeeded}`)
      assert.ok(keyids(network[side]).every((keyid) => !earlier.includes(keyid)))
      const used = usedKeys()
      assert.ok(
        earlier.some((keyid) => used.has(keyid)),
        'the earlier keys were in use',
      )
      assert.ok(
        keyids(network[side]).some((keyid) => used.has(keyid)),
        'the later keys are in use',
      )
    })
  }

  test('without any overlap costs a caller that remembers the old document one more try, and no failure', async () => {
    await (await network.post('remembers the document')).text()
    const { identity } = network.holder.running.parts.foundation
    await identity.rotate({ purposes: ['keyAgreement'], publishForMs: 0, overlapMs: 0 })
    network.clock.offsetMs += 1
    const requests = network.proxy.seen.length
    const answer = await network.post('sealed to what is retired')
    assert.equal(answer.status, 201, await answer.text())
    const tries = network.proxy.seen.slice(requests).filter(({ line }) => line === 'POST /x/items/items')
    assert.equal(tries.length, 2)
  })
})

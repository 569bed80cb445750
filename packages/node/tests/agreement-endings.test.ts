/** Agreements that end: the very next call is refused at the holder, and the partner's node learns why. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { assertRefused, isSigned, loggedExchange, send, signCall } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

describe('when an agreement ends', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  const call = () =>
    fetch(network.recipient.local('/holder/items/items/7'), { headers: { 'comity-purpose': testPurpose } })

  async function assertCallRefused(code: string): Promise<void> {
    const answer = await call()
    const text = await answer.text()
    assert.equal((JSON.parse(text) as { code: string }).code, code, text)
  }

  const holderTerminates = (id: string) =>
    network.holder.running.parts.counterparts.agreements.terminate(id, 'the study is over')
  const stateAtRecipient = (id: string) => network.recipient.running.parts.counterparts.agreements.show(id).state

  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    const startedMs = performance.now()
    while (!(await holds())) {
      assert.ok(performance.now() - startedMs < 60_000, 'it did not come about in time')
      await sleep(20)
    }
  }

  test('by time, the first call after its last moment is refused on both sides', async () => {
    const untilMs = Math.floor(network.clock.now() / 1000) * 1000 + 60_000
    await network.agree({ untilMs })
    network.clock.offsetMs = untilMs - 1_000 - Date.now()
    assert.equal((await call()).status, 200)
    network.clock.offsetMs = untilMs - Date.now()
    await assertRefused(network, signCall(network), { code: 'agreement-expired' })
    await assertCallRefused('agreement-expired')
  })

  test('by the holder’s word, the very next call is refused', async () => {
    const id = await network.agree()
    const prepared = signCall(network)
    const allowed = signCall(network)
    const answer = await send(network.holder, allowed)
    assert.equal(answer.status, 200)
    assert.ok(isSigned(network.holder, allowed, answer))
    await holderTerminates(id)
    await assertRefused(network, prepared, { code: 'agreement-terminated' })
  })

  test('the partner learns it by an event, and refuses before anything leaves it', async () => {
    const id = network.recipient.running.parts.counterparts.agreements.list().at(-1)?.id ?? ''
    await until(() => stateAtRecipient(id) === 'terminated')
    const seenBefore = network.upstream.seen.length
    await assertCallRefused('agreement-terminated')
    assert.equal(network.upstream.seen.length, seenBefore)
    const isLogged = async () => {
      const events = await network.recipient.running.parts.auditLog.readEvents({ limit: 1_000 })
      return events.some(({ type, body }) => type === 'event-received' && body?.includes(network.holder.did))
    }
    await until(isLogged)
  })

  test('a partner that was down meanwhile learns it when it is back', async () => {
    const id = await network.agree()
    assert.equal((await call()).status, 200)
    await network.recipient.stop()
    await holderTerminates(id)
    await network.holder.running.parts.counterparts.outbox.settled()
    await network.recipient.start()
    assert.equal(stateAtRecipient(id), 'in-force')
    const refused = await call()
    const { code, requestId } = (await refused.json()) as { code: string; requestId: string }
    assert.equal(code, 'agreement-terminated', 'the holder’s own word, signed, until the event is there')
    assert.equal((await loggedExchange(network.holder, requestId))?.problem, code)
    network.clock.offsetMs += 3_600_000
    network.holder.running.parts.counterparts.outbox.wake()
    await until(() => stateAtRecipient(id) === 'terminated')
    // The recipient knows before its acknowledgement has arrived.
    await network.holder.running.parts.counterparts.outbox.settled()
    const [pending] = (await network.holder.running.parts.counterparts.outbox.list()).filter(
      ({ acknowledgedMs }) => acknowledgedMs === undefined,
    )
    assert.equal(pending, undefined)
  })

  test('by the recipient’s word, the holder refuses as soon as it is told', async () => {
    const id = await network.agree()
    await network.recipient.running.parts.counterparts.agreements.terminate(id, 'not needed any more')
    await until(() => network.holder.running.parts.counterparts.agreements.show(id).state === 'terminated')
    await assertRefused(network, signCall(network), { code: 'agreement-terminated' })
  })

  test('it stays ended over a restart of both nodes', async () => {
    for (const node of [network.holder, network.recipient]) {
      await node.stop()
      await node.start()
    }
    await assertRefused(network, signCall(network), { code: 'agreement-terminated' })
    await assertCallRefused('agreement-terminated')
  })
})

/** What an operator reads of a node: each documented event when it happens, and one word for an outcome on both sides. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminOf } from './admin-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

describe('a node tells its operator', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  const told = (node: TestNode) => node.logged.map((line) => (JSON.parse(line) as { event?: string }).event)
  const call = (path: string) => fetch(network.recipient.local(path), { headers: { 'comity-purpose': testPurpose } })

  async function tells(node: TestNode, event: string): Promise<void> {
    for (let tries = 0; tries < 3_000 && !told(node).includes(event); tries++)
      await new Promise((r) => setTimeout(r, 20))
    assert.ok(told(node).includes(event), `${node.name}: ${event}`)
  }

  test('of agreements and of what partners are told and tell', async () => {
    const id = await network.agree()
    await tells(network.holder, 'agreement.imported')
    await network.holder.running.parts.counterparts.agreements.terminate(id, 'over')
    await tells(network.holder, 'agreement.terminated')
    await tells(network.holder, 'notice.delivered')
    await tells(network.recipient, 'notice.received')
    await tells(network.recipient, 'agreement.terminated')
    await network.agree()
  })

  test('of partners and keys that change', async () => {
    const admin = await adminOf(network.holder)
    const did = 'did:web:third.example'
    await admin.call({ method: 'POST', path: '/v1/partners', body: { alias: 'third', did } })
    await tells(network.holder, 'partner.added')
    await admin.call({ method: 'DELETE', path: '/v1/partners/third' })
    await tells(network.holder, 'partner.removed')
    const body = { purposes: ['keyAgreement'], publishForMs: 20_000, overlapMs: 20_000 }
    await admin.call({ method: 'POST', path: '/v1/keys/rotate', body })
    for (const event of ['key.announced', 'key.rotated', 'key.retired']) {
      await tells(network.holder, event)
      network.clock.offsetMs += 20_001
      // Its timers do not see that the clock was moved.
      for (const listener of network.holder.running.parts.keysChanged.listeners) listener()
    }
  })

  test('how large its log and its memory of nonces are', async () => {
    assert.equal((await call('/holder/items/items/7')).status, 200)
    await network.holder.running.parts.auditLog.integrate()
    const metrics = await (await fetch(`http://127.0.0.1:${network.holder.running.ports.admin}/metrics`)).text()
    assert.match(metrics, /^comity_log_entries [1-9]\d*$/m)
    assert.match(metrics, /^comity_nonces [1-9]\d*$/m)
  })

  test('the same outcome and code on both sides, and an own error of the API as an answer', async () => {
    const outcomes = (node: TestNode) => {
      const lines = node.logged.map(
        (line) => JSON.parse(line) as { direction?: string; outcome?: string; code?: string },
      )
      const last = lines.filter(({ direction }) => direction !== undefined).at(-1)
      return [last?.outcome, last?.code]
    }
    assert.equal((await call('/holder/items/nothing')).status, 404)
    assert.deepEqual(outcomes(network.holder), ['denied', 'not-found'])
    assert.deepEqual(outcomes(network.recipient), ['denied', 'not-found'])
    network.upstream.behave = (_message, response) => void response.writeHead(500).end('planted')
    assert.equal((await call('/holder/items/items/7')).status, 502)
    network.upstream.behave = undefined
    assert.deepEqual(outcomes(network.holder), ['failed', 'upstream-error'])
    assert.deepEqual(outcomes(network.recipient), ['failed', 'upstream-error'])
  })

  test('what is wrong with an answer of its API, and the caller only that something is', async () => {
    const answers: [string, RegExp][] = [
      ['{"id":7,"name":"planted","born":"planted"}', /^answer 200 of `getItem`: `\/born` is not declared$/],
      ['{"name":"a","id":"planted"}', /^answer 200 of `getItem`: `\/id` must be integer$/],
      ['planted', /^answer 200 of `getItem`: the body /],
    ]
    for (const [body, expected] of answers) {
      network.upstream.behave = (_message, response) => {
        response.setHeader('content-type', 'application/json').end(body)
      }
      const answer = await call('/holder/items/items/7')
      assert.equal(answer.status, 502)
      assert.doesNotMatch(await answer.text(), /born|integer|planted/)
      const [line] = network.holder.logged.filter((one) => one.includes('exchange.failed')).slice(-1)
      const { code, product, operation, reason, id } = JSON.parse(line ?? '{}') as Record<string, string>
      assert.deepEqual([code, product, operation], ['upstream-invalid', 'items', 'getItem'])
      assert.equal(typeof id, 'string')
      assert.match(reason ?? '', expected)
      assert.doesNotMatch(line ?? '', /planted/)
    }
    network.upstream.behave = undefined
  })
})

/** Contents between two nodes that a proxy which ends TLS cannot read, in both directions, by every algorithm. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { sealingAlgorithms } from '@comity/core/sealing/sealing-algorithms'
import { startSealingNetwork, type SealingNetwork } from './sealing-network.ts'

const receiptOf = (answer: Response) => parseReceipt(answer.headers.get('comity-receipt') ?? '').claims

for (const algorithm of sealingAlgorithms) {
  describe(`contents sealed with ${algorithm}`, () => {
    let network: SealingNetwork
    before(async () => {
      network = await startSealingNetwork({ answers: 'required', requests: 'required', algorithms: [algorithm] })
    })
    after(() => network[Symbol.asyncDispose]())

    test('an answer reaches the application, and the proxy sees nothing of it', async () => {
      const answer = await network.call('/holder/items/items/4711')
      assert.equal(answer.status, 200, await answer.clone().text())
      assert.equal(answer.headers.get('content-type'), 'application/json')
      assert.deepEqual(await answer.json(), { id: 4711, name: 'item 4711' })
      assert.equal(receiptOf(answer).sea?.res?.alg, algorithm)
      assert.ok(network.proxy.text().includes('application/comity-sealed'))
      assert.ok(!network.proxy.text().includes('item 4711'))
    })

    test('a body reaches the API, and the proxy sees nothing of it', async () => {
      const answer = await network.post('secret of the caller')
      assert.equal(answer.status, 201, await answer.clone().text())
      assert.equal(((await answer.json()) as { name: string }).name, 'secret of the caller')
      assert.equal(network.upstream.seen.at(-1)?.body, JSON.stringify({ name: 'secret of the caller' }))
      assert.equal(network.upstream.seen.at(-1)?.headers['content-type'], 'application/json')
      const { sea } = receiptOf(answer)
      assert.deepEqual([sea?.req?.alg, sea?.res?.alg], [algorithm, algorithm])
      assert.ok(!network.proxy.text().includes('secret of the caller'))
    })

    test('evidence of it opens the receipt’s commitment, on either side', async () => {
      const answer = await network.post('evidence')
      const body = Buffer.from(await answer.arrayBuffer())
      for (const node of [network.holder, network.recipient]) {
        const { evidence } = await node.running.parts.exportEvidence(receiptOf(answer).jti)
        const report = verifyEvidence(evidence)
        assert.ok(report.ok, JSON.stringify(report.checks))
        const names = report.checks.filter(({ ok }) => ok).map(({ name }) => name)
        assert.ok(names.includes('sealed-request') && names.includes('sealed-response'), names.join())
        assert.ok(!JSON.stringify(evidence).includes('evidence"}'), 'the content itself is not in it')
        assert.ok(body.length > 0)
      }
    })
  })
}

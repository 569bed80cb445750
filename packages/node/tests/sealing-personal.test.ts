/** Answers about a person, sealed: what opens the receipt's commitment is the person's too, and goes with an erasure. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { testPurposes } from '@comity/core/consent/test-consent'
import { grantAll, requestOf, startPersonalNetwork, type PersonalNetwork } from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import type { TestNode } from './test-network.ts'

describe('a sealed answer about a person', () => {
  let network: PersonalNetwork
  let subject: string
  let exchange: string
  before(async () => {
    network = await startPersonalNetwork({ athletes: { sealing: { answers: 'required' } } })
    const { consents } = network.recipient.running.parts.consent.held
    const request = requestOf({})
    const { id } = await consents.ask({ partner: 'holder', request })
    await grantAll(network, id, request)
    await consents.refresh(id)
    subject = network.holder.running.parts.foundation.vault.pairwise(athleteReference, network.recipient.did)
  })
  after(() => network[Symbol.asyncDispose]())

  const openings = (node: TestNode) =>
    node.running.parts.foundation.database.all('SELECT openings, subject FROM exchange_openings')
  const sealedCheck = async (node: TestNode) => {
    const { evidence } = await node.running.parts.exportEvidence(exchange)
    const report = verifyEvidence(evidence)
    assert.ok(report.ok, JSON.stringify(report.checks))
    return report.checks.find(({ name }) => name === 'sealed-response')
  }

  test('reaches the application, reduced as ever', async () => {
    const answer = await fetch(network.recipient.local(`/holder/athletes/athletes/${subject}`), {
      headers: { 'comity-purpose': testPurposes.research },
    })
    assert.equal(answer.status, 200, await answer.clone().text())
    assert.deepEqual(await answer.json(), { height: 181, weight: 74 })
    exchange = parseReceipt(answer.headers.get('comity-receipt') ?? '').claims.jti
  })

  test('is proven on both sides by what is kept under the person’s key', async () => {
    for (const node of [network.holder, network.recipient]) {
      const [row] = await openings(node)
      assert.match(String(row?.['openings']), /^sealed:/)
      assert.ok(row?.['subject'])
      assert.equal((await sealedCheck(node))?.ok, true)
    }
  })

  test('leaves nothing that opens the commitment once the person is erased, and the receipt verifies as before', async () => {
    const { vault, database } = network.recipient.running.parts.foundation
    const handle = vault.handleOf(subject)
    await database.execute(vault.destroy(handle, network.clock.now()))
    await vault.forget(handle)
    const check = await sealedCheck(network.recipient)
    assert.equal(check?.erased, true)
    assert.equal((await sealedCheck(network.holder))?.ok, true, 'the holder has not erased')
  })
})

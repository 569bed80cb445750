import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { dayMs, office, openTestKeys, type TestKeys } from './keys-test-node.ts'

const idOf = (text: string) => parseApiKey(text).id

const lineOfAdmitted = ({ apiKeys, clock }: TestKeys, text: string): string =>
  apiKeys.judge.authenticate(text, { address: office, environment: 'live' }, clock.nowMs).line

test('keys that succeed each other are of one line, while they work and when the first is long forgotten', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const [first, other] = [await node.issue(), await node.issue()]
  let { id, text } = first
  for (let round = 0; round < 4; round++) {
    const { successor, rotation } = await node.apiKeys.rotations.rotate(id, {}, 'operator')
    const next = successor?.text ?? ''
    assert.deepEqual(
      [text, next].map((each) => lineOfAdmitted(node, each)),
      [first.id, first.id],
    )
    await node.apiKeys.rotations.complete(rotation.id, 'operator')
    ;[id, text] = [idOf(next), next]
    // Ended keys are forgotten after 90 days.
    node.clock.nowMs += 100 * dayMs
    await node.apiKeys.tend()
    if (round === 2) await node.restart()
    assert.equal(lineOfAdmitted(node, text), first.id)
    assert.equal(node.apiKeys.lineOf(id), first.id)
  }
  assert.equal(lineOfAdmitted(node, other.text), other.id)
})

/** Room for nonces is shared: strangers, who can make themselves keys at will, may not take the partners' part of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { send, signCall, type Answer } from './signed-call.ts'
import { startTestNetwork } from './test-network.ts'

const capacity = 1_000
const atOnce = 25

test('a stranger who fills its part of the store is refused; a partner is served', async () => {
  await using network = await startTestNetwork({
    holder: (config) => Object.assign(config['limits'] as object, { nonces: capacity }),
  })
  await network.agree()
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  const as = { keyid: didKeyId(didKeyOf(key.publicJwk)), key }
  const statuses = new Map<number, number>()
  const startMs = network.clock.now()
  for (let sent = 0; sent < capacity; sent += atOnce) {
    // Time stands still, so that no nonce grows old however long the flood takes.
    network.clock.offsetMs = startMs - Date.now()
    const flood = Array.from({ length: atOnce }, () =>
      send(network.holder, signCall(network, { as, path: '/x/nothing/here', headers: {} })),
    )
    for (const { status } of await Promise.all(flood)) statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  const answer: Answer = await send(network.holder, signCall(network))
  assert.equal(answer.status, 200, answer.body.toString())
  assert.deepEqual([...statuses].toSorted(), [
    [404, capacity / 2],
    [503, capacity / 2],
  ])
})

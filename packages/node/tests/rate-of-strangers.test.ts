/** The rate of a public product holds for strangers too, who can make themselves a new name for every call. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { send, signCall } from './signed-call.ts'
import { startTestNetwork } from './test-network.ts'

const requests = 4

test('a new did:key for every call is no new allowance; a partner at the same address keeps its own', async () => {
  await using network = await startTestNetwork({
    holder: (config) => {
      for (const product of config['products'] as { limits: object }[])
        product.limits = { rate: { requests, perSeconds: 3_600 } }
    },
  })
  const statuses: number[] = []
  for (let call = 0; call < requests + 2; call++) {
    const key = importSigningKey(generatePrivateJwk('ed25519'))
    const as = { keyid: didKeyId(didKeyOf(key.publicJwk)), key }
    const answer = await send(network.holder, signCall(network, { as, path: '/x/open-items/items/7', headers: {} }))
    statuses.push(answer.status)
  }
  assert.deepEqual(statuses, [...Array.from({ length: requests }, () => 200), 429, 429])
  const call = signCall(network, { path: '/x/open-items/items/7', headers: {} })
  assert.equal((await send(network.holder, call)).status, 200)
})

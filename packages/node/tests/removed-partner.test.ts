/** Removing a partner ends what was agreed with it, also for participants whose documents need no fetching. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signAgreement } from '@comity/core/agreement/agreement-signature'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { assertRefused, send, signCall } from './signed-call.ts'
import { startTestNetwork } from './test-network.ts'

test('refuses a did:key with an agreement in force as soon as it is no partner any more', async () => {
  await using network = await startTestNetwork()
  const key = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
  const did = didKeyOf(key.publicJwk)
  const as = { keyid: didKeyId(did), key }
  const { agreements, partners } = network.holder.running.parts.counterparts
  await partners.add({ alias: 'keyed', did, url: 'https://localhost:1' })
  const draft = agreements.draft({ assigner: network.holder.did, assignee: did, products: ['items'] })
  const envelope = await agreements.import(signAgreement(await agreements.sign(draft), as, network.clock.now()))
  const call = () => signCall(network, { as, headers: { 'comity-agreement': envelope.id } })
  assert.equal((await send(network.holder, call())).status, 200)
  await partners.remove('keyed')
  await assertRefused(network, call(), { code: 'participant-unknown' })
})

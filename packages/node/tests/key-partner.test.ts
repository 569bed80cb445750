/** Keys of a client whose participant is removed from the partners: they work nowhere, and the operator is told whose they
 *  are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { adminOf } from './admin-call.ts'
import { freePort } from './free-port.ts'
import {
  addClient,
  answered,
  issueKey,
  keysOf,
  presentKey,
  productsIn,
  refusedFor,
  startKeyNetwork,
} from './key-network.ts'

test('a key of a partner that was removed opens no public product and is not renewed, and its client is named', async () => {
  const port = await freePort()
  await using network = await startKeyNetwork({
    holder(config) {
      Object.assign(config['listen'] as object, { admin: { port } })
      const { items = {} } = productsIn(config)
      items['class'] = 'public'
    },
  })
  const { holder, recipient } = network
  await addClient(holder)
  await addClient(holder, { id: 'own', participant: undefined })
  const [theirs, ours] = [await issueKey(holder), await issueKey(holder, {}, 'own')]
  await (await keysOf(holder)).rotations.rotate(theirs.id, { successor: 'claim' }, 'operator')
  await answered(holder, presentKey(holder, theirs.text))
  const { out, code } = await runQuietly('-c', holder.configFile, 'partners', 'remove', recipient.did)
  assert.equal(code, 0, out)
  assert.match(out, /keys of its clients are refused from now on: billing\n/)
  await refusedFor(network, presentKey(holder, theirs.text), 'key-disabled')
  const renewal = { method: 'POST', path: '/keys/renewal' }
  await refusedFor(network, presentKey(holder, theirs.text, renewal), 'key-disabled')
  await answered(holder, presentKey(holder, ours.text))
  const admin = await adminOf(holder)
  assert.equal((await admin.call({ path: '/v1/partners/recipient' })).status, 404)
})

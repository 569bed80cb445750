/** A limit by key while keys are rotated: one key and its successor have one allowance. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { addClient, answered, issueKey, keysOf, presentKey, refusedFor, startKeyNetwork } from './key-network.ts'
import { send } from './signed-call.ts'

const rules = [
  { name: 'each', by: ['key'], for: { credential: ['api-key'] }, quota: { units: 4, per: 'month' } },
  { name: 'hourly', by: ['key'], for: { credential: ['api-key'] }, units: 1_000, perSeconds: 3_600 },
]

test('a key and its successor share a limit by key, and what was granted to one the other has', async () => {
  await using network = await startKeyNetwork({
    holder: (config) => void Object.assign(config['limits'] as object, { rules }),
  })
  const { holder } = network
  await addClient(holder)
  const [old, other] = [await issueKey(holder), await issueKey(holder)]
  const call = async (text: string) => (await send(holder, presentKey(holder, text))).status
  assert.deepEqual([await call(old.text), await call(old.text)], [200, 200])
  const { successor } = await (await keysOf(holder)).rotations.rotate(old.id, {}, 'operator')
  const next = successor?.text ?? ''
  assert.deepEqual(
    [await call(next), await call(old.text), await call(next), await call(old.text)],
    [200, 200, 429, 429],
  )
  assert.equal(await call(other.text), 200)
  const wish = JSON.stringify({ limit: 'each', units: 6, per: 'month', reason: 'a study' })
  const asking = presentKey(holder, old.text, { method: 'POST', path: '/limits/requests', body: wish })
  const asked = await send(holder, asking)
  assert.equal(asked.status, 202, asked.body.toString())
  const { id } = JSON.parse(asked.body.toString()) as { id: string }
  await holder.running.parts.quotas.requests.grant(id, {})
  assert.deepEqual([await call(next), await call(old.text), await call(next)], [200, 200, 429])
  const counts = holder.running.parts.limits.counts
  assert.equal((await counts.show('each', `key=${old.id}`)).used, 6)
  assert.equal((await counts.show('each', `key=${parseApiKey(next).id}`)).used, 6)
})

test('a key that is out of its scope, or that the product does not take, uses up nothing of its participant', async () => {
  await using network = await startKeyNetwork({
    holder: (config) =>
      void Object.assign(config['limits'] as object, {
        rules: [{ name: 'partners', by: ['participant'], quota: { units: 3, per: 'month' } }],
      }),
  })
  const { holder } = network
  await addClient(holder)
  const narrow = await issueKey(holder, { scope: { operations: ['items/createItem'] } })
  const elsewhere = await issueKey(holder, { scope: { products: ['open-items'] } })
  for (let call = 0; call < 5; call++) {
    await refusedFor(network, presentKey(holder, narrow.text), 'key-scope')
    await refusedFor(network, presentKey(holder, elsewhere.text), 'key-scope')
    await refusedFor(network, presentKey(holder, elsewhere.text, { path: '/x/items/nowhere' }), 'key-scope')
  }
  const right = await issueKey(holder, { scope: { operations: ['items/getItem'] } })
  for (let call = 0; call < 3; call++) await answered(holder, presentKey(holder, right.text))
  await refusedFor(network, presentKey(holder, right.text), 'quota-exceeded')
})

/** A composite that is refused as a whole: what its parts took of limits is taken, durably, and counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageView } from '../src/admin/usage-api.ts'
import { adminOf } from './admin-call.ts'
import { compositeCall, research } from './composite-calls.ts'
import { giveConsent, startPersonalNetwork, tokenFor } from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { assertRefused } from './signed-call.ts'

test('what the parts of a refused composite took is written with its record, and counted as usage', async () => {
  const rule = { name: 'daily', by: ['participant'], for: { products: ['athletes'] }, quota: { units: 9, per: 'day' } }
  await using network = await startPersonalNetwork({}, undefined, [rule])
  const { holder, recipient } = network
  const part = async (reference: string) => ({
    product: 'athletes',
    path: `/athletes/${reference}`,
    purpose: research,
    authorization: await tokenFor(network, await giveConsent(network, { reference })),
  })
  const parts = { one: await part(athleteReference), two: await part(otherReference) }
  const { limits, foundation } = holder.running.parts
  await limits.settle()
  // From here on only what is written with the record is written.
  limits.settle = () => Promise.resolve()
  await assertRefused(network, compositeCall(network, parts), { code: 'composite-mixed' })
  const sql = 'SELECT limit_key, used FROM limit_quotas'
  const rows = (await foundation.database.all(sql)).map((row) => [row['limit_key'], row['used']])
  assert.deepEqual(rows, [[`participant=${recipient.did}`, 2]])
  const { json } = await (await adminOf(holder)).call({ path: '/v1/usage?by=product' })
  const usage = (json as UsageView[]).find(({ product }) => product === 'athletes')
  assert.deepEqual([usage?.calls, usage?.refused, usage?.units], [2, 2, 2])
})

/** The limit of requests for consent, between whole nodes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startConsentNetwork } from './consent-network.ts'
import { requestOf } from './personal-network.ts'
import { send, signCall } from './signed-call.ts'

test('a partner that makes up references is stopped before anything is kept of them', async () => {
  await using network = await startConsentNetwork({
    configure: (config) =>
      Object.assign(config['limits'] as object, { consentRequests: { requests: 2, perSeconds: 3_600 } }),
  })
  const ask = (reference: string) => {
    const body = JSON.stringify(requestOf({ reference }))
    return send(network.holder, signCall(network, { headers: {}, method: 'POST', path: '/consents/requests', body }))
  }
  const { database } = network.holder.running.parts.foundation
  const kept = async () =>
    Promise.all(
      ['consents', 'subject_keys', 'people_links'].map(
        async (table) => (await database.all(`SELECT * FROM ${table}`)).length,
      ),
    )
  for (const reference of ['made-up-1', 'made-up-2']) {
    const answer = await ask(reference)
    assert.equal(answer.status, 202, answer.body.toString())
    assert.match(String(answer.headers.get('ratelimit')), /^"consent-requests";r=/)
  }
  const before = await kept()
  const refused = await ask('made-up-3')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('retry-after'), '1800')
  assert.match(String(refused.headers.get('ratelimit')), /^"consent-requests";r=0/)
  assert.deepEqual(await kept(), before)
})

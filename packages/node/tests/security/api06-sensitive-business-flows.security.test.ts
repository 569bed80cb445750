/** OWASP API6:2023. Flows that hurt when a machine repeats them (asking people for consent, writing, guessing names) have
 *  limits of their own, counted by who asks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerKey } from '../consent-chains.ts'
import { startConsentNetwork } from '../consent-network.ts'
import { requestOf } from '../personal-network.ts'
import { send, signCall } from '../signed-call.ts'
import { agree, startTestNetwork, testPurpose, type TestNode } from '../test-network.ts'

test('asking people has a limit by partner, whomever it names: another partner may still ask', async () => {
  await using network = await startConsentNetwork({
    more: ['other'],
    configure: (config) =>
      Object.assign(config['limits'] as object, { consentRequests: { requests: 2, perSeconds: 3_600 } }),
  })
  const other = network.others['other'] as TestNode
  await agree(network.holder, other, {
    products: ['athletes'],
    purposes: ['https://w3id.org/dpv#ResearchAndDevelopment'],
  })
  const ask = async (by: TestNode, reference: string) => {
    const body = JSON.stringify(requestOf({ reference }))
    const draft = { headers: {}, method: 'POST', path: '/consents/requests', body, as: callerKey(by) }
    return (await send(network.holder, signCall(network, draft))).status
  }
  const statuses: number[] = []
  for (let person = 1; person <= 5; person++) statuses.push(await ask(network.recipient, `90000000${person}`))
  assert.deepEqual(statuses, [202, 202, 429, 429, 429])
  assert.equal(await ask(other, '900000009'), 202)
})

test('a write that is repeated is done once: at the same time, and later', async () => {
  await using network = await startTestNetwork()
  await network.agree()
  const post = () =>
    fetch(network.recipient.local('/holder/items/items'), {
      method: 'POST',
      body: '{"name":"once"}',
      headers: { 'comity-purpose': testPurpose, 'content-type': 'application/json', 'idempotency-key': '"order-1"' },
    })
  const statuses = (await Promise.all(Array.from({ length: 10 }, post))).map(({ status }) => status)
  assert.ok(statuses.includes(201) && statuses.every((status) => [201, 409].includes(status)), statuses.join())
  assert.equal((await post()).status, 201)
  assert.equal(network.upstream.seen.filter(({ method }) => method === 'POST').length, 1)
})

/** Nobody finds out by asking what a node has: not by what it answers, and not by how long it takes. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { adminOf } from '../admin-call.ts'
import { assertAlike } from '../comparable-answer.ts'
import { callerKey } from '../consent-chains.ts'
import { call, codeOf, giveConsent, startPersonalNetwork, tokenFor, type PersonalNetwork } from '../personal-network.ts'
import { otherReference } from '../personal-upstream.ts'
import { send, signCall } from '../signed-call.ts'

const nobody = '999999999'
/** Of a fair coin so far from one half in so many throws: once in two thousand million tries. A difference of one standard
 *  deviation of the noise would be seen in three quarters of the pairs. */
const pairs = 200
const tolerance = 0.22

describe('by', () => {
  let network: PersonalNetwork
  let authorization: string
  before(async () => {
    network = await startPersonalNetwork()
    await giveConsent(network, { reference: otherReference })
    authorization = await tokenFor(network, await giveConsent(network))
  })
  after(() => network[Symbol.asyncDispose]())

  const about = (reference: string, presented?: string) =>
    call(network, { authorization: presented, path: `/x/athletes/athletes/${reference}` })

  test('what is answered: a person with a consent, one without and nobody read alike to who may not know', async () => {
    network.api.called.length = 0
    for (const presented of [undefined, authorization])
      assertAlike(await Promise.all([otherReference, nobody, '900000001'].map((person) => about(person, presented))))
    assert.deepEqual(network.api.called, [])
  })

  test('what is answered: addresses of the operator read alike without the token, whether they are there or not', async () => {
    const { call: ask } = await adminOf(network.holder)
    const answers = await Promise.all(
      ['/v1/status', '/v1/partners', '/v1/nothing', '/v1/partners/recipient', '/v1/partners/nobody', '/'].map(
        async (path) => {
          const { status, json, headers } = await ask({ path, headers: { authorization: 'Bearer guess' } })
          const { requestId: _, ...body } = json as Record<string, unknown>
          const { date: __, ...named } = headers
          return { status, body, named }
        },
      ),
    )
    assert.equal(answers[0]?.status, 401)
    for (const answer of answers) assert.deepEqual(answer, answers[0])
  })

  test('what is answered: exchanges of others, of nobody and malformed ids have no proof', async () => {
    const ids = ['0190a7f0-0000-7000-8000-000000000000', '0190a7f0-0000-7000-8000-00000000000f']
    const as = callerKey(network.recipient)
    assertAlike(
      await Promise.all(
        ids.map((id) => send(network.holder, signCall(network, { as, headers: {}, path: `/receipts/${id}/proof` }))),
      ),
    )
  })

  test(
    'how long it takes: a refusal about somebody takes as long as one about nobody',
    { timeout: 240_000 },
    async () => {
      const timed = async (reference: string): Promise<number> => {
        const startedMs = performance.now()
        const answer = await about(reference, authorization)
        const tookMs = performance.now() - startedMs
        assert.equal(codeOf(answer), 'consent-required')
        return tookMs
      }
      let knownWasSlower = 0
      for (let pair = 0; pair < pairs; pair++) {
        // By chance who is first: whatever else the machine does falls on both.
        const isKnownFirst = randomInt(2) === 0
        const first = await timed(isKnownFirst ? otherReference : nobody)
        const second = await timed(isKnownFirst ? nobody : otherReference)
        if (isKnownFirst ? first > second : second > first) knownWasSlower += 1
      }
      const share = knownWasSlower / pairs
      assert.ok(Math.abs(share - 0.5) < tolerance, `slower for the one who exists in ${share} of the pairs`)
    },
  )
})

/** What the time of an answer tells: nothing of whom the holder knows, on the addresses of consents. (Calls are in
 *  `personal-timing.all.test.ts`.) */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { after, before, describe, test } from 'node:test'
import { callerKey } from './consent-chains.ts'
import { consented, startConsentNetwork, type ConsentNetwork } from './consent-network.ts'
import { requestOf } from './personal-network.ts'
import { otherReference } from './personal-upstream.ts'
import { send, signCall, type CallDraft } from './signed-call.ts'

describe('the time of an answer tells nothing of whom a holder knows', () => {
  let network: ConsentNetwork
  let known: string
  before(async () => {
    network = await startConsentNetwork()
    known = await consented(network, { reference: otherReference })
  })
  after(() => network[Symbol.asyncDispose]())

  async function timed(draft: Partial<CallDraft>, status: number): Promise<number> {
    const call = signCall(network, { headers: {}, ...draft })
    const startedMs = performance.now()
    const answer = await send(network.holder, call)
    const tookMs = performance.now() - startedMs
    assert.equal(answer.status, status, answer.body.toString())
    return tookMs
  }

  /** Asks in pairs, by chance which first: whatever else the machine does falls on both. Of a fair coin so far from one
   *  half: once in a million tries, whatever the shape of the noise. */
  async function assertAlike(pairs: number, one: () => Promise<number>, other: () => Promise<number>): Promise<void> {
    let slower = 0
    for (let pair = 0; pair < pairs; pair += 1) {
      const isFirst = randomInt(2) === 0
      const first = await (isFirst ? one() : other())
      const second = await (isFirst ? other() : one())
      if (isFirst ? first > second : second > first) slower += 1
    }
    const share = slower / pairs
    const allowed = 5 / (2 * Math.sqrt(pairs))
    assert.ok(Math.abs(share - 0.5) < allowed, `slower in ${share} of ${pairs} pairs`)
  }

  test('when it is asked for consent of somebody who was never heard of', { timeout: 300_000 }, async () => {
    const pairs = 120
    const referenceOf = (first: number, index: number) => `${first}${String(index).padStart(8, '0')}`
    const { consents } = network.holder.running.parts.consent
    // Whom another recipient has asked for, the holder knows.
    for (let index = 0; index < pairs; index += 1)
      await consents.requestConsent(requestOf({ reference: referenceOf(7, index) }), { did: network.delegate.did })
    const asking = (first: number) => {
      let index = 0
      return () => {
        const body = JSON.stringify(requestOf({ reference: referenceOf(first, index++) }))
        return timed({ method: 'POST', path: '/consents/requests', body }, 202)
      }
    }
    await assertAlike(pairs, asking(7), asking(8))
  })

  test(
    'when a stranger asks for a consent, a request or a token that is there, and one that is not',
    { timeout: 300_000 },
    async () => {
      const nothing = 'urn:uuid:0190a7f0-0000-7000-8000-000000000000'
      const as = callerKey(network.delegate)
      for (const path of [
        (id: string) => `/consents/${id}/token`,
        (id: string) => `/consents/${id}`,
        (id: string) => `/consents/requests/${id}`,
      ])
        await assertAlike(
          300,
          () => timed({ path: path(known), as }, 404),
          () => timed({ path: path(nothing), as }, 404),
        )
    },
  )
})

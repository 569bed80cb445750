/** What the time of a refusal tells: nothing of whether the person exists. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import { call, codeOf, giveConsent, startPersonalNetwork, tokenFor } from './personal-network.ts'
import { otherReference } from './personal-upstream.ts'

const pairs = 400

test('a refusal about somebody takes as long as one about nobody', { timeout: 300_000 }, async () => {
  await using network = await startPersonalNetwork()
  await giveConsent(network, { reference: otherReference })
  const authorization = await tokenFor(network, await giveConsent(network))
  for (const presented of [undefined, authorization]) {
    const timed = async (reference: string): Promise<number> => {
      const startedMs = performance.now()
      const answer = await call(network, { authorization: presented, path: `/x/athletes/athletes/${reference}` })
      const tookMs = performance.now() - startedMs
      assert.equal(codeOf(answer), 'consent-required')
      return tookMs
    }
    let knownWasSlower = 0
    for (let pair = 0; pair < pairs; pair += 1) {
      // By chance who is first: whatever else the machine does falls on both.
      const isKnownFirst = randomInt(2) === 0
      const first = await timed(isKnownFirst ? otherReference : '999999999')
      const second = await timed(isKnownFirst ? '999999999' : otherReference)
      if (isKnownFirst ? first > second : second > first) knownWasSlower += 1
    }
    // Of a fair coin so far from one half: once in a million tries. A difference of one standard deviation of the
    // noise would be seen in three quarters of the pairs.
    const share = knownWasSlower / pairs
    assert.ok(Math.abs(share - 0.5) < 0.125, `slower for the one who exists in ${share} of the pairs`)
  }
})

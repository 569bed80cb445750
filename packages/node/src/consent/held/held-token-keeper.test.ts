import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentChanged } from '@comity/core/events/event-types'
import { jwkThumbprint } from '@comity/core/crypto/jwk'
import { Problem } from '@comity/core/problems'
import { askBody, createTestNetwork, deliver, holderDid, pairwiseOf, testGrants } from './held-test-network.ts'
import type { HeldConsent } from './held-consent.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const lifeMs = 300_000

async function scene() {
  const network = createTestNetwork()
  const lab = await network.participant('did:web:lab.example')
  const { id } = await lab.held.ask({ partner: holderDid, request: askBody() })
  network.holder.grant(id, testGrants(), pairwiseOf('A'))
  const held: HeldConsent = await lab.held.refresh(id)
  const { keeper } = lab.parts
  return {
    network,
    lab,
    held,
    keeper,
    fetched: () => network.holder.counts.tokens,
    settled: () => new Promise((resolve) => setImmediate(resolve)),
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

test('a token is fetched when it is first needed, once for all who wait', async () => {
  await using s = await scene()
  assert.equal(s.fetched(), 0)
  const tokens = await Promise.all([1, 2, 3].map(() => s.keeper.current(s.held)))
  assert.equal(s.fetched(), 1)
  assert.equal(new Set(tokens.map(({ chain }) => chain)).size, 1)
  const { leaf, keyThumbprint } = tokens[0]?.verified ?? {}
  assert.deepEqual([leaf?.client_id, leaf?.consent.id], [s.lab.did, s.held.consent])
  assert.equal(keyThumbprint, jwkThumbprint(s.lab.parts.authenticationKey().key.publicJwk))
})

test('a token is renewed when two thirds of its life are over, and nobody waits for that', async () => {
  await using s = await scene()
  const first = await s.keeper.current(s.held)
  s.network.clock.nowMs += (lifeMs * 2) / 3
  assert.equal((await s.keeper.current(s.held)).chain, first.chain)
  await s.settled()
  assert.equal(s.fetched(), 1)
  s.network.clock.nowMs += 1
  assert.equal((await s.keeper.current(s.held)).chain, first.chain)
  await s.settled()
  assert.equal(s.fetched(), 2)
  assert.notEqual((await s.keeper.current(s.held)).chain, first.chain)
})

test('while its source is away a token is used to its end, and not beyond', async () => {
  await using s = await scene()
  const first = await s.keeper.current(s.held)
  s.network.down.add(holderDid)
  s.network.clock.nowMs += lifeMs - 3_000
  assert.equal((await s.keeper.current(s.held)).chain, first.chain)
  await s.settled()
  s.network.clock.nowMs += 3_000
  await assert.rejects(s.keeper.current(s.held), refused('partner-unreachable'))
  s.network.down.clear()
  assert.notEqual((await s.keeper.current(s.held)).chain, first.chain)
})

test('after the own key has rotated a token bound to its predecessor is not used', async () => {
  await using s = await scene()
  await s.keeper.current(s.held)
  const jwk = s.lab.rotate(2)
  assert.equal((await s.keeper.current(s.held)).verified.keyThumbprint, jwkThumbprint(jwk))
  assert.equal(s.fetched(), 2)
})

test('a token that the holder refused is replaced, once for all whom it refused', async () => {
  await using s = await scene()
  const first = await s.keeper.current(s.held)
  s.network.clock.nowMs += 1_000
  const [one, two] = await Promise.all([s.keeper.renewed(s.held, first.chain), s.keeper.renewed(s.held, first.chain)])
  assert.equal(one.chain, two.chain)
  assert.notEqual(one.chain, first.chain)
  assert.equal((await s.keeper.renewed(s.held, first.chain)).chain, one.chain)
  assert.equal(s.fetched(), 2)
})

test('the token of a consent that ended is dropped when the notice comes, also one that is under way', async () => {
  await using s = await scene()
  await s.keeper.current(s.held)
  s.network.holder.step(s.held.id, 'withdrawn')
  await deliver(s.lab, { issuer: holderDid, type: consentChanged, payload: s.network.holder.told(s.held.id) })
  await assert.rejects(s.keeper.current(s.held), refused('consent-inactive'))
  const other = await scene()
  await using second = other
  const underWay = second.keeper.current(second.held)
  second.keeper.drop(second.held.id)
  await underWay
  await second.keeper.current(second.held)
  assert.equal(second.fetched(), 2)
})

test('a token for another participant, consent or key, or that the holder did not sign, is not believed', async () => {
  await using s = await scene()
  const honest = s.network.holder.answer
  const firm = await s.network.participant('did:web:firm.example')
  const own = { did: s.lab.did, jwk: s.lab.parts.authenticationKey().key.publicJwk }
  const request = { method: 'GET', path: `/consents/${s.held.id}/token` } as const
  const answering = (answer: () => Promise<unknown>) => s.network.answers.set(holderDid, answer)
  answering(() => honest({ ...own, jwk: firm.parts.authenticationKey().key.publicJwk }, request))
  await assert.rejects(s.keeper.current(s.held), refused('answer-unusable'))
  answering(async () => {
    const { token } = (await honest(own, request)) as { token: string }
    const [head, body, signature = ''] = token.split('.')
    return {
      token: [head, body, signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`].join('.'),
    }
  })
  await assert.rejects(s.keeper.current(s.held), refused('consent-token-invalid'))
  s.network.answers.set(holderDid, honest)
  const other = await s.lab.held.ask({ partner: holderDid, request: askBody('1') })
  s.network.holder.grant(other.id, testGrants(), pairwiseOf('B'))
  answering(() => honest(own, { method: 'GET', path: `/consents/${other.id}/token` }))
  await assert.rejects(s.keeper.current(s.held), refused('answer-unusable'))
})

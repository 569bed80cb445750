/** Composites from the recipient's side: what an application asks of several operations, and of several holders. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { parseSlices, sliceHash } from '@comity/core/exchange/composite-answer'
import { membersOf } from '@comity/core/bytes/raw-members'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { codesOf, research, type PartDraft } from './composite-calls.ts'
import { grantAll, requestOf, startPersonalNetwork, type PersonalNetwork } from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { loggedExchange } from './signed-call.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

/** One exchange of a composite, as the application reads of it. */
interface Proof {
  readonly partner: string
  readonly exchange: string
  readonly parts: readonly string[]
  readonly receipt?: string
}

async function compose(network: TestNetwork, parts: Record<string, PartDraft>, headers: Record<string, string> = {}) {
  const answer = await fetch(network.recipient.local('/~composite'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ parts }),
  })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  const members = membersOf(text)
  const slices = parseSlices(members.get('parts') ?? '')
  const exchanges = JSON.parse(members.get('exchanges') ?? '') as Proof[]
  return { slices, exchanges, id: answer.headers.get('comity-exchange') ?? '', codes: codesOf({ slices }) }
}

describe('an application asks for a composite', () => {
  let network: PersonalNetwork
  let consent: string
  let subject: string
  before(async () => {
    network = await startPersonalNetwork()
    await network.agree()
    const { consents } = network.recipient.running.parts.consent.held
    const request = requestOf({ grants: [{}, { products: ['results'], domains: ['sport.results'] }] })
    const asked = await consents.ask({ partner: 'holder', request })
    consent = asked.id
    await grantAll(network, consent, request)
    await consents.refresh(consent)
    subject = network.holder.running.parts.foundation.vault.pairwise(athleteReference, network.recipient.did)
  })
  beforeEach(() => {
    network.api.called.length = 0
  })
  after(() => network[Symbol.asyncDispose]())

  const profile = (changes: PartDraft = {}): PartDraft => ({
    partner: 'holder',
    product: 'athletes',
    path: `/athletes/${subject}`,
    ...changes,
  })

  test('and gets each slice, with one receipt that names the parts; tokens and agreements are attached', async () => {
    const { slices, exchanges, codes, id } = await compose(
      network,
      {
        profile: profile(),
        results: profile({ product: 'results', path: `/athletes/${subject}/results`, consent }),
        item: { partner: 'holder', product: 'items', path: '/items/7', purpose: testPurpose },
      },
      { 'comity-purpose': research },
    )
    assert.deepEqual(codes, { profile: '200', results: '200', item: '200' })
    assert.equal(exchanges.length, 1)
    const [proof] = exchanges
    assert.deepEqual(proof?.parts, ['profile', 'results', 'item'])
    assert.equal(proof.exchange, id)
    const { claims } = parseReceipt(proof.receipt ?? '')
    assert.deepEqual(
      claims.parts?.map(({ name, res }) => [name, res]),
      [...slices].map(([name, slice]) => [name, sliceHash(slice)]),
    )
    assert.deepEqual(
      claims.parts?.map(({ con }) => con?.id),
      [consent, consent, undefined],
    )
    const [ours, theirs] = [
      await loggedExchange(network.recipient, id),
      await loggedExchange(network.holder, claims.jti),
    ]
    assert.deepEqual([ours?.role, ours?.product, ours?.outcome], ['recipient', '~composite', 'allowed'])
    assert.deepEqual(
      ours?.parts?.map(({ name, consent: of, released }) => [name, of, released]),
      theirs?.parts?.map(({ name, consent: of, released }) => [name, of, released]),
    )
  })
})

/** Composites at the holder: one signed request, the slice that each part grants, one receipt that names the parts. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { sliceHash } from '@comity/core/exchange/composite-answer'
import { partsClaims, partsText } from '@comity/core/exchange/composite-parts'
import { bodyOf, codesOf, composite, research, type PartDraft } from './composite-calls.ts'
import { consentsOf, giveConsent, startPersonalNetwork, tokenFor, type PersonalNetwork } from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { loggedExchange } from './signed-call.ts'

const both = [{}, { products: ['results'], domains: ['sport.results'] }]

describe('a composite', () => {
  let network: PersonalNetwork
  let consent: string
  let authorization: string
  before(async () => {
    network = await startPersonalNetwork()
    consent = await giveConsent(network, { grants: both })
    authorization = await tokenFor(network, consent)
  })
  beforeEach(() => {
    network.api.called.length = 0
    network.api.behave = undefined
  })
  after(() => network[Symbol.asyncDispose]())

  const profile = (changes: PartDraft = {}): PartDraft => ({
    product: 'athletes',
    path: `/athletes/${athleteReference}`,
    purpose: research,
    authorization,
    ...changes,
  })
  const results = (changes: PartDraft = {}): PartDraft =>
    profile({ product: 'results', path: `/athletes/${athleteReference}/results`, ...changes })

  test('answers with what each of two products grants about one person, in one exchange', async () => {
    const seen = await composite(network, { profile: profile(), results: results() })
    assert.deepEqual(bodyOf(seen, 'profile'), { height: 181, weight: 74 })
    assert.equal((bodyOf(seen, 'results') as { items: unknown[] }).items.length, 2)
    assert.deepEqual(seen.slices.get('profile')?.withheld, ['name', 'born', 'note'])
    const event = await loggedExchange(network.holder, seen.id)
    assert.deepEqual([event?.product, event?.outcome, event?.operation], ['~composite', 'allowed', 'composite'])
    const told = event?.parts?.map((part) => [part.name, part.product, part.operation, part.consent?.id, part.released])
    assert.deepEqual(told, [
      ['profile', 'athletes', 'athlete', consent, ['height', 'weight']],
      ['results', 'results', 'results', consent, ['event', 'day', 'rank']],
    ])
    assert.equal(partsText(partsClaims(event?.parts)), partsText(seen.claims))
    assert.deepEqual([seen.claims.prd, seen.claims.con], ['~composite', undefined])
  })

  test('one part refused does not keep the other', async () => {
    const seen = await composite(network, {
      profile: profile(),
      bare: results({ authorization: undefined }),
      nothing: { product: 'nothing', path: '/' },
      elsewhere: profile({ path: '/nowhere' }),
    })
    assert.deepEqual(codesOf(seen), {
      profile: '200',
      bare: 'consent-required',
      nothing: 'not-found',
      elsewhere: 'not-found',
    })
    assert.deepEqual(network.api.called, [`GET /athletes/${athleteReference}`])
    assert.equal(sliceHash(seen.slices.get('bare') as never), seen.claims.parts?.[1]?.res)
  })

  test('counts each part as a use of the consent', async () => {
    const own = await giveConsent(network, { grants: both })
    const token = await tokenFor(network, own)
    await composite(network, {
      a: profile({ authorization: token }),
      b: profile({ authorization: token, query: 'fields=height' }),
      c: results({ authorization: token, path: '/athletes/7/results' }),
    })
    const { database } = network.holder.running.parts.foundation
    const rows = await database.all('SELECT exchange FROM consent_uses WHERE consent = ? ORDER BY exchange', [own])
    assert.deepEqual(
      rows.map(({ exchange }) => String(exchange).slice(36)),
      ['.a', '.b'],
    )
  })

  test('a consent that is withdrawn before the record takes its part, and no other', async () => {
    const doomed = await giveConsent(network, { grants: both })
    const token = await tokenFor(network, doomed)
    const { auditLog } = network.holder.running.parts
    const append = auditLog.append.bind(auditLog)
    let isWithdrawn = false
    // Between the last look at the consent and the transaction.
    auditLog.append = async (event, effects) => {
      if (!isWithdrawn) {
        isWithdrawn = true
        await consentsOf(network.holder).withdraw(doomed, { by: 'subject', actorId: 'the athlete', method: 'page' })
      }
      return append(event, effects)
    }
    try {
      const seen = await composite(network, { kept: profile(), gone: results({ authorization: token }) })
      assert.deepEqual(codesOf(seen), { kept: '200', gone: 'consent-inactive' })
    } finally {
      auditLog.append = append
    }
  })

  test('parts about two people are refused whole, and no API is called', async () => {
    const other = await tokenFor(network, await giveConsent(network, { reference: otherReference }))
    const { compositeCall } = await import('./composite-calls.ts')
    const { assertRefused } = await import('./signed-call.ts')
    const call = compositeCall(network, {
      one: profile(),
      two: profile({ path: `/athletes/${otherReference}`, authorization: other }),
    })
    await assertRefused(network, call, { code: 'composite-mixed' })
    assert.deepEqual(network.api.called, [])
  })
})

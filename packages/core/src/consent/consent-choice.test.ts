import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyChoice, type GrantChoice } from './consent-choice.ts'
import type { ConsentGrant } from './consent-record.ts'
import { decideConsent } from './decide-consent.ts'
import { coveredByAny } from './field-path.ts'
import { testGrant, testLabels, testPurposes } from './test-consent.ts'

const nowMs = Date.parse('2026-03-01T10:00:00Z')
const facts = { nowMs, labels: testLabels }
const offered = {
  grants: [
    testGrant({ fields: { include: ['sport', 'height', 'weight'], exclude: ['sport.secret'] } }),
    testGrant({ grant: 'g2', domains: ['identity.birth'], transforms: [{ path: 'born', op: 'year' }], maxUses: 5 }),
    testGrant({ grant: 'no', effect: 'deny', purposes: [testPurposes.commercial] }),
  ],
  duration: 'P30D',
}
const refuses = (choice: GrantChoice, from: Parameters<typeof applyChoice>[0] = offered): void => {
  assert.throws(() => applyChoice(from, choice, facts), { code: 'consent-choice-invalid' }, JSON.stringify(choice))
}

test('a grant that is not chosen is not given', () => {
  const { grants } = applyChoice(offered, { grants: [{ id: 'g2' }] }, facts)
  assert.deepEqual(
    grants.map(({ grant }) => grant),
    ['g2', 'no'],
  )
  assert.deepEqual(grants[0], offered.grants[1], 'transforms and limits stay')
})

test('what the request refuses by itself stays refused, chosen or not', () => {
  for (const ids of [['g1'], ['g1', 'no']]) {
    const { grants } = applyChoice(offered, { grants: ids.map((id) => ({ id })) }, facts)
    assert.ok(grants.some(({ grant }) => grant === 'no'))
  }
  refuses({ grants: [{ id: 'no' }] })
  refuses({ grants: [{ id: 'g1' }, { id: 'no', fields: ['height'] }] })
})

test('of a grant, only the chosen fields are given', () => {
  const { grants } = applyChoice(offered, { grants: [{ id: 'g1', fields: ['height', 'sport', 'height'] }] }, facts)
  assert.deepEqual(grants[0]?.fields, { include: ['height', 'sport'], exclude: ['sport.secret'] })
})

test('silence is not consent: no grant, and a grant without a field, are refused', () => {
  refuses({ grants: [] })
  refuses({ grants: [{ id: 'g1', fields: [] }] })
})

test('more than was asked for is refused', () => {
  refuses({ grants: [{ id: 'g3' }] })
  refuses({ grants: [{ id: 'g1' }, { id: 'g1' }] })
  for (const field of ['results[].rank', 'name', 'sport.secret', 'sport.secret.x', '']) {
    refuses({ grants: [{ id: 'g1', fields: [field] }] })
  }
  refuses({ grants: [{ id: 'g2', fields: ['name'] }] })
  refuses({ grants: [{ id: 'g2', fields: ['height'] }] })
})

test('a refusal names what was chosen wrongly, and what there is to choose', () => {
  const why = (choice: GrantChoice, from: Parameters<typeof applyChoice>[0] = offered): string => {
    try {
      applyChoice(from, choice, facts)
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  assert.equal(why({ grants: [{ id: 'g3' }] }), 'the grant `g3` was not asked for; there is `g1`, `g2`')
  assert.equal(
    why({ grants: [{ id: 'g1', fields: ['name'] }] }),
    'the field `name` of the grant `g1` was not asked for; there is `sport`, `height`, `weight`',
  )
  assert.match(why({ grants: [{ id: 'g2', fields: ['height'] }] }), /`height` of the grant `g2` .*; there is `born`/)
  assert.equal(why({ grants: [{ id: 'g1', fields: [] }] }), 'the grant `g1` is chosen without a field')
  const narrowed = { grants: [testGrant({ fields: { include: ['height'] } })], expires: '2026-03-05T00:00:00Z' }
  assert.equal(
    why({ grants: [{ id: 'g1', fields: ['weight'] }] }, narrowed),
    'the field `weight` of the grant `g1` is not in the consent as it stands, which can only be narrowed; there is `height`',
  )
  assert.match(why({ grants: [{ id: 'g2' }] }, narrowed), /^the grant `g2` is not in the consent as it stands/)
  assert.ok(why({ grants: [{ id: 'x'.repeat(9_999) }] }).length < 400)
})

test('it ends when asked, or sooner, never later and never in the past', () => {
  const all = [{ id: 'g1' }]
  assert.deepEqual(applyChoice(offered, { grants: all }, facts).expires, '2026-03-31T10:00:00Z')
  const expires = '2026-03-10T00:00:00Z'
  assert.equal(applyChoice(offered, { grants: all, expires }, facts).expires, expires)
  assert.equal(applyChoice(offered, { grants: all, expires }, facts).notBefore, '2026-03-01T10:00:00Z')
  for (const wrong of ['2026-03-31T10:00:01Z', '2026-03-01T10:00:00Z', '2025-01-01T00:00:00Z', 'soon', '']) {
    refuses({ grants: all, expires: wrong })
  }
})

test('a narrower revision ends no later than the one before', () => {
  const before = { grants: offered.grants, expires: '2026-03-05T00:00:00Z' }
  assert.equal(applyChoice(before, { grants: [{ id: 'g2' }] }, facts).expires, before.expires)
  refuses({ grants: [{ id: 'g2' }], expires: '2026-03-06T00:00:00Z' }, before)
  refuses({ grants: [{ id: 'g2' }] }, { grants: offered.grants })
  refuses({ grants: [{ id: 'g2' }] }, { ...before, expires: '2026-02-01T00:00:00Z' })
})

const paths = testLabels.map(({ path }) => path)
const anyGrant = fc
  .record({
    domains: fc.subarray(['identity', 'sport', 'sport.body', 'sport.results'], { minLength: 1 }),
    include: fc.option(fc.subarray([...paths, 'results'], { minLength: 1 }), { nil: undefined }),
    exclude: fc.option(fc.subarray(paths, { minLength: 1 }), { nil: undefined }),
    effect: fc.constantFrom('permit' as const, 'permit' as const, 'permit' as const, 'deny' as const),
  })
  .map(({ include, exclude, ...rest }): ConsentGrant => testGrant({ ...rest, fields: { include, exclude } }))
const anyOffer = fc.array(anyGrant, { minLength: 1, maxLength: 4 }).map((grants) => ({
  grants: grants.map((grant, at) => ({ ...grant, grant: `g${at}` })),
  duration: 'P30D',
}))
const anyChoice = fc.record({
  grants: fc.array(
    fc.record({
      id: fc.constantFrom('g0', 'g1', 'g2', 'g3'),
      fields: fc.option(fc.subarray(paths, { minLength: 1 }), { nil: undefined }),
    }),
    { maxLength: 3 },
  ),
})

test('whatever is chosen, nothing is released that the request would not release', () => {
  let accepted = 0
  fc.assert(
    fc.property(anyOffer, anyChoice, (offer, choice) => {
      let chosen
      try {
        chosen = applyChoice(offer, choice, { nowMs })
      } catch {
        return
      }
      accepted++
      const question = {
        purpose: testPurposes.research,
        action: 'read',
        product: 'athletes',
        labels: testLabels,
        nowMs,
      } as const
      const asked = decideConsent(offer.grants, question)
      const given = decideConsent(chosen.grants, question)
      const possible = asked.allowed ? asked.release.released : []
      for (const field of given.allowed ? given.release.released : []) assert.ok(coveredByAny(possible, field), field)
    }),
    { numRuns: 400 },
  )
  assert.ok(accepted > 0, `${accepted} choices were accepted`)
})

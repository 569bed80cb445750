import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConsentScope } from './consent-scope.ts'
import { coversDomain } from './data-domain.ts'
import { decideConsent, type ScopeQuestion } from './decide-consent.ts'
import { coveredByAny, coversField } from './field-path.ts'
import type { Release } from './release.ts'
import { testGrant, testLabels, testPurposes } from './test-consent.ts'

const nowMs = Date.parse('2026-03-15T12:00:00Z')

function ask(members: Partial<ScopeQuestion> = {}): ScopeQuestion {
  const call = {
    purpose: testPurposes.research,
    action: 'read',
    product: 'athletes',
    labels: testLabels,
    nowMs,
  } as const
  return { ...call, ...members }
}

function released(scopes: readonly ConsentScope[], question = ask()): Release {
  const verdict = decideConsent(scopes, question)
  return verdict.allowed ? verdict.release : assert.fail(verdict.detail)
}

function refusal(scopes: readonly ConsentScope[], question = ask()): string {
  const verdict = decideConsent(scopes, question)
  return verdict.allowed ? assert.fail('allowed') : verdict.code
}

test('releases the fields of the granted domains and names the others', () => {
  const release = released([testGrant()])
  assert.deepEqual(release.released, ['sport', 'height', 'weight', 'results[].event', 'results[].rank'])
  assert.deepEqual(release.withheld, ['name', 'born'])
})

test('releases nothing but the included fields, and of these none that is excluded', () => {
  const fields = { include: ['height', 'results'], exclude: ['results[].rank'] }
  const release = released([testGrant({ fields })])
  assert.deepEqual(release.released, ['height', 'results[].event'])
})

test('of what is asked for, releases what was granted', () => {
  const release = released(
    [testGrant({ fields: { include: ['height'] } })],
    ask({ requested: ['weight', 'height', 'shoe'] }),
  )
  assert.deepEqual(release, {
    parts: [{ grant: 'g1', fields: ['height'], givable: ['height'], transforms: [], filters: [] }],
    released: ['height'],
    withheld: ['weight', 'shoe'],
  })
})

test('tells of each grant what it gives whatever is asked for, since groups of rows are made by that', () => {
  const scopes = [
    testGrant({ grant: 'first', fields: { include: ['height', 'results[].rank'] } }),
    testGrant({ grant: 'second', fields: { exclude: ['results[].event'] } }),
  ]
  const givable = (requested?: readonly string[]) =>
    released(scopes, ask({ requested })).parts.map((part) => [part.grant, part.givable])
  assert.deepEqual(givable(['height', 'weight']), [
    ['first', ['height', 'results[].rank']],
    ['second', ['sport', 'weight']],
  ])
  assert.deepEqual(givable(['weight']), [['second', ['sport', 'weight']]])
  assert.deepEqual(givable(), [
    ['first', undefined],
    ['second', undefined],
  ])
})

test('a narrower purpose is allowed, a wider or another one is not, and none is not enough', () => {
  assert.ok(released([testGrant()], ask({ purpose: testPurposes.academic })))
  assert.equal(refusal([testGrant({ purposes: [testPurposes.academic] })]), 'consent-purpose')
  assert.equal(refusal([testGrant()], ask({ purpose: testPurposes.marketing })), 'consent-purpose')
  assert.equal(refusal([testGrant()], ask({ purpose: undefined })), 'consent-purpose')
})

test('another product, another action, or no field in common is out of scope', () => {
  assert.equal(refusal([]), 'consent-scope')
  assert.equal(refusal([testGrant()], ask({ product: 'results' })), 'consent-scope')
  assert.equal(refusal([testGrant()], ask({ action: 'write' })), 'consent-scope')
  assert.equal(refusal([testGrant()], ask({ requested: ['name'] })), 'consent-scope')
  assert.equal(refusal([testGrant()], ask({ labels: [] })), 'consent-scope')
  assert.equal(refusal([testGrant({ effect: 'deny' })]), 'consent-scope')
})

test('only a place that was consented to may call, and an unknown place is none', () => {
  const european = testGrant({ geo: { allow: ['DE', 'FR'] } })
  assert.ok(released([european], ask({ country: 'DE' })))
  for (const country of ['US', undefined]) assert.equal(refusal([european], ask({ country })), 'consent-place')
  const notThere = testGrant({ geo: { deny: ['US'] } })
  assert.ok(released([notThere], ask({ country: 'DE' })))
  for (const country of ['US', undefined]) assert.equal(refusal([notThere], ask({ country })), 'consent-place')
})

test('a refusal wins over a permission, whatever their order', () => {
  const no = testGrant({ grant: 'no', effect: 'deny', domains: ['sport.body'] })
  for (const scopes of [
    [testGrant(), no],
    [no, testGrant()],
  ]) {
    assert.deepEqual(released(scopes).released, ['sport', 'results[].event', 'results[].rank'])
  }
})

test('a refused purpose cannot be reached by stating a wider one', () => {
  const no = testGrant({ grant: 'no', effect: 'deny', purposes: [testPurposes.commercial] })
  assert.equal(refusal([testGrant(), no], ask({ purpose: testPurposes.commercial })), 'consent-scope')
  assert.equal(refusal([testGrant(), no], ask({ purpose: testPurposes.research })), 'consent-scope')
  assert.ok(released([testGrant(), no], ask({ purpose: testPurposes.academic })))
})

test('a refusal for a place counts there and where the place is unknown', () => {
  const no = testGrant({ grant: 'no', effect: 'deny', domains: ['sport.body'], geo: { allow: ['US'] } })
  assert.ok(released([testGrant(), no], ask({ country: 'DE' })).released.includes('height'))
  for (const country of ['US', undefined]) {
    assert.ok(!released([testGrant(), no], ask({ country })).released.includes('height'))
  }
})

test('a field goes to the first grant that covers it, with that grant’s conditions alone', () => {
  const body = testGrant({ domains: ['sport.body'], transforms: [{ path: 'height', op: 'round', arg: 5 }] })
  const all = testGrant({ grant: 'g2', filters: [{ path: 'sport', op: '=', value: 'rowing' }] })
  assert.deepEqual(released([body, all]).parts, [
    { grant: 'g1', fields: ['height', 'weight'], transforms: body.transforms, filters: [] },
    { grant: 'g2', fields: ['sport', 'results[].event', 'results[].rank'], transforms: [], filters: all.filters },
  ])
})

test('a period looks back from the call by the calendar, or is fixed', () => {
  const lookback = testGrant({ dataPeriod: { lookback: 'P1M' } })
  assert.deepEqual(released([lookback]).parts[0]?.period, { fromMs: Date.parse('2026-02-15T12:00:00Z') })
  const fixed = testGrant({ dataPeriod: { from: '2025-01-01T00:00:00Z' } })
  assert.deepEqual(released([fixed]).parts[0]?.period, { fromMs: Date.parse('2025-01-01T00:00:00Z') })
})

test('limits are told of the grants that release something, a month as long as it can be', () => {
  const often = testGrant({ maxUses: 10, fetch: { type: 'periodic', max: 2, per: 'P1M' } })
  const once = testGrant({ grant: 'g2', domains: ['identity'], maxUses: 5, fetch: { type: 'once' } })
  const idle = testGrant({ grant: 'g3', domains: ['finance'], maxUses: 1 })
  const verdict = decideConsent([often, once, idle, testGrant({ grant: 'g4' })], ask())
  assert.ok(verdict.allowed)
  assert.deepEqual(verdict.limits, [
    { grant: 'g1', maxUses: 10, max: 2, perMs: 31 * 86_400_000 },
    { grant: 'g2', maxUses: 1 },
  ])
})

const domains = ['identity', 'identity.birth', 'sport', 'sport.body', 'sport.results', 'finance']
const paths = [
  'name',
  'born',
  'sport',
  'height',
  'weight',
  'results',
  'results[]',
  'results[].rank',
  'results[].rank.x',
  'no',
]
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values], { minLength: 1 })
const anyScope: fc.Arbitrary<ConsentScope> = fc
  .record({
    effect: fc.constantFrom('permit' as const, 'permit' as const, 'deny' as const),
    purposes: some(Object.values(testPurposes)),
    domains: some(domains),
    include: fc.option(some(paths), { nil: undefined }),
    exclude: fc.option(some(paths), { nil: undefined }),
    geo: fc.option(fc.record({ allow: some(['DE', 'US']) }), { nil: undefined }),
  })
  .map(({ include, exclude, ...rest }) => testGrant({ ...rest, fields: { include, exclude } }))
const anyScopes = fc
  .array(anyScope, { maxLength: 4 })
  .map((scopes) => scopes.map((scope, at) => ({ ...scope, grant: `g${at}` })))
const anyQuestion = fc
  .record({
    purpose: fc.constantFrom(...Object.values(testPurposes)),
    requested: fc.option(some(paths), { nil: undefined }),
    country: fc.constantFrom('DE', 'US', undefined),
  })
  .map((members) => ask(members))

test('never releases a field outside the granted domains, excluded, refused, not asked for or given twice', () => {
  fc.assert(
    fc.property(anyScopes, anyQuestion, (scopes, question) => {
      const verdict = decideConsent(scopes, question)
      if (!verdict.allowed) return
      const { parts, released: fields, withheld } = verdict.release
      assert.deepEqual(parts.flatMap((part) => part.fields).toSorted(), [...fields].toSorted())
      assert.equal(new Set(fields).size, fields.length)
      for (const part of parts) {
        const scope = scopes.find(({ grant }) => grant === part.grant)
        assert.ok(scope?.effect === 'permit')
        for (const field of part.fields) {
          const label = testLabels.find(({ path }) => coversField(path, field)) ?? assert.fail(`${field} has no label`)
          assert.ok(
            scope.domains.some((domain) => coversDomain(domain, label.domain)),
            'of a granted domain',
          )
          assert.ok(coveredByAny(scope.fields?.include ?? [field], field), 'included')
          assert.ok(!(scope.fields?.exclude ?? []).some((path) => coversField(path, field) || coversField(field, path)))
          assert.ok(coveredByAny(question.requested ?? [field], field), 'asked for')
          assert.ok(!withheld.includes(field))
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('taking a permission away, or adding a refusal, never releases more', () => {
  fc.assert(
    fc.property(anyScopes, anyScope, anyQuestion, (scopes, extra, question) => {
      const before = decideConsent(scopes, question)
      const all = before.allowed ? before.release.released : []
      const fewer = decideConsent(
        scopes
          .slice(1)
          .filter((scope) => scope.effect === 'permit')
          .concat(scopes.filter((scope) => scope.effect === 'deny')),
        question,
      )
      const withNo = decideConsent([...scopes, { ...extra, grant: 'no', effect: 'deny' }], question)
      for (const after of [fewer, withNo]) {
        for (const field of after.allowed ? after.release.released : []) assert.ok(coveredByAny(all, field), field)
      }
    }),
    { numRuns: 200 },
  )
})

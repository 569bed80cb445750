import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsentScope } from './consent-scope.ts'
import { decideConsent, type ScopeQuestion } from './decide-consent.ts'
import { statedChange, type Change } from './decide-change.ts'
import { conditionsOf, satisfies } from '../minimisation/row-conditions.ts'
import { testGrant, testLabels, testPurposes } from './test-consent.ts'

const nowMs = Date.parse('2026-03-15T12:00:00Z')
const grant = (changes: Partial<ConsentScope> = {}) => testGrant({ actions: ['write'], ...changes })

/** A call that writes these rows, and gets an answer that may have these labels. */
function decide(scopes: readonly ConsentScope[], rows: readonly Change['rows'][number][], labels = testLabels) {
  const question: ScopeQuestion = {
    purpose: testPurposes.research,
    action: 'write',
    product: 'athletes',
    labels,
    change: {
      rows,
      labels: testLabels,
      satisfies: (row, part) => satisfies(row, conditionsOf(part), ['results', '[]', 'day']),
    },
    nowMs,
  }
  return decideConsent(scopes, question)
}

const writes = (...fields: string[]) => [{ value: {}, fields }]
const only = (...include: string[]) => ({ fields: { include } })

function refusedOf(...args: Parameters<typeof decide>): readonly string[] {
  const verdict = decide(...args)
  if (verdict.allowed) return []
  assert.equal(verdict.code, 'consent-scope')
  return verdict.fields ?? []
}

test('what is written must be given, and what is not is named', () => {
  assert.deepEqual(refusedOf([grant(only('height'))], writes('height')), [])
  assert.deepEqual(refusedOf([grant(only('height'))], writes('height', 'weight', 'name')), ['weight', 'name'])
  assert.deepEqual(refusedOf([grant(only('results[].rank'))], writes('results[].rank', 'results[].event')), [
    'results[].event',
  ])
})

test('what is refused must not be written, nor what a grant excludes or drops', () => {
  const refusal = testGrant({ grant: 'no', effect: 'deny', actions: ['write'], fields: { include: ['weight'] } })
  assert.deepEqual(refusedOf([grant(), refusal], writes('height', 'weight')), ['weight'])
  assert.deepEqual(refusedOf([grant({ fields: { exclude: ['weight'] } })], writes('weight')), ['weight'])
  assert.deepEqual(refusedOf([grant({ transforms: [{ path: 'weight', op: 'drop' }] })], writes('weight')), ['weight'])
  assert.deepEqual(refusedOf([grant({ transforms: [{ path: 'weight', op: 'round', arg: 5 }] })], writes('weight')), [])
})

test('a grant for reading lets nothing be written', () => {
  assert.deepEqual(refusedOf([grant(only('height')), testGrant(only('weight'))], writes('height', 'weight')), [
    'weight',
  ])
})

test('rows must satisfy the filters of the grant, and lie in its period, as they are written', () => {
  const fields = ['sport']
  const filters = [{ path: 'sport', op: '=', value: 'judo' } as const]
  const row = (value: object) => [{ value, fields }]
  assert.deepEqual(refusedOf([grant({ filters })], row({ sport: 'judo' })), [])
  assert.deepEqual(refusedOf([grant({ filters })], row({ sport: 'rowing' })), fields)
  assert.deepEqual(refusedOf([grant({ filters })], row({})), fields)
  const two = [...row({ sport: 'judo' }), ...row({ sport: 'rowing' })]
  assert.deepEqual(refusedOf([grant({ filters })], two), fields)
  const dataPeriod = { from: '2026-01-01T00:00:00Z' }
  assert.deepEqual(refusedOf([grant({ dataPeriod })], row({ results: [{ day: '2026-02-01' }] })), [])
  assert.deepEqual(refusedOf([grant({ dataPeriod })], row({ results: [{ day: '2025-02-01' }] })), fields)
  assert.deepEqual(refusedOf([grant({ dataPeriod })], row({})), fields)
})

test('a grant under which something is only changed has its part and its limits all the same', () => {
  const scopes = [grant({ grant: 'a', ...only('height') }), grant({ grant: 'b', ...only('weight'), maxUses: 1 })]
  const verdict = decide(
    scopes,
    writes('weight'),
    testLabels.filter(({ path }) => path === 'height'),
  )
  assert.ok(verdict.allowed)
  assert.deepEqual(
    verdict.release.parts.map((part) => [part.grant, part.fields]),
    [
      ['a', ['height']],
      ['b', []],
    ],
  )
  assert.deepEqual(verdict.limits, [{ grant: 'b', maxUses: 1 }])
})

test('a change that is covered goes on though nothing of its answer is given; one that says nothing needs a field of it', () => {
  const answer = testLabels.filter(({ path }) => path === 'name')
  const verdict = decide([grant(only('height'))], writes('height'), answer)
  assert.deepEqual(verdict.allowed && verdict.release.released, [])
  assert.equal(decide([grant(only('height'))], [], answer).allowed, false)
  assert.equal(decide([grant(only('height'))], [], testLabels).allowed, true)
})

test('what every call changes is said in labels, parts of them, or what holds several', () => {
  assert.deepEqual(statedChange(['results', 'height', 'name.first'], testLabels).fields, [
    'name.first',
    'height',
    'results[].event',
    'results[].rank',
  ])
})

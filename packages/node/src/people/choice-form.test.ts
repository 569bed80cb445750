import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGrant } from '@comity/core/consent/test-consent'
import fc from 'fast-check'
import { readChoice, timesFor, type FormFacts } from './choice-form.ts'

const nowMs = Date.parse('2026-03-01T10:00:00Z')
const facts: FormFacts = {
  choosable: [
    { grant: testGrant(), fields: ['sport', 'height', 'weight'] },
    { grant: testGrant({ grant: 'g2' }), fields: [] },
  ],
  times: ['P1D', 'P30D'],
  duration: 'P30D',
  capacities: [],
  nowMs,
}
const read = (fields: string, more: Partial<FormFacts> = {}) =>
  readChoice(new URLSearchParams(fields), { ...facts, ...more })
const choiceOf = (fields: string) => {
  const verdict = read(fields)
  return 'choice' in verdict ? verdict.choice : verdict.faults.map(({ text, target }) => [text, target])
}

test('what was ticked is chosen, and nothing else', () => {
  assert.deepEqual(choiceOf('grant-0=yes&fields-0=2&fields-0=0&time=P30D'), {
    grants: [{ id: 'g1', fields: ['sport', 'weight'] }],
  })
  assert.deepEqual(choiceOf('grant-1=yes&time=P1D'), { grants: [{ id: 'g2' }], expires: '2026-03-02T10:00:00Z' })
})

test('what is missing or does not fit is told, all of it at once', () => {
  assert.deepEqual(choiceOf(''), [
    ['nothingTicked', 'grant-0'],
    ['timeMissing', 'time'],
  ])
  assert.deepEqual(choiceOf('grant-0=yes&grant-1=yes&time=P2D'), [
    ['fieldsMissing', 'fields-0-0'],
    ['timeMissing', 'time'],
  ])
  assert.deepEqual(choiceOf('fields-0=0&time=P30D'), [['grantMissing', 'grant-0']])
  const capacities = ['self', 'guardian']
  assert.deepEqual(read('grant-1=yes&time=P30D&capacity=officer', { capacities }).faults, [
    { text: 'capacityMissing', target: 'capacity-self' },
  ])
})

test('no form makes a choice of more than was ticked', () => {
  const name = fc.constantFrom('grant-0', 'grant-1', 'grant-2', 'fields-0', 'fields-1', 'time', '__proto__')
  const value = fc.constantFrom('yes', 'no', '0', '1', '2', '3', '-1', 'P1D', 'P30D', 'P9Y', '')
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (pairs) => {
      const form = new URLSearchParams(pairs)
      const verdict = readChoice(form, facts)
      if (!('choice' in verdict)) return
      for (const { id, fields } of verdict.choice.grants) {
        const index = id === 'g1' ? 0 : 1
        assert.equal(form.get(`grant-${index}`), 'yes')
        for (const field of fields ?? []) {
          assert.ok(form.getAll('fields-0').includes(String(facts.choosable[0]?.fields.indexOf(field))))
        }
        assert.equal(fields === undefined, index === 1)
      }
      assert.ok(verdict.choice.grants.length > 0)
    }),
    { numRuns: 200 },
  )
})

test('offers the time that was asked, and only shorter ones', () => {
  assert.deepEqual(timesFor('P30D', nowMs), ['P1D', 'P7D', 'P30D'])
  assert.deepEqual(timesFor('PT1H', nowMs), ['PT1H'])
  assert.deepEqual(timesFor('P1Y', nowMs), ['P1D', 'P7D', 'P30D', 'P90D', 'P180D', 'P1Y'])
})

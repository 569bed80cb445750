import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compiledEngine } from '../engine/compiled-engine.ts'
import { parsePolicyTests } from './policy-test-file.ts'
import { runPolicyTests } from './policy-tests.ts'
import { prepareSet } from '../sets/prepare-set.ts'

const policies = `
  @id("named") @fields("name, weight") @transforms("weight: round 5; weight: mask")
  permit(principal in Comity::Group::"labs", action == Comity::Action::"read", resource);
  @id("no-mondays") @advice("Come back on Tuesday.")
  forbid(principal, action, resource) when { context.weekday == 1 };
  @id("sum") permit(principal, action == Comity::Action::"compute", resource)
  when { resource.sensitivity * 9007199254740991 * 9007199254740991 > 0 };`

const answer = await prepareSet([{ source: 'a', text: policies }])
if (!answer.ok) throw new Error(answer.faults.map(({ message }) => message).join('; '))
const { set } = answer

const base = {
  products: {
    athletes: {
      labels: {
        name: { sensitivity: 'internal' },
        weight: { sensitivity: 'restricted' },
        dose: { sensitivity: 'restricted' },
      },
    },
  },
  relationships: ['Group::"labs"#member@Participant::"did:web:lab.example"'],
  defaults: { caller: 'did:web:lab.example', product: 'athletes', at: '2026-01-06' },
}

function run(call: object, expect: object) {
  const file = parsePolicyTests({ ...base, cases: [{ name: 'it', call, expect }] }, 'a.test.yaml')
  const [result] = runPolicyTests(file, set, compiledEngine(set))
  assert.ok(result !== undefined)
  return result
}

test('a case that is as it says has no difference', () => {
  const fields = ['name', { weight: 'round 5; mask' }]
  assert.deepEqual(run({}, { decision: 'allow', policies: ['named'], fields }).differences, [])
})

test('what is not as the case says is told with both sides', () => {
  assert.deepEqual(run({}, { decision: 'deny', policies: ['no-mondays', 'b'], fields: 'all' }).differences, [
    { what: 'decision', expected: 'deny', actual: 'allow' },
    { what: 'policies', expected: 'b, no-mondays', actual: 'named' },
    { what: 'fields', expected: 'all', actual: 'name, weight: round 5; mask' },
  ])
  assert.deepEqual(
    run({ at: '2026-01-05' }, { decision: 'deny', fields: ['name'], advice: ['Go away.'] }).differences,
    [
      { what: 'fields', expected: 'name', actual: 'none' },
      { what: 'advice', expected: 'Go away.', actual: 'Come back on Tuesday.' },
    ],
  )
})

test('what a case does not speak of is not looked at', () => {
  assert.deepEqual(run({}, { decision: 'allow' }).differences, [])
})

test('a call’s own word goes before the defaults, and null takes theirs away', () => {
  assert.deepEqual(run({ caller: null }, { decision: 'deny', policies: [] }).differences, [])
  assert.deepEqual(run({ fields: ['dose', 'name'] }, { decision: 'allow', fields: ['name'] }).differences, [])
})

test('a policy that cannot be evaluated denies, and its error is told', () => {
  const { differences, errors } = run({ action: 'compute' }, { decision: 'deny', policies: ['sum'] })
  assert.deepEqual(differences, [])
  assert.deepEqual(errors, [{ policy: 'sum', message: 'integer overflow' }])
})

test('a field without a label, and a product that the file does not have, are mistakes of the file', () => {
  assert.throws(() => run({ fields: ['height'] }, { decision: 'allow' }), { code: 'malformed-request' })
  assert.throws(() => run({ product: 'other' }, { decision: 'allow' }), { code: 'malformed-request' })
})

test('a group that would be in itself is a mistake of the file', () => {
  const relationships = ['Group::"a"#member@Group::"b"', 'Group::"b"#member@Group::"a"']
  const file = parsePolicyTests({ ...base, relationships, cases: [{ name: 'it', expect: { decision: 'deny' } }] }, 'a')
  assert.throws(() => runPolicyTests(file, set, compiledEngine(set)), { code: 'malformed-request' })
})

test('every mistake in a file is told at once, unknown words too', () => {
  const value = { ...base, cases: [{ name: 'it', expect: { decision: 'maybe', polcies: [] } }], extra: 1 }
  assert.throws(
    () => parsePolicyTests(value, 'a.test.yaml'),
    ({ message }: Error) =>
      /a\.test\.yaml/.test(message) && /decision/.test(message) && /polcies/.test(message) && /extra/.test(message),
  )
})

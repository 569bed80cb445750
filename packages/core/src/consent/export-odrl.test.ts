/** The ODRL export held against the rules of the ODRL 2.2 information model, and against what agreements here are held
 *  to where it says the same. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseDateTime } from '../agreement/date-time.ts'
import { comityProfile, productOperand, productsTarget } from '../agreement/vocabulary.ts'
import { consentStates, type ConsentRecord } from './consent-record.ts'
import { exportOdrl, grantOperand } from './export-odrl.ts'
import { testGrant, testRecord } from './test-consent.ts'

interface Rule {
  readonly uid?: string
  readonly target: string
  readonly action: string | readonly string[]
  readonly constraint?: readonly Constraint[]
  readonly duty?: readonly Rule[]
}
type Constraint = Readonly<Record<string, unknown>>

const issuedAt = '2026-03-10T00:00:00Z'
const file = new URL('../../../../vectors/consent/records.json', import.meta.url)
const { valid } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly valid: readonly { readonly name: string; readonly record: ConsentRecord }[]
}
const exported = (record: ConsentRecord, state: (typeof consentStates)[number] = 'active') =>
  JSON.parse(JSON.stringify(exportOdrl({ record, state, issuedAt }))) as Record<string, unknown>
const rulesOf = (policy: Record<string, unknown>, kind: string) => (policy[kind] ?? []) as readonly Rule[]

// ODRL vocabulary 2.2 §3 and §4, as far as consents use it, and Comity's profile.
const actions = new Set(['use', 'read', 'extract', 'derive', 'modify', 'delete', 'distribute', 'inform', 'attribute'])
const operators = new Set(['eq', 'lt', 'lteq', 'gteq', 'isA', 'isAnyOf', 'isNoneOf'])
const operands = new Set(['dateTime', 'purpose', 'spatial', 'count', 'elapsedTime', 'recipient'])
const profiled = new Set([productOperand, grantOperand, 'urn:comity:odrl:subject'])
const isIri = (value: unknown): boolean => typeof value === 'string' && /^[a-z][a-z0-9+.-]*:\S+$/.test(value)

function checkConstraint(constraint: Constraint): void {
  const { or } = constraint
  if (or !== undefined) {
    assert.deepEqual(Object.keys(constraint), ['or'])
    assert.ok(Array.isArray(or) && or.length > 1, 'a logical constraint is of two at least')
    for (const part of or as Constraint[]) checkConstraint(part)
    return
  }
  const { leftOperand, operator, rightOperand } = constraint
  assert.deepEqual(Object.keys(constraint).toSorted(), ['leftOperand', 'operator', 'rightOperand'])
  assert.ok(operands.has(String(leftOperand)) || profiled.has(String(leftOperand)), String(leftOperand))
  assert.ok(operators.has(String(operator)), String(operator))
  assert.equal(
    Array.isArray(rightOperand),
    ['isAnyOf', 'isNoneOf'].includes(String(operator)),
    'a set for set operators',
  )
  if (leftOperand !== 'dateTime') return
  const { '@value': value, '@type': type } = rightOperand as Record<string, string>
  assert.equal(type, 'xsd:dateTime')
  assert.notEqual(parseDateTime(value ?? ''), undefined, value)
}

function checkRule({ action, constraint = [], duty = [] }: Rule): void {
  const named = [action].flat()
  assert.ok(named.length > 0 && named.every((name) => actions.has(name) || isIri(name)), named.join())
  for (const one of constraint) checkConstraint(one)
  for (const one of duty) checkRule(one)
}

for (const { name, record } of valid) {
  test(`a record with ${name} is in every state an ODRL agreement`, () => {
    for (const state of consentStates) {
      const policy = exported(record, state)
      assert.deepEqual([policy['@type'], policy['profile']], ['Agreement', comityProfile])
      for (const member of ['uid', 'assigner', 'assignee']) assert.ok(isIri(policy[member]), member)
      assert.notEqual(policy['assigner'], policy['assignee'])
      const rules = [...rulesOf(policy, 'permission'), ...rulesOf(policy, 'prohibition')]
      assert.ok(rules.length > 0, 'a policy has a rule')
      for (const rule of rules) {
        checkRule(rule)
        assert.ok(typeof rule.target === 'string' && rule.target !== '', 'a rule has one target')
        const choice = rule.constraint?.some(({ leftOperand }) => leftOperand === productOperand) ?? false
        assert.equal(rule.target === productsTarget, choice, 'several products are named by a constraint')
      }
    }
  })
}

test('rules of two consents have not the same name, though their grants have', () => {
  const other = testRecord({ id: 'urn:uuid:019bc0f2-7d40-7cc3-98c4-dc0c0c073990' })
  const names = [testRecord(), other].map((record) => rulesOf(exported(record), 'permission')[0]?.uid)
  assert.ok(isIri(names[0]) && names[0] !== names[1], names.join())
})

test('passing on is permitted within the limits of the grant, and no further', () => {
  const grant = testGrant({ onward: { allow: 'listed', recipients: ['did:web:a.example'] }, maxUses: 3 })
  const [own, onward] = rulesOf(exported(testRecord({ grants: [grant] })), 'permission')
  assert.equal(onward?.action, 'distribute')
  for (const limit of own?.constraint ?? []) {
    assert.ok(
      onward?.constraint?.some((one) => JSON.stringify(one) === JSON.stringify(limit)),
      JSON.stringify(limit),
    )
  }
  assert.deepEqual(onward?.constraint?.[0]?.['rightOperand'], [{ '@id': 'did:web:a.example' }])
})

test('a grant that lets nothing pass on takes nothing from one that does', () => {
  const grants = [
    testGrant({ grant: 'a', onward: { allow: 'any' } }),
    testGrant({ grant: 'b', products: ['athletes', 'results', 'results'] }),
  ]
  const policy = exported(testRecord({ grants }))
  assert.deepEqual(rulesOf(policy, 'prohibition'), [{ target: 'results', action: 'distribute' }])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coversScope, decideKeyScope, keyScopeMask, keyScopeSchema, type KeyScope } from './key-scope.ts'

const call = { product: 'athletes', operation: 'athlete', hasLabels: true }
const allows = (scope: KeyScope, of = call) => decideKeyScope(scope, of).allowed

test('a scope without members covers everything', () => {
  assert.equal(allows({}), true)
  assert.equal(keyScopeMask({}, ['name']), undefined)
})

test('a call must be within products and operations both, where both are there', () => {
  assert.equal(allows({ products: ['athletes'] }), true)
  assert.equal(allows({ products: ['results'] }), false)
  assert.equal(allows({ operations: ['athletes/athlete'] }), true)
  assert.equal(allows({ operations: ['athletes/search', 'results/athlete'] }), false)
  assert.equal(allows({ products: ['athletes'], operations: ['athletes/search'] }), false)
})

test('a scope of fields refuses an operation whose answers cannot be narrowed to fields', () => {
  assert.equal(allows({ fields: ['name'] }), true)
  assert.equal(allows({ fields: ['name'] }, { ...call, hasLabels: false }), false)
})

test('of the released fields those of the scope are left, in part where the scope names a part', () => {
  const released = ['name', 'address', 'results', 'email']
  assert.deepEqual(keyScopeMask({ fields: ['name', 'address.city', 'results', 'phone'] }, released), {
    fields: ['name', 'address.city', 'results'].map((path) => ({ path, transforms: [] })),
  })
  assert.deepEqual(keyScopeMask({ fields: ['phone'] }, released), { fields: [] })
})

test('refuses a scope that could not mean what it says', () => {
  for (const wrong of [
    { products: [] },
    { operations: ['athletes'] },
    { fields: ['a..b'] },
    { product: ['athletes'] },
    { products: ['results'], operations: ['athletes/athlete'] },
  ])
    assert.equal(keyScopeSchema.safeParse(wrong).success, false, JSON.stringify(wrong))
})

const some = <T>(...values: T[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }), { nil: undefined })
const scopes: fc.Arbitrary<KeyScope> = fc.record({
  products: some('a', 'b'),
  operations: some('a/x', 'a/y', 'b/x'),
  fields: some('n', 'n.m', 'o'),
})

const calls = fc.record({
  product: fc.constantFrom('a', 'b', 'c'),
  operation: fc.constantFrom('x', 'y'),
  hasLabels: fc.constant(true),
})

test('a scope within another allows no call and no field that the other does not', () => {
  fc.assert(
    fc.property(scopes, scopes, calls, (outer, inner, one) => {
      if (!coversScope(outer, inner)) return
      if (allows(inner, one)) assert.equal(allows(outer, one), true)
      const released = ['n', 'n.m', 'o']
      const fieldsOf = (scope: KeyScope) => keyScopeMask(scope, released)?.fields.map(({ path }) => path) ?? released
      for (const path of fieldsOf(inner)) assert.ok(fieldsOf(outer).includes(path))
    }),
    { numRuns: 200 },
  )
})

test('every scope is within the one without members, and within itself', () => {
  fc.assert(
    fc.property(scopes, (scope) => {
      assert.equal(coversScope({}, scope), true)
      assert.equal(coversScope(scope, scope), true)
    }),
    { numRuns: 200 },
  )
})

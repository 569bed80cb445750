import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intersection, releasedFields, type FieldLabel } from './released-fields.ts'
import { testGrant } from './test-consent.ts'
import type { ConsentScope } from './consent-scope.ts'

const address: readonly FieldLabel[] = [
  { path: 'address', domain: 'contact' },
  { path: 'address.city', domain: 'place' },
  { path: 'phone', domain: 'contact' },
]

function fields(
  permits: readonly ConsentScope[],
  refusals: readonly ConsentScope[] = [],
  requested?: string[],
): string[][] {
  return [...releasedFields(permits, refusals, { labels: address, requested }).byScope.values()].map((own) => [...own])
}

test('two lists of fields have in common the lower of two fields', () => {
  assert.deepEqual(intersection(['a', 'b.c'], undefined), ['a', 'b.c'])
  assert.deepEqual(intersection(['a', 'b.c'], ['a.x', 'b', 'd']), ['a.x', 'b.c'])
  assert.deepEqual(intersection(['a'], ['a.x', 'a.x.y', 'a[].z', 'ab']), ['a.x', 'a[].z'])
  assert.deepEqual(intersection(['a'], []), [])
})

test('a field above one of another domain is given only with it', () => {
  assert.deepEqual(fields([testGrant({ domains: ['contact'] })]), [['phone']])
  assert.deepEqual(fields([testGrant({ domains: ['contact', 'place'] })]), [['address', 'address.city', 'phone']])
  assert.deepEqual(fields([testGrant({ domains: ['place'] })]), [['address.city']])
})

test('two grants that each cover a half do not give the whole', () => {
  const contact = testGrant({ domains: ['contact'] })
  const place = testGrant({ grant: 'g2', domains: ['place'], filters: [{ path: 'phone', op: '!=', value: '' }] })
  assert.deepEqual(fields([contact, place]), [['phone'], ['address.city']])
})

test('the part of a field that has another domain is not given by including it', () => {
  const scope = testGrant({ domains: ['contact'], fields: { include: ['address.city', 'address.street'] } })
  assert.deepEqual(fields([scope]), [['address.street']])
})

test('a field of which a part is excluded is not given whole', () => {
  const all = ['contact', 'place']
  assert.deepEqual(fields([testGrant({ domains: all, fields: { exclude: ['address.street'] } })]), [
    ['address.city', 'phone'],
  ])
  const parts = { include: ['address.zip', 'address.street.no'], exclude: ['address.street'] }
  assert.deepEqual(fields([testGrant({ domains: all, fields: parts })]), [['address.zip']])
})

test('a refusal takes back what a permission gives, less what it excludes itself', () => {
  const permit = testGrant({
    domains: ['contact', 'place'],
    fields: { include: ['address.city', 'address.zip', 'phone'] },
  })
  const refusal = testGrant({ grant: 'no', effect: 'deny', domains: ['contact'], fields: { exclude: ['address.zip'] } })
  assert.deepEqual(fields([permit], [refusal]), [['address.zip', 'address.city']])
})

test('what the call does not ask for is not given', () => {
  const scope = testGrant({ domains: ['contact', 'place'] })
  assert.deepEqual(fields([scope], [], ['address.zip']), [['address.zip']])
  assert.deepEqual(fields([scope], [], ['address.city.district']), [['address.city.district']])
  assert.deepEqual(fields([scope], [], []), [])
})

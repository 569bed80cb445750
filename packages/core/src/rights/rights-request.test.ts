import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  extendedRightsDueMs,
  isClosedRights,
  parseRightsRequest,
  rightsDueMs,
  rightsStatusOf,
  type RightsReport,
} from './rights-request.ts'

const at = (text: string) => Date.parse(text)

test('reads each right, and refuses what is none or contradicts itself', () => {
  for (const type of ['access', 'erase', 'restrict', 'port', 'object'] as const)
    assert.deepEqual(parseRightsRequest({ type, scope: { consents: ['urn:uuid:1'] } }).type, type)
  assert.deepEqual(parseRightsRequest({ type: 'rectify', corrections: { 'a.b': 'née Ångström' } }).corrections, {
    'a.b': 'née Ångström',
  })
  const wrong: [unknown, string][] = [
    [{ type: 'forget' }, '/type'],
    [{ type: 'rectify' }, '/corrections'],
    [{ type: 'access', corrections: { a: 1 } }, '/corrections'],
    [{ type: 'rectify', corrections: { 'a..b': 1 } }, '/corrections/a..b'],
    [{ type: 'access', scope: { consents: [] } }, '/scope/consents'],
    [{ type: 'access', more: 1 }, ''],
    ['access', ''],
  ]
  for (const [value, pointer] of wrong) {
    assert.throws(
      () => parseRightsRequest(value),
      (error: { code?: string; members?: { errors?: { pointer: string }[] } }) =>
        error.code === 'rights-request-invalid' && error.members?.errors?.[0]?.pointer === pointer,
      JSON.stringify(value),
    )
  }
})

test('the clock runs by calendar months', () => {
  assert.equal(rightsDueMs(at('2026-01-31T10:00:00Z')), at('2026-02-28T10:00:00Z'))
  assert.equal(rightsDueMs(at('2028-01-31T10:00:00Z')), at('2028-02-29T10:00:00Z'))
  assert.equal(rightsDueMs(at('2026-11-22T00:00:00Z')), at('2026-12-22T00:00:00Z'))
  assert.equal(extendedRightsDueMs(at('2026-11-22T00:00:00Z')), at('2027-02-22T00:00:00Z'))
})

test('a request is closed only when every report is in, and says whether all was done', () => {
  const report = fc.record({ state: fc.constantFrom<RightsReport['state']>('open', 'done', 'refused') })
  fc.assert(
    fc.property(fc.array(report, { maxLength: 6 }), (reports) => {
      const status = rightsStatusOf(reports)
      assert.equal(
        isClosedRights(status),
        reports.every(({ state }) => state !== 'open'),
      )
      assert.equal(
        status === 'fulfilled',
        reports.every(({ state }) => state === 'done'),
      )
    }),
    { numRuns: 200 },
  )
  assert.equal(rightsStatusOf([{ state: 'refused' }, { state: 'done' }]), 'partially_fulfilled')
  assert.equal(rightsStatusOf([{ state: 'refused' }]), 'denied')
  assert.equal(rightsStatusOf([{ state: 'open' }, { state: 'done' }]), 'in_progress')
})

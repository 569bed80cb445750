import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideAmongAgreements } from './agreement-decision.ts'
import { overlapOf } from './agreement-overlap.ts'
import type { AgreementPermission, AgreementTerms } from './agreement-policy.ts'

const now = 1_000
const terms = (id: string, ...permissions: Partial<AgreementPermission>[]): AgreementTerms => ({
  id,
  assigner: 'did:web:a.example',
  assignee: 'did:web:b.example',
  concludedMs: 0,
  permissions: permissions.map((one) => ({ products: new Set(['p', 'q']), ...one })),
})

test('two agreements meet in the products of which both cover the same calls', () => {
  const whole = terms('1', {})
  assert.deepEqual(overlapOf(whole, terms('2', { products: new Set(['q', 'r']) }), now), ['q'])
  assert.deepEqual(overlapOf(whole, terms('2', { operations: new Set(['read']) }), now), ['p', 'q'])
  assert.deepEqual(overlapOf(whole, whole, now), [], 'an agreement does not meet itself')
  assert.deepEqual(overlapOf(whole, { ...terms('2', {}), assignee: 'did:web:c.example' }, now), [])
  const reading = terms('3', { operations: new Set(['read']) })
  assert.deepEqual(overlapOf(reading, terms('2', { operations: new Set(['write']) }), now), [])
  const research = terms('4', { purposes: new Set(['urn:x']) })
  assert.deepEqual(overlapOf(research, terms('2', { purposes: new Set(['urn:y']) }), now), [])
})

test('one that follows upon another does not meet it, and what is over meets nothing', () => {
  assert.deepEqual(overlapOf(terms('1', { untilMs: 2_000 }), terms('2', { fromMs: 2_000 }), now), [])
  assert.deepEqual(overlapOf(terms('1', { untilMs: now }), terms('2', {}), now), [])
  assert.deepEqual(overlapOf(terms('1', { fromMs: 3_000 }), terms('2', { untilMs: 3_001 }), now), ['p', 'q'])
})

test('agreements that do not meet never make a call ambiguous', () => {
  const some = (values: string[]) => fc.option(fc.subarray(values, { minLength: 1 }).map((list) => new Set(list)))
  const permission = fc
    .record({
      operations: some(['read', 'write']),
      purposes: some(['urn:x', 'urn:y']),
      untilMs: fc.constantFrom(now, now + 1),
    })
    .map(({ operations, purposes, untilMs }) => ({
      products: new Set(['p']),
      untilMs,
      ...(operations && { operations }),
      ...(purposes && { purposes }),
    }))
  const permissions = fc.array(permission, { minLength: 1, maxLength: 3 })
  const call = fc.record({ operation: fc.constantFrom('read', 'write'), purpose: fc.constantFrom('urn:x', 'urn:y') })
  fc.assert(
    fc.property(permissions, permissions, fc.array(call), (one, other, calls) => {
      const both = [terms('1', ...one), terms('2', ...other)] as const
      const codes = calls.map((made) => {
        const verdict = decideAmongAgreements(
          both.map((each) => ({ terms: each })),
          { product: 'p', ...made },
          now,
        )
        return verdict.allowed ? 'allowed' : verdict.code
      })
      if (overlapOf(...both, now).length === 0) assert.ok(!codes.includes('agreement-ambiguous'))
      assert.deepEqual(overlapOf(both[1], both[0], now), overlapOf(...both, now))
    }),
    { numRuns: 200 },
  )
})

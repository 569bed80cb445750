import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideAgreement, decideAmongAgreements, type StandingAgreement } from './agreement-decision.ts'
import type { AgreementPermission } from './agreement-policy.ts'

const now = 1_000_000
const standing = (
  permission: Partial<AgreementPermission>,
  more: Partial<StandingAgreement> & { id?: string; concludedMs?: number } = {},
): StandingAgreement => ({
  terms: {
    id: more.id ?? 'urn:uuid:1',
    assigner: 'did:web:a.example',
    assignee: 'did:web:b.example',
    concludedMs: more.concludedMs ?? 0,
    permissions: [{ products: new Set(['p']), ...permission }],
  },
  terminatedMs: more.terminatedMs,
})
const call = { product: 'p', operation: 'read', purpose: 'urn:x' }
const codeOf = (agreement: StandingAgreement, question: Parameters<typeof decideAgreement>[1] = call, at = now) => {
  const verdict = decideAgreement(agreement, question, at)
  return verdict.allowed ? 'allowed' : verdict.code
}

test('refuses a call one millisecond before the agreement begins and when it ends', () => {
  const agreement = standing({ fromMs: now, untilMs: now + 10 })
  assert.equal(codeOf(agreement, call, now - 1), 'agreement-expired')
  assert.equal(codeOf(agreement, call, now), 'allowed')
  assert.equal(codeOf(agreement, call, now + 9), 'allowed')
  assert.equal(codeOf(agreement, call, now + 10), 'agreement-expired')
})

test('refuses a call after termination, whatever else holds', () => {
  assert.equal(codeOf(standing({}, { terminatedMs: now })), 'agreement-terminated')
  assert.equal(codeOf(standing({ untilMs: 1 }, { terminatedMs: now + 5 })), 'agreement-terminated')
})

test('refuses another product, operation or purpose', () => {
  const agreement = standing({ operations: new Set(['read']), purposes: new Set(['urn:x']) })
  assert.equal(codeOf(agreement), 'allowed')
  assert.equal(codeOf(agreement, { ...call, product: 'q' }), 'agreement-required')
  assert.equal(codeOf(agreement, { ...call, operation: 'write' }), 'agreement-operation')
  assert.equal(codeOf(agreement, { ...call, purpose: 'urn:y' }), 'agreement-purpose')
  assert.equal(codeOf(agreement, { ...call, purpose: undefined }), 'purpose-required')
})

test('who does not know the operation is not stopped by it', () => {
  assert.equal(codeOf(standing({ operations: new Set(['read']) }), { ...call, operation: undefined }), 'allowed')
})

test('rules of different permissions do not mix', () => {
  const { terms } = standing({})
  const agreement = {
    terms: {
      ...terms,
      permissions: [
        { products: new Set(['p']), operations: new Set(['read']), purposes: new Set(['urn:x']) },
        { products: new Set(['p']), operations: new Set(['write']), purposes: new Set(['urn:y']) },
      ],
    },
  }
  assert.equal(codeOf(agreement, { ...call, operation: 'read', purpose: 'urn:y' }), 'agreement-purpose')
  assert.equal(codeOf(agreement, { ...call, operation: 'write', purpose: 'urn:y' }), 'allowed')
})

test('without any agreement the call needs one', () => {
  assert.deepEqual(decideAmongAgreements([], call, now), {
    allowed: false,
    code: 'agreement-required',
    detail: 'no agreement covers this product',
  })
})

test('the one agreement that allows the call is found among others', () => {
  const verdict = decideAmongAgreements(
    [
      standing({ untilMs: 1 }, { id: 'old' }),
      standing({}, { id: 'good' }),
      standing({}, { id: 'ended', terminatedMs: 1 }),
    ],
    call,
    now,
  )
  assert.deepEqual(verdict, { allowed: true, agreementId: 'good', purpose: 'urn:x' })
})

test('two agreements that allow the call must be told apart by the caller', () => {
  const verdict = decideAmongAgreements(
    [standing({}, { id: '1' }), standing({}, { id: '2', concludedMs: 5 })],
    call,
    now,
  )
  assert.ok(!verdict.allowed)
  assert.equal(verdict.code, 'agreement-ambiguous')
  assert.deepEqual(verdict.agreements, ['2', '1'])
  assert.equal(verdict.detail, 'the agreements `2`, `1` cover this call: name one in the field `Comity-Agreement`')
})

test('who does not know the operation is told whether it may tell the agreements apart', () => {
  const [reading, writing] = ['read', 'write'].map((one) => standing({ operations: new Set([one]) }, { id: one }))
  assert.ok(reading && writing)
  const upToOperation = (...agreements: StandingAgreement[]) => {
    const verdict = decideAmongAgreements(agreements, { ...call, operation: undefined }, now)
    return verdict.allowed ? verdict.agreementId : verdict.isUpToOperation
  }
  assert.equal(upToOperation(reading, writing), true)
  assert.equal(upToOperation(reading, standing({}, { id: 'any' })), true)
  assert.equal(upToOperation(reading, standing({}, { id: 'any' }), standing({}, { id: 'other' })), false)
  assert.equal(upToOperation(reading), 'read')
})

test('a denial is that of the agreement that came closest, of those out of force the latest', () => {
  const expired = standing({ untilMs: 1 }, { concludedMs: 1 })
  const terminated = standing({}, { terminatedMs: 1, concludedMs: 2 })
  const otherPurpose = standing({ purposes: new Set(['urn:y']) })
  const deny = (...agreements: StandingAgreement[]) => {
    const verdict = decideAmongAgreements(agreements, call, now)
    return verdict.allowed ? 'allowed' : verdict.code
  }
  assert.equal(deny(expired, terminated), 'agreement-terminated')
  assert.equal(deny(terminated, standing({ untilMs: 1 }, { concludedMs: 3 })), 'agreement-expired')
  assert.equal(deny(expired, otherPurpose, terminated), 'agreement-purpose')
})

test('a set of agreements allows a call exactly when one of them does', () => {
  const agreement = fc
    .record({
      until: fc.integer({ min: now - 2, max: now + 2 }),
      ended: fc.boolean(),
      operation: fc.constantFrom('read', 'write'),
    })
    .map(({ until, ended, operation }) =>
      standing({ untilMs: until, operations: new Set([operation]) }, { ...(ended && { terminatedMs: 1 }) }),
    )
  fc.assert(
    fc.property(fc.array(agreement, { maxLength: 5 }), (agreements) => {
      const allowing = agreements.filter((one) => decideAgreement(one, call, now).allowed).length
      const verdict = decideAmongAgreements(agreements, call, now)
      assert.equal(verdict.allowed, allowing === 1)
      if (allowing > 1) assert.equal(verdict.allowed ? '' : verdict.code, 'agreement-ambiguous')
    }),
    { numRuns: 200 },
  )
})

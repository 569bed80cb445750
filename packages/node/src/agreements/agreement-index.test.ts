import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgreementPermission } from '@comity/core/agreement/agreement-policy'
import { AgreementIndex, type AgreementQuestion } from './agreement-index.ts'

const [a, b, c] = ['did:web:a.example', 'did:web:b.example', 'did:web:c.example'] as const
const indexOf = (
  ...agreements: { id: string; permissions?: Partial<AgreementPermission>[]; parties?: [string, string] }[]
) => {
  const index = new AgreementIndex()
  for (const { id, permissions = [{}], parties: [assigner, assignee] = [a, b] } of agreements) {
    const full = permissions.map((one) => ({ products: new Set(['p']), ...one }))
    index.add({ id, assigner, assignee, concludedMs: 0, permissions: full }, undefined)
  }
  return index
}
const question: AgreementQuestion = {
  assigner: a,
  assignee: b,
  product: 'p',
  operation: 'read',
  purpose: 'urn:x',
  agreementId: undefined,
}
const ask = (index: AgreementIndex, change: Partial<AgreementQuestion> = {}, nowMs = 0) => {
  const verdict = index.decide({ ...question, ...change }, nowMs)
  return verdict.allowed ? verdict.agreementId : verdict.code
}

test('finds the agreement by both participants and the product', () => {
  const index = indexOf(
    { id: '1' },
    { id: '2', permissions: [{ products: new Set(['q', 'r']) }, { products: new Set(['q']) }] },
  )
  assert.equal(ask(index), '1')
  assert.equal(ask(index, { product: 'q' }), '2')
  assert.equal(ask(index, { product: 's' }), 'agreement-required')
  assert.equal(ask(index, { assignee: c }), 'agreement-required')
  assert.equal(ask(index, { assigner: b, assignee: a }), 'agreement-required')
})

test('a named agreement decides alone', () => {
  const index = indexOf({ id: '1' }, { id: '2' }, { id: '3', permissions: [{ untilMs: 0 }] })
  assert.equal(ask(index), 'agreement-ambiguous')
  assert.equal(ask(index, { agreementId: '2' }), '2')
  assert.equal(ask(index, { agreementId: '3' }), 'agreement-expired')
})

test('tells which agreements that stand cover the same calls', () => {
  const index = indexOf({ id: '1' }, { id: '2', permissions: [{ untilMs: 5 }] }, { id: '3', parties: [a, c] })
  const permissions = [{ products: new Set(['p', 'q']) }]
  const overlaps = (nowMs: number) =>
    index.overlaps({ id: '4', assigner: a, assignee: b, concludedMs: 0, permissions }, nowMs)
  assert.deepEqual(overlaps(0), [
    { agreement: '1', products: ['p'] },
    { agreement: '2', products: ['p'] },
  ])
  assert.deepEqual(overlaps(5), [{ agreement: '1', products: ['p'] }])
  index.terminate('1', 0)
  assert.deepEqual(overlaps(5), [])
})

test('an agreement of others is as unknown as one that does not exist', () => {
  const index = indexOf({ id: '1', parties: [a, c] })
  const verdicts = ['1', '2'].map((agreementId) => index.decide({ ...question, agreementId }, 0))
  assert.deepEqual(verdicts[0], verdicts[1])
  assert.equal(ask(index, { agreementId: '1' }), 'agreement-required')
})

test('after termination the very next call is refused, and stays refused', () => {
  const index = indexOf({ id: '1' })
  index.terminate('1', 5)
  index.terminate('1', 9)
  index.terminate('unknown', 5)
  assert.equal(index.terminatedMs('1'), 5)
  assert.equal(ask(index), 'agreement-terminated')
  assert.equal(ask(index, { agreementId: '1' }), 'agreement-terminated')
})

test('a decision does not grow slower with the number of agreements', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({
    id: `${i}`,
    parties: [a, `did:web:r${i}.example`] as [string, string],
  }))
  const index = indexOf(...many)
  const before = process.cpuUsage()
  for (let i = 0; i < 20_000; i++) assert.equal(ask(index, { assignee: `did:web:r${i}.example` }), `${i}`)
  assert.ok(process.cpuUsage(before).user < 2_000_000)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QuotaGrants, type RuleQuota } from './quota-grants.ts'
import type { QuotaRequest } from './quota-request.ts'

const lab = 'did:web:lab.example'
const rule = (...by: string[]): RuleQuota => ({ name: 'monthly', units: 100, per: 'month', by })
const granted = (more: Partial<QuotaRequest> = {}, units = 500): QuotaRequest => ({
  id: 'a',
  asker: { participant: lab, client: '', key: '' },
  limit: 'monthly',
  product: '',
  units,
  per: 'month',
  reason: 'a study',
  askedMs: 0,
  decision: { state: 'granted', decidedMs: 0, units, untilMs: 1_000, note: undefined },
  ...more,
})
const unitsOf = (
  grants: readonly QuotaRequest[],
  of: RuleQuota,
  { key, nowMs = 0 }: { key: string; nowMs?: number },
) => {
  const all = new QuotaGrants()
  for (const grant of grants) all.add(grant)
  return all.unitsOf(of, key, nowMs)
}

test('a grant raises the quota of who asked, of nobody else, until it is over', () => {
  const of = rule('participant')
  assert.equal(unitsOf([granted()], of, { key: `participant=${lab}` }), 500)
  assert.equal(unitsOf([granted()], of, { key: `participant=${lab}`, nowMs: 1_000 }), 100)
  assert.equal(unitsOf([granted()], of, { key: `participant=${lab}.evil` }), 100)
  assert.equal(unitsOf([granted({ limit: 'other' })], of, { key: `participant=${lab}` }), 100)
  assert.equal(unitsOf([granted({ per: 'day' })], of, { key: `participant=${lab}` }), 100)
})

test('a grant never lowers a quota, and of several the highest counts', () => {
  const of = rule('participant')
  const key = `participant=${lab}`
  assert.equal(unitsOf([granted({}, 50)], of, { key }), 100)
  assert.equal(unitsOf([granted(), granted({ id: 'b' }, 300)], of, { key }), 500)
})

test('a grant for one product is for that product', () => {
  const grants = [granted({ product: 'readings' })]
  assert.equal(unitsOf(grants, rule('participant', 'product'), { key: `participant=${lab} product=readings` }), 500)
  assert.equal(unitsOf(grants, rule('participant', 'product'), { key: `participant=${lab} product=people` }), 100)
  assert.equal(
    unitsOf(grants, rule('operation', 'participant'), { key: `operation=readings/list all participant=${lab}` }),
    500,
  )
})

test('where keys are counted, a participant raises those that it signs with, and a client its own', () => {
  const client = { participant: '', client: 'c1', key: 'k1' }
  assert.equal(unitsOf([granted()], rule('key'), { key: `key=${lab}#2` }), 500)
  assert.equal(unitsOf([granted({ asker: client })], rule('key'), { key: 'key=k1' }), 500)
  assert.equal(unitsOf([granted({ asker: client })], rule('key'), { key: 'key=k2' }), 100)
  assert.equal(unitsOf([granted({ asker: client })], rule('participant'), { key: 'participant=client:c1' }), 500)
  assert.equal(unitsOf([granted({ asker: client })], rule('client'), { key: 'client=c1' }), 500)
  assert.equal(unitsOf([granted()], rule('product'), { key: 'product=readings' }), 100)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsentScope } from '../consent/consent-scope.ts'
import { precedenceFaults } from './grant-precedence.ts'

const dpv = 'https://w3id.org/dpv#'
const filtered: ConsentScope = {
  grant: 'g1',
  effect: 'permit',
  purposes: [`${dpv}ResearchAndDevelopment`],
  actions: ['read'],
  products: ['athletes'],
  domains: ['sport'],
  filters: [{ path: 'year', op: '>', value: 2020 }],
}
const open: ConsentScope = { ...filtered, grant: 'g2', filters: undefined }

function faults(child: readonly ConsentScope[], parent: readonly ConsentScope[] = [filtered, open]): string[] {
  return precedenceFaults(child, parent)
}

test('leaving out a grant does not free its fields by a later one that is less restricted', () => {
  assert.equal(faults([open]).length, 1)
  assert.match(faults([open])[0] ?? '', /`g2` needs `g1`/)
})

test('nor does narrowing it, or putting it behind', () => {
  assert.equal(faults([{ ...filtered, fields: { exclude: ['height'] } }, open]).length, 1)
  assert.equal(faults([{ ...filtered, purposes: [`${dpv}AcademicResearch`] }, open]).length, 1)
  assert.equal(faults([open, filtered]).length, 1)
})

test('both together, in their order, are what the parent has', () => {
  assert.deepEqual(faults([filtered, open]), [])
  assert.deepEqual(faults([{ ...filtered, maxUses: 1 }, open]), [])
})

test('the first grant alone, and a later one with the same restrictions, need nothing', () => {
  assert.deepEqual(faults([filtered]), [])
  assert.deepEqual(faults([{ ...open, filters: filtered.filters }]), [])
})

test('grants that no call can get the same field by need nothing of each other', () => {
  const apart: Partial<ConsentScope>[] = [
    { products: ['results'] },
    { actions: ['write'] },
    { domains: ['health'] },
    { purposes: [`${dpv}Marketing`] },
    { purposes: ['urn:example:own'] },
    { fields: { include: ['height'], exclude: ['results'] } },
  ]
  for (const other of apart) {
    const first = { ...filtered, fields: { include: ['results'] } }
    const second = { ...open, ...other }
    assert.deepEqual(faults([second], [first, second]), [], JSON.stringify(other))
  }
})

test('grants overlap by what lies below a domain, a field or a purpose of the other', () => {
  const meeting: [Partial<ConsentScope>, Partial<ConsentScope>][] = [
    [{ domains: ['sport'] }, { domains: ['sport.body'] }],
    [{ fields: { include: ['results'] } }, { fields: { include: ['results[].event'] } }],
    [{ fields: { include: ['results'] } }, {}],
    [{ purposes: [`${dpv}ResearchAndDevelopment`] }, { purposes: [`${dpv}AcademicResearch`] }],
    // Neither is below the other, and commercial research is below both.
    [{ purposes: [`${dpv}CommercialPurpose`] }, { purposes: [`${dpv}ResearchAndDevelopment`] }],
  ]
  for (const [a, b] of meeting) {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const parent = [
        { ...filtered, ...one },
        { ...open, ...other },
      ]
      assert.equal(faults([{ ...open, ...other }], parent).length, 1, JSON.stringify([one, other]))
    }
  }
})

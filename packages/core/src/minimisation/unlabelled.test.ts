import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownFields, unlabelledFields, unlabelledFieldsOfRow } from './unlabelled.ts'

const labels = [{ path: 'name' }, { path: 'address.city' }, { path: 'laps[].time' }]
const layout = { rows: 'items[]', open: ['total', 'page.next'] }
const isTold = (name: string) => /^[a-z]+[0-9]{0,3}$/.test(name)
const found = (answer: unknown, withheld: string[] = [], where = layout) =>
  unlabelledFields(answer, knownFields(where, labels, { withheld, isTold }))

test('nothing is found where labels and open paths cover everything', () => {
  const row = { name: { any: 1 }, address: { city: [{ x: 1 }] }, laps: [{ time: 1 }, { time: 2 }] }
  assert.deepEqual(found({ total: 1, page: { next: 'x' }, items: [row, {}] }), [])
})

test('fields of rows are told by their own paths, once, wherever they stand', () => {
  const rows = [
    { name: 'Ada', diagnosis: { code: 1 }, address: { city: 'Porto', street: 'x' } },
    { laps: [{ time: 1 }, { pulse: 180 }], diagnosis: null },
  ]
  assert.deepEqual(found({ items: rows }), ['diagnosis', 'address.street', 'laps[].pulse'])
  assert.deepEqual(unlabelledFieldsOfRow(rows[0], knownFields(layout, labels, { withheld: [], isTold })), [
    'diagnosis',
    'address.street',
  ])
})

test('what is around the rows is told by its path in the answer', () => {
  assert.deepEqual(found({ page: { next: 1, owner: 'x' }, by: 'Ada', items: [] }), ['page.owner', 'by'])
  assert.deepEqual(found([{ rows: [{ x: 1 }], who: 1 }], [], { rows: '[].rows[]', open: [] }), ['x', '[].who'])
})

test('an answer that is one row has both', () => {
  assert.deepEqual(found({ name: 'Ada', total: 1, other: 2 }, [], { rows: '', open: ['total'] }), ['other'])
})

test('what is known to be withheld is not told', () => {
  assert.deepEqual(found({ by: 1, items: [{ diagnosis: { code: 1 }, x: 1 }] }, ['diagnosis', 'by']), ['x'])
})

test('a name that may be data is not told', () => {
  assert.deepEqual(found({ items: [{ 'ada@example.org': 1, '736041664': 2, 'Ada L': 3 }] }), ['…'])
})

test('an answer costs no more than its beginning', () => {
  const names = Array.from({ length: 1_000 }, (_, at) => [`x${at}`, 1] as const)
  assert.equal(found({ items: [Object.fromEntries(names)] }).length, 50)
  const many = Array.from({ length: 30_000 }, () => ({ name: 'Ada' }))
  assert.deepEqual(found({ items: [...many, { x: 1 }] }), [])
})

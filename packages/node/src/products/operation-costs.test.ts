import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costFaults, operationCosts, operationsConfigSchema } from './operation-costs.ts'

const read = (operations: object) => operationsConfigSchema.parse(operations)
const json = { requestBody: { required: true, contents: new Map([['application/json', { kind: 'json' }]]) } }
const documented = [
  { id: 'list', requestBody: undefined },
  { id: 'batch', ...json },
] as unknown as Parameters<typeof costFaults>[1]

test('an operation costs what is declared, one unit where nothing is', () => {
  const costs = operationCosts(read({ list: { cost: 5 } }))
  assert.deepEqual(
    [costs.hasAny, costs.least('list'), costs.of('list', undefined), costs.of('get', {})],
    [true, 5, 5, 1],
  )
  assert.equal(operationCosts(undefined).hasAny, false)
})

test('a batch costs as much as it has items, one unit at least', () => {
  const costs = operationCosts(read({ batch: { cost: { perItem: '/order/a~1b' } }, whole: { cost: { perItem: '' } } }))
  assert.equal(costs.least('batch'), 1)
  const bodies = [{ order: { 'a/b': [1, 2, 3] } }, { order: { 'a/b': [] } }, { order: { 'a/b': 7 } }, {}, undefined]
  assert.deepEqual(
    bodies.map((body) => costs.of('batch', body)),
    [3, 1, 1, 1, 1],
  )
  assert.equal(costs.of('whole', [1, 2]), 2)
})

test('refuses costs that are absurd and pointers that are none', () => {
  for (const cost of [0, -1, 1.5, 1_000_001, { perItem: 'items' }, { perItem: '/~2' }, '5'])
    assert.equal(operationsConfigSchema.safeParse({ list: { cost } }).success, false, JSON.stringify(cost))
})

test('refuses operations that the document does not have, and items of what has no JSON body', () => {
  const faults = costFaults(
    { operations: read({ lost: { cost: 2 }, list: { cost: { perItem: '/items' } } }) },
    documented,
  )
  assert.deepEqual(
    faults.map(({ path }) => path),
    [
      ['operations', 'lost'],
      ['operations', 'list', 'cost'],
    ],
  )
  assert.deepEqual(costFaults({ operations: read({ batch: { cost: { perItem: '/items' } } }) }, documented), [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costFaults, operationCosts, operationsConfigSchema } from './operation-costs.ts'

const read = (operations: object) => operationsConfigSchema.parse(operations)
const json = (schema: unknown, type = 'application/json') =>
  [type, { kind: 'json', schema: { value: schema, pointer: '/x' } }] as const
const withBodies = (...contents: readonly (readonly [string, object])[]) =>
  [{ id: 'batch', requestBody: { required: true, contents: new Map(contents) } }] as unknown as Documented
type Documented = Parameters<typeof costFaults>[1]

const list = { type: 'array', items: { type: 'string' } }
const items = { type: 'object', properties: { items: list, byName: { type: 'object', additionalProperties: true } } }
const root = { defs: { list, items, loop: { $ref: '#/defs/loop' } } }
const perItem = (pointer: string, documented: Documented) =>
  costFaults({ operations: read({ batch: { cost: { perItem: pointer } } }) }, documented, root)

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

test('refuses operations that the document does not have, and items of what has no body', () => {
  const documented = [{ id: 'list', requestBody: undefined }] as unknown as Documented
  const operations = read({ lost: { cost: 2 }, list: { cost: { perItem: '/items' } } })
  assert.deepEqual(
    costFaults({ operations }, documented, root).map(({ path }) => path),
    [
      ['operations', 'lost'],
      ['operations', 'list', 'cost'],
    ],
  )
})

test('a pointer that meets no list in a body is refused: a batch must not pass for one call', () => {
  for (const pointer of ['/itmes', '/byName', '', '/items/0', '/items/length'])
    assert.equal(perItem(pointer, withBodies(json(items))).length, 1, pointer)
  for (const body of [true, {}, { items: {} }, { properties: { items: true } }, { $ref: '#/defs/loop' }])
    assert.equal(perItem('/items', withBodies(json(body))).length, 1, JSON.stringify(body))
  const other = { type: 'object', properties: { entries: list } }
  for (const body of [
    { oneOf: [items, other] },
    { anyOf: [items, list] },
    { properties: { items: { type: ['array', 'string'] } } },
  ])
    assert.equal(perItem('/items', withBodies(json(body))).length, 1, JSON.stringify(body))
  const rows = ['application/x-ndjson', { kind: 'rows' }] as const
  assert.match(perItem('/items', withBodies(json(items), rows))[0]?.message ?? '', /x-ndjson/)
  assert.equal(perItem('/items', withBodies(json(items), json(other, 'application/merge-patch+json'))).length, 1)
})

test('a pointer that meets a list is taken, through references, parts and alternatives', () => {
  const bodies = [
    items,
    { $ref: '#/defs/items' },
    { allOf: [{ type: 'object' }, { $ref: '#/defs/items' }] },
    { oneOf: [items, { properties: { items: { $ref: '#/defs/list' } } }] },
    { properties: { items: { type: ['array', 'null'] } } },
    { properties: { items: { anyOf: [list, { type: 'null' }] } } },
  ]
  for (const body of bodies) assert.deepEqual(perItem('/items', withBodies(json(body))), [], JSON.stringify(body))
  assert.deepEqual(perItem('', withBodies(json(list))), [])
})

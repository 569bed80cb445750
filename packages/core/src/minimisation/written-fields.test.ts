import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coversField } from '../consent/field-path.ts'
import { bodyLayout, writtenFields, writtenFieldsOfRows } from './written-fields.ts'

const labels = ['name', 'address', 'results[].event', 'results[].rank', 'tags[]'].map((path) => ({ path }))
const isTold = (name: string) => /^[a-z]+$/.test(name)

function written(body: unknown, { rows = '', open = [] as readonly string[] } = {}) {
  const { rows: found, unlabelled } = writtenFields(body, bodyLayout({ rows, open }, labels, isTold))
  return { fields: found.map(({ fields }) => fields), unlabelled }
}

test('finds the labelled fields that a body has, as deep as it goes', () => {
  const body = { name: 'A', address: { city: 'B', floors: [{ door: 1 }, { key: 2 }] }, results: [{ rank: 1 }] }
  const fields = ['name', 'address.city', 'address.floors[].door', 'address.floors[].key', 'results[].rank']
  assert.deepEqual(written(body), { fields: [fields], unlabelled: [] })
})

test('a member that no label covers and that is not open is named, also inside what holds labels', () => {
  const body = { name: 'A', reason: 'x', results: [{ rank: 1, judge: 'B' }], Secret: 1 }
  assert.deepEqual(written(body).unlabelled, ['/reason', '/results/0/judge', '/…'])
  assert.deepEqual(written(body, { open: ['reason', 'results[].judge'] }).unlabelled, ['/…'])
  for (const odd of [[], 'x', 7, null]) assert.deepEqual(written(odd).unlabelled, [''])
  assert.deepEqual(written({ results: 'x' }).unlabelled, ['/results'])
  assert.deepEqual(written({ tags: { a: 1 } }).unlabelled, ['/tags/a'])
})

test('what takes the place of all that holds labels writes them all', () => {
  for (const nothing of [null, [], {}]) {
    assert.deepEqual(written({ results: nothing }).fields, [['results[].event', 'results[].rank']])
    assert.deepEqual(written({ address: nothing }).fields, [['address']])
  }
  assert.deepEqual(written([], { rows: '[]' }).fields, [labels.map(({ path }) => path)])
  assert.deepEqual(written({}).fields, [[]])
})

test('what takes the place of more than labels and open paths cover is named, as is what it takes away', () => {
  for (const nothing of [null, [], {}, 7]) {
    const open = ['meta.note', 'results[].judge']
    assert.deepEqual(written({ meta: nothing }, { open }), { fields: [[]], unlabelled: ['/meta'] })
    assert.deepEqual(written({ results: nothing }, { open }).unlabelled, ['/results'])
    assert.deepEqual(written({ meta: nothing, address: nothing }, { open: ['meta'] }).unlabelled, [])
  }
  assert.deepEqual(written({ results: [{}, null] }).unlabelled, ['/results/0', '/results/1'])
  assert.deepEqual(written({ items: [], note: null }, { rows: 'items[]', open: ['note.text'] }).unlabelled, ['/note'])
})

test('a name that could be read as a path, or may be data, makes its whole place written', () => {
  for (const name of ['city.x', 'a[]', 'Amina Rossi', '__proto__', '']) {
    const address = JSON.parse(`{"city":1,${JSON.stringify(name)}:2}`) as unknown
    assert.deepEqual(written({ address }).fields, [['address']], name)
  }
})

test('rows are where the layout says, and what is around them needs to be open', () => {
  const body = { items: [{ name: 'A' }, { name: 'B', address: {} }], note: 'x' }
  const fields = [['name'], ['name', 'address']]
  assert.deepEqual(written(body, { rows: 'items[]', open: ['note'] }), { fields, unlabelled: [] })
  assert.deepEqual(written(body, { rows: 'items[]' }).unlabelled, ['/note'])
  assert.deepEqual(written({ items: {} }, { rows: 'items[]' }).unlabelled, ['/items'])
})

test('a row with very many places counts as writing its labels whole', () => {
  const names = Array.from({ length: 300 }, (_, at) => [`a${'b'.repeat(at)}`, 1] as const)
  const { fields } = written({ address: Object.fromEntries(names), name: 'A' })
  assert.deepEqual(fields, [['name', 'address']])
})

test('rows with very many places between them count as writing their labels whole, and are told apart below that', () => {
  const layout = bodyLayout({ rows: '', open: [] }, labels, isTold)
  const letters = [...'abcdefghijklmnop']
  const rows = letters.map((a) => ({ address: Object.fromEntries(letters.map((b) => [`${a}${b}`, 1])) }))
  const few = writtenFieldsOfRows([...rows, { address: { aa: 2 } }], layout).rows
  assert.deepEqual(few.at(-1)?.fields, ['address.aa'])
  const many = writtenFieldsOfRows([...rows, { address: { z: 1 }, results: [{ rank: 1 }] }, { name: 'A' }], layout).rows
  for (const { fields } of many.slice(0, 16)) assert.deepEqual(fields, ['address'])
  assert.deepEqual(
    many.slice(16).map(({ fields }) => fields),
    [['address', 'results[].rank'], ['name']],
  )
  const long = letters.map((letter) => ({ address: { [letter.repeat(400)]: 1 } }))
  for (const { fields } of writtenFieldsOfRows(long, layout).rows) assert.deepEqual(fields, ['address'])
})

test('every value of a body is in a field, or in a place that is named', () => {
  const name = fc.constantFrom('name', 'address', 'results', 'tags', 'event', 'rank', 'other')
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(1, 'x', null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    ),
  }))
  const property = fc.property(fc.dictionary(name, value), (body) => {
    const { fields, unlabelled } = written(body)
    const known = [...(fields[0] ?? []), ...unlabelled.map(fieldOfPointer)]
    for (const place of placesOf(body)) {
      const isKnown = known.some((each) => coversField(each, place) || coversField(place, each))
      assert.ok(isKnown, `${place} of ${JSON.stringify(body)}`)
    }
    for (const field of fields[0] ?? [])
      assert.ok(
        labels.some(({ path }) => coversField(path, field)),
        field,
      )
  })
  fc.assert(property, { numRuns: 200 })
})

const fieldOfPointer = (pointer: string) => pointer.slice(1).replaceAll(/\/\d+/g, '[]').replaceAll('/', '.')

/** Every leaf. */
function placesOf(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return at === '' ? [] : [at]
  const inner = Array.isArray(value)
    ? value.map((each) => [`${at}[]`, each] as const)
    : Object.entries(value).map(([key, each]) => [at === '' ? key : `${at}.${key}`, each] as const)
  return inner.flatMap(([path, each]) => placesOf(each, path))
}

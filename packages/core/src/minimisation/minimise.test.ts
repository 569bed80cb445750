import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldTransform, RowFilter } from '../consent/consent-scope.ts'
import type { Release, ReleasePart } from '../consent/release.ts'
import { minimise, type RowLayout } from './minimise.ts'

const means = { keyedHash: (text: string) => `h(${text})`, pseudonym: 'ps_x' }

function part(fields: string[], more: Partial<ReleasePart> = {}): ReleasePart {
  return { grant: 'g', fields, transforms: [], filters: [], ...more }
}

function releaseOf(...parts: ReleasePart[]): Release {
  return { parts, released: parts.flatMap(({ fields }) => fields), withheld: [] }
}

const layoutOf = (layout: Partial<RowLayout> = {}): RowLayout => ({ rows: '', open: [], ...layout })

/** What is released of one row that is the whole answer. */
function row(value: unknown, fields: string[], transforms: FieldTransform[] = []) {
  return minimise(value, releaseOf(part(fields, { transforms })), { layout: layoutOf(), means })
}

function rows(value: unknown, layout: Partial<RowLayout>, ...parts: ReleasePart[]) {
  return minimise(value, releaseOf(...parts), { layout: layoutOf(layout), means })
}

const athlete = {
  id: 7,
  name: 'Ada',
  born: '1987-03-23',
  height: 1.83,
  address: { city: 'Rio', street: 'Rua 1', geo: { lat: -22.9 } },
  results: [
    { event: '100 m', time: 10.1, splits: [[1.8, 2.9], [3.8]] },
    { event: '200 m', time: 20.2, notes: ['wind'] },
  ],
}

test('releases the fields that were granted, and all below them, and no other', () => {
  assert.deepEqual(row(athlete, ['name', 'address.geo']), { name: 'Ada', address: { geo: { lat: -22.9 } } })
  assert.deepEqual(row(athlete, ['results[].event']), { results: [{ event: '100 m' }, { event: '200 m' }] })
  assert.deepEqual(row(athlete, ['results[].splits[][]']), { results: [{ splits: [[1.8, 2.9], [3.8]] }] })
  assert.deepEqual(row(athlete, ['results']), { results: athlete.results })
})

test('a release of nothing leaves an empty answer of the same kind', () => {
  assert.deepEqual(row(athlete, []), {})
  assert.deepEqual(rows([athlete], { rows: '[]' }), [])
  assert.deepEqual(rows({ items: [athlete], total: 1 }, { rows: 'items[]' }), { items: [] })
})

test('fields of several grants meet in one row, element by element', () => {
  const parts = [part(['results[].event']), part(['results[].time', 'name'])]
  assert.deepEqual(rows([athlete], { rows: '[]' }, ...parts), [
    {
      results: [
        { event: '100 m', time: 10.1 },
        { event: '200 m', time: 20.2 },
      ],
      name: 'Ada',
    },
  ])
})

const transforms: [string, unknown, Omit<FieldTransform, 'path'>, unknown][] = [
  ['mask keeps the last four', 'DE89370400440532', { op: 'mask' }, '************0532'],
  ['mask keeps as many as are told', '5551234', { op: 'mask', arg: 2 }, '*****34'],
  ['mask of a short text shows nothing', 'Ada', { op: 'mask' }, '***'],
  ['mask of nothing kept', 'Ada', { op: 'mask', arg: 0 }, '***'],
  ['mask counts characters, not units', 'a😀😀😀b', { op: 'mask', arg: 2 }, '***😀b'],
  ['mask of a whole number', 12345678, { op: 'mask' }, '****5678'],
  ['mask of a fraction leaves out', 1.5, { op: 'mask' }, undefined],
  ['mask with a broken argument leaves out', 'Ada', { op: 'mask', arg: 1.5 }, undefined],
  ['mask with a negative argument leaves out', 'Ada', { op: 'mask', arg: -1 }, undefined],
  ['hash is of the text', 'Ada', { op: 'hash' }, 'h(Ada)'],
  ['hash of a number', 7, { op: 'hash' }, 'h(7)'],
  ['hash of an object leaves out', { a: 1 }, { op: 'hash' }, undefined],
  ['hash of null leaves out', null, { op: 'hash' }, undefined],
  ['round to whole numbers', 182.6, { op: 'round' }, 183],
  ['round to multiples', 183, { op: 'round', arg: 5 }, 185],
  ['round to a fraction', 0.31, { op: 'round', arg: 0.1 }, 0.3],
  ['round never gives minus zero', -0.2, { op: 'round' }, 0],
  ['round of a text leaves out', '183', { op: 'round' }, undefined],
  ['round to nothing leaves out', 183, { op: 'round', arg: 0 }, undefined],
  ['round beyond what numbers hold leaves out', 1e308, { op: 'round', arg: 1e-10 }, undefined],
  ['year of a date', '1987-03-23', { op: 'year' }, '1987'],
  ['year of a moment', '1987-03-23T20:15:00+01:00', { op: 'year' }, '1987'],
  ['year of a year', 1987, { op: 'year' }, 1987],
  ['year of other text leaves out', '23 March 1987', { op: 'year' }, undefined],
  ['year of text that only begins as a date leaves out', '1987-03-23 in Rio', { op: 'year' }, undefined],
  ['year of milliseconds leaves out', 543456000000, { op: 'year' }, undefined],
  ['pseudonym', 7, { op: 'pseudonym' }, 'ps_x'],
  ['pseudonym of a list leaves out', [7], { op: 'pseudonym' }, undefined],
  ['drop', 7, { op: 'drop' }, undefined],
]

for (const [name, value, transform, expected] of transforms) {
  test(`transform: ${name}`, () => {
    const wanted = expected === undefined ? {} : { value: expected }
    assert.deepEqual(row({ value }, ['value'], [{ path: 'value', ...transform }]), wanted)
  })
}

test('a transform that this version does not know leaves the field out', () => {
  const unknown = { path: 'name', op: 'rot13' } as unknown as FieldTransform
  assert.deepEqual(row(athlete, ['name', 'height'], [unknown]), { height: 1.83 })
})

test('several transforms of one field are applied in order', () => {
  const both: FieldTransform[] = [
    { path: 'born', op: 'year' },
    { path: 'born', op: 'hash' },
  ]
  assert.deepEqual(row(athlete, ['born'], both), { born: 'h(1987)' })
})

test('a transform inside two fields that are released, one inside the other, is applied once', () => {
  const hash = [{ path: 'address.street', op: 'hash' } as const]
  for (const fields of [['address.street'], ['address', 'address.street'], ['address.street', 'address']]) {
    const { address } = row(athlete, fields, hash) as { address: { street: string } }
    assert.equal(address.street, 'h(Rua 1)', fields.join())
  }
  const twice = [...hash, { ...hash[0] }] as FieldTransform[]
  assert.deepEqual(row(athlete, ['address.street'], twice), { address: { street: 'h(h(Rua 1))' } })
})

test('a transform inside a field that is released whole is applied there', () => {
  const drop: FieldTransform[] = [{ path: 'address.street', op: 'drop' }]
  assert.deepEqual(row(athlete, ['address'], drop), { address: { city: 'Rio', geo: { lat: -22.9 } } })
  const round: FieldTransform[] = [{ path: 'results[].splits[][]', op: 'round' }]
  assert.deepEqual(row(athlete, ['results'], round), {
    results: [
      { event: '100 m', time: 10.1, splits: [[2, 3], [4]] },
      { event: '200 m', time: 20.2, notes: ['wind'] },
    ],
  })
})

test('a transform of what holds a field leaves the field out', () => {
  assert.deepEqual(row(athlete, ['address.city', 'name'], [{ path: 'address', op: 'mask' }]), { name: 'Ada' })
  assert.deepEqual(row(athlete, ['address.city', 'name'], [{ path: 'address', op: 'drop' }]), { name: 'Ada' })
})

test('where a transform expects an object or a list and finds something else, nothing leaves', () => {
  const drop: FieldTransform[] = [{ path: 'address.street', op: 'drop' }]
  for (const address of ['Rua 1', 5, true, [{ street: 'Rua 1' }], [['Rua 1']]]) {
    assert.deepEqual(row({ address }, ['address'], drop), {}, JSON.stringify(address))
  }
  assert.deepEqual(row({ address: null }, ['address'], drop), { address: null })
  const inList: FieldTransform[] = [{ path: 'names[].last', op: 'mask' }]
  assert.deepEqual(row({ names: { last: 'Lovelace' } }, ['names'], inList), {})
  assert.deepEqual(row({ names: ['Lovelace', { first: 'Ada' }] }, ['names'], inList), { names: [{ first: 'Ada' }] })
  const two: FieldTransform[] = [
    { path: 'id', op: 'hash' },
    { path: 'id.inner', op: 'drop' },
  ]
  assert.deepEqual(row({ id: 7 }, ['id'], two), {})
})

test('transforms of one grant leave the fields of another alone', () => {
  const first = part(['address.city'], { transforms: [{ path: 'address', op: 'drop' }] })
  assert.deepEqual(rows(athlete, {}, first, part(['address.geo'])), { address: { geo: { lat: -22.9 } } })
})

test('where paths speak of a value as an object and as a list, what it is decides which of them hold', () => {
  const drop: FieldTransform[] = [{ path: 'a.secret', op: 'drop' }]
  assert.deepEqual(row({ a: [{ secret: 'SECRET' }] }, ['a', 'a[].x'], drop), {})
  assert.deepEqual(row({ a: { secret: 'SECRET', x: 1 } }, ['a', 'a[].x'], drop), { a: { x: 1 } })
})

test('the envelope leaves only where it is open, wherever the rows are', () => {
  const answer = { total: 2, next: '/x?cursor=SECRET', data: { groups: [{ name: 'A', secret: 1, rows: [athlete] }] } }
  const layout = { rows: 'data.groups[].rows[]', open: ['total', 'data.groups[].name'] }
  assert.deepEqual(rows(answer, layout, part(['name'])), {
    total: 2,
    data: { groups: [{ name: 'A', rows: [{ name: 'Ada' }] }] },
  })
  assert.deepEqual(rows({ ...athlete, version: '1' }, { open: ['version'] }, part(['name'])), {
    name: 'Ada',
    version: '1',
  })
})

test('an open path that leads to the rows or into them gives nothing', () => {
  const answer = { data: { items: [athlete], other: 1 } }
  for (const open of ['data', 'data.items', 'data.items[]', 'data.items[].id']) {
    assert.deepEqual(
      rows(answer, { rows: 'data.items[]', open: [open] }, part(['name'])),
      { data: { items: [{ name: 'Ada' }] } },
      open,
    )
  }
  assert.deepEqual(rows({ data: 'SECRET' }, { rows: 'data.items[]', open: ['data'] }, part(['name'])), {})
})

test('a grant without fields lets no row through', () => {
  assert.deepEqual(rows([athlete], { rows: '[]' }, part([])), [])
  const judo = part(['name'], { filters: [{ path: 'name', op: '=', value: 'Bo' }] })
  assert.deepEqual(rows([athlete], { rows: '[]' }, part([]), judo), [])
})

const hostile: [string, unknown, unknown][] = [
  ['rows are an object', { items: { name: 'SECRET' } }, {}],
  ['rows are null', { items: null }, {}],
  ['rows are missing', { name: 'SECRET' }, {}],
  ['rows are text', { items: 'SECRET' }, {}],
  ['the answer is a list', [{ name: 'SECRET' }], {}],
  ['the answer is text', 'SECRET', {}],
  ['the answer is null', null, {}],
  ['a row is text', { items: ['SECRET', null, 5, { name: 'Ada' }] }, { items: [{ name: 'Ada' }] }],
  ['a row is a list', { items: [[{ name: 'SECRET' }], { name: 'Ada' }] }, { items: [{ name: 'Ada' }] }],
  ['a row lacks the field', { items: [{ other: 'SECRET' }] }, { items: [{}] }],
  ['a field is null', { items: [{ name: null }] }, { items: [{ name: null }] }],
  ['the envelope has more', { items: [], more: ['SECRET'] }, { items: [] }],
]

for (const [name, answer, expected] of hostile) {
  test(`nothing but the release leaves when ${name}`, () => {
    assert.deepEqual(rows(answer, { rows: 'items[]' }, part(['name'])), expected)
  })
}

test('a field below something that is not an object gives nothing', () => {
  for (const address of ['SECRET', 5, null, [{ city: 'SECRET' }], [], {}]) {
    assert.deepEqual(row({ address }, ['address.city']), {}, JSON.stringify(address))
  }
  assert.deepEqual(row({ results: { event: 'SECRET' } }, ['results[].event']), {})
  assert.deepEqual(row({ results: [] }, ['results[].event']), { results: [] })
})

test('names that mean something to the language are names like others', () => {
  const value = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"a":1},"toString":"x"}') as unknown
  const result = row(value, ['__proto__', 'constructor.a', 'toString', 'hasOwnProperty', 'valueOf'])
  assert.equal(JSON.stringify(result), '{"__proto__":{"polluted":1},"constructor":{"a":1},"toString":"x"}')
  assert.equal(Object.getPrototypeOf(result), Object.prototype)
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  const within = JSON.parse('{"a":{"__proto__":{"b":1}}}') as unknown
  assert.equal(JSON.stringify(row(within, ['a'])), '{"a":{"__proto__":{"b":1}}}')
  assert.deepEqual(row({}, ['toString', '__proto__', 'constructor.name']), {})
})

test('what is nested too deeply is left out, and costs no more than a look', () => {
  const depth = 200_000
  const deep = JSON.parse(`{"name":"Ada","a":${'['.repeat(depth)}${']'.repeat(depth)}}`) as unknown
  const result = JSON.stringify(row(deep, ['name', 'a']))
  assert.ok(result.startsWith('{"name":"Ada","a":[[') && result.length < 300, result)
  const listed = JSON.parse(`{"a":${'['.repeat(100)}"SECRET"${']'.repeat(100)}}`) as unknown
  assert.ok(!JSON.stringify(row(listed, [`a${'[]'.repeat(100)}`])).includes('SECRET'))
  let nested: unknown = 'SECRET'
  for (let level = 0; level < 100; level++) nested = { a: nested }
  assert.ok(!JSON.stringify(row(nested, ['a'])).includes('SECRET'))
})

const filters: [RowFilter, number[]][] = [
  [{ path: 'sport', op: '=', value: 'rowing' }, [1]],
  [{ path: 'sport', op: '!=', value: 'rowing' }, [2]],
  [{ path: 'sport', op: 'in', value: ['rowing', 'judo'] }, [1, 2]],
  [{ path: 'sport', op: '=', value: ['rowing'] as unknown as string }, []],
  [{ path: 'sport', op: 'in', value: 'rowing' }, []],
  [{ path: 'age', op: '<', value: 20 }, [1]],
  [{ path: 'age', op: '<=', value: 20 }, [1, 2]],
  [{ path: 'age', op: '>', value: 19 }, [2]],
  [{ path: 'age', op: '>=', value: '19' }, []],
  [{ path: 'age', op: '!=', value: '19' }, []],
  [{ path: 'adult', op: '=', value: true }, [1]],
  [{ path: 'adult', op: '>=', value: true }, []],
  [{ path: 'sport', op: '>', value: 'k' }, [1]],
  [{ path: 'medals[].kind', op: '=', value: 'gold' }, [2]],
  [{ path: 'sport', op: 'like' as '=', value: 'rowing' }, []],
]

for (const [filter, expected] of filters) {
  test(`of the rows, ${expected.join(' and ') || 'none'} pass ${JSON.stringify(filter)}`, () => {
    const list = [
      { id: 1, sport: 'rowing', age: 19, adult: true, medals: [{ kind: 'gold' }, { kind: 'silver' }] },
      { id: 2, sport: 'judo', age: 20, adult: false, medals: [{ kind: 'gold' }] },
      { id: 3, sport: null, age: [19], medals: [] },
      { id: 4 },
    ]
    const found = rows(list, { rows: '[]' }, part(['id'], { filters: [filter] })) as { id: number }[]
    assert.deepEqual(
      found.map(({ id }) => id),
      expected,
    )
  })
}

test('text is compared by code points', () => {
  const beyond = rows(
    [{ a: '\u{1f600}' }, { a: '\uffee' }],
    { rows: '[]' },
    part(['a'], { filters: [{ path: 'a', op: '>', value: '\uffef' }] }),
  )
  assert.deepEqual(beyond, [{ a: '\u{1f600}' }])
})

test('a row gives of each grant what its own conditions allow', () => {
  const list = [
    { sport: 'rowing', height: 1.8, weight: 80 },
    { sport: 'judo', height: 1.7, weight: 70 },
    { height: 1.6, weight: 60 },
  ]
  const rowing = part(['height'], { filters: [{ path: 'sport', op: '=', value: 'rowing' }] })
  const named = part(['weight'], { filters: [{ path: 'sport', op: 'in', value: ['rowing', 'judo'] }] })
  assert.deepEqual(rows(list, { rows: '[]' }, rowing, named), [{ height: 1.8, weight: 80 }, { weight: 70 }])
})

const [august, september] = [Date.UTC(2016, 7, 1), Date.UTC(2016, 8, 1)]
const dates: [unknown, boolean][] = [
  ['2016-08-06', true],
  ['2016-08-01', true],
  ['2016-08-31', true],
  ['2016-07-31', false],
  ['2016-09-01', false],
  ['2016-08', true],
  ['2016', false],
  [2016, false],
  ['2016-08-31T23:59:59.999Z', true],
  ['2016-08-31T23:59:59.999-01:00', false],
  ['2016-08-01T00:30:00+01:00', false],
  ['2016-08-06T12:00:00', false],
  ['2016-08-06t12:00:00z', true],
  ['2016-02-31', false],
  ['6 August 2016', false],
  [august + 1, false],
  [null, false],
  [{ date: '2016-08-06' }, false],
  ['', false],
]

for (const [date, isIn] of dates) {
  test(`${JSON.stringify(date)} ${isIn ? 'lies' : 'does not lie for certain'} in August 2016`, () => {
    const period = { fromMs: august, toMs: september }
    const found = rows([{ date, id: 1 }], { rows: '[]', date: 'date' }, part(['id'], { period }))
    assert.deepEqual(found, isIn ? [{ id: 1 }] : [])
  })
}

test('a day or month that the period cuts in two does not lie in it', () => {
  const period = { fromMs: Date.UTC(2016, 7, 6, 12), toMs: Date.UTC(2016, 8, 15, 12) }
  const list = ['2016-08-06', '2016-08-07', '2016-08', '2016-09-14', '2016-09-15', '2016-09'].map((date) => ({ date }))
  const found = rows(list, { rows: '[]', date: 'date' }, part(['date'], { period }))
  assert.deepEqual(found, [{ date: '2016-08-07' }, { date: '2016-09-14' }])
})

test('without a date no row lies in a period, not even in one without bounds', () => {
  assert.deepEqual(rows([{ id: 1, date: '2016-08-06' }], { rows: '[]' }, part(['id'], { period: {} })), [])
  assert.deepEqual(rows([{ id: 1 }], { rows: '[]', date: 'date' }, part(['id'], { period: {} })), [])
})

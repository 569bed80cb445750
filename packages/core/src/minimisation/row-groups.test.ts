import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseExactJson, writeExactJson } from '../bytes/exact-json.ts'
import type { FieldTransform, RowFilter } from '../consent/consent-scope.ts'
import type { Release, ReleasePart } from '../consent/release.ts'
import { minimise, rowMinimiser } from './minimise.ts'
import { TooManyGroups } from './row-groups.ts'

const means = { keyedHash: (text: string) => `h(${text})`, pseudonym: 'ps_x' }
const layout = { rows: '[]', date: 'day', open: [] }

function releaseOf(...parts: Partial<ReleasePart>[]): Release {
  const full = parts.map((part) => ({ grant: 'g', fields: [], transforms: [], filters: [], ...part }))
  return { parts: full, released: [], withheld: [] }
}

const aggregate = (path: string, fn: FieldTransform['fn'], arg = 2): FieldTransform => ({
  path,
  op: 'aggregate',
  fn,
  arg,
})

/** The released answer as text; rows as text of JSON. */
function grouped(rows: unknown, release: Release, where = layout): string {
  const text = typeof rows === 'string' ? rows : JSON.stringify(rows)
  return writeExactJson(minimise(parseExactJson(text), release, { layout: where, means }))
}

const rows = [
  { sport: 'rowing', weight: 70, age: 20 },
  { sport: 'rowing', weight: 75.5, age: 21 },
  { sport: 'judo', weight: 60, age: 22 },
  { sport: 'rowing', weight: 80, age: 23 },
]

for (const [fn, value] of [
  ['count', 3],
  ['sum', 225.5],
  ['avg', 225.5 / 3],
  ['min', 70],
  ['max', 80],
] as const) {
  test(`gives \`${fn}\` of the rows that have the same other fields`, () => {
    const release = releaseOf({ fields: ['sport', 'weight'], transforms: [aggregate('weight', fn)] })
    assert.equal(grouped(rows, release), JSON.stringify([{ sport: 'rowing', weight: value }]))
  })
}

test('a group of one row too few does not leave', () => {
  const release = (arg: number) =>
    releaseOf({ fields: ['sport', 'weight'], transforms: [aggregate('weight', 'count', arg)] })
  assert.equal(grouped(rows, release(3)), '[{"sport":"rowing","weight":3}]')
  assert.equal(grouped(rows, release(4)), '[]')
})

test('five rows are needed where nothing is said, and two whatever is said', () => {
  const usual: FieldTransform = { path: 'weight', op: 'aggregate', fn: 'count' }
  const many = Array.from({ length: 5 }, () => ({ weight: 1 }))
  assert.equal(grouped(many, releaseOf({ fields: ['weight'], transforms: [usual] })), '[{"weight":5}]')
  assert.equal(grouped(many.slice(1), releaseOf({ fields: ['weight'], transforms: [usual] })), '[]')
  const one = releaseOf({ fields: ['weight'], transforms: [aggregate('weight', 'sum', 1)] })
  assert.equal(grouped([{ weight: 7 }], one), '[]')
})

test('rows are counted after filters and period', () => {
  const filters: RowFilter[] = [{ path: 'age', op: '>', value: 20 }]
  const part = { fields: ['sport', 'weight'], transforms: [aggregate('weight', 'count')] }
  assert.equal(grouped(rows, releaseOf({ ...part, filters })), '[{"sport":"rowing","weight":2}]')
  const dated = rows.map((row, at) => ({ ...row, day: at === 0 ? '2020-01-01' : '2021-01-01' }))
  const period = { fromMs: Date.UTC(2020, 6) }
  assert.equal(grouped(dated, releaseOf({ ...part, period })), '[{"sport":"rowing","weight":2}]')
  assert.equal(grouped(rows, releaseOf({ ...part, period })), '[]')
})

test('a value that too few rows of a large group have does not leave', () => {
  const some = [{ a: 1, b: 1 }, { a: 1 }, { a: 1, b: null }, { a: 1, b: 'x' }]
  const transforms = [aggregate('a', 'count', 3), aggregate('b', 'sum', 3)]
  assert.equal(grouped(some, releaseOf({ fields: ['a', 'b'], transforms })), '[{"a":4}]')
})

test('the other fields are compared as they leave', () => {
  const born = [
    { born: '1999-01-01', x: 1 },
    { born: '1999-12-31', x: 2 },
    { born: '2000-01-01', x: 3 },
  ]
  const transforms = [{ path: 'born', op: 'year' } as const, aggregate('x', 'sum')]
  assert.equal(grouped(born, releaseOf({ fields: ['born', 'x'], transforms })), '[{"born":"1999","x":3}]')
})

test('values are changed before, the result after, in the order of the transforms', () => {
  const round = (arg: number): FieldTransform => ({ path: 'weight', op: 'round', arg })
  const release = (...transforms: FieldTransform[]) => releaseOf({ fields: ['weight'], transforms })
  assert.equal(grouped(rows, release(round(10), aggregate('weight', 'sum'))), '[{"weight":290}]')
  assert.equal(grouped(rows, release(aggregate('weight', 'sum'), round(10))), '[{"weight":290}]')
  assert.equal(grouped(rows, release(aggregate('weight', 'avg'), round(10))), '[{"weight":70}]')
})

test('of two aggregates of one field the larger group counts; two that do not go together give nothing', () => {
  const release = (...transforms: FieldTransform[]) => releaseOf({ fields: ['weight'], transforms })
  const same = [aggregate('weight', 'avg', 2), aggregate('weight', 'avg', 5)]
  assert.equal(grouped(rows, release(...same)), '[]')
  assert.equal(grouped([...rows, ...rows], release(...same)), '[{"weight":71.375}]')
  assert.equal(grouped(rows, release(aggregate('weight', 'avg'), aggregate('weight', 'sum'))), '[{}]')
})

test('rows leave in groups even when the aggregated field is not asked for', () => {
  const release = releaseOf({ fields: ['sport'], transforms: [aggregate('weight', 'avg', 3)] })
  assert.equal(grouped(rows, release), '[{"sport":"rowing"}]')
})

test('rows of other parts leave as they are, before the groups', () => {
  const release = releaseOf(
    { fields: ['age'] },
    { fields: ['sport', 'weight'], transforms: [aggregate('weight', 'max', 3)] },
  )
  assert.equal(grouped(rows, release), '[{"age":20},{"age":21},{"age":22},{"age":23},{"sport":"rowing","weight":80}]')
})

test('values inside objects and lists stand where they stood', () => {
  const nested = [
    { a: { b: 1, c: 'x' }, laps: [{ time: 1 }, { time: 2 }] },
    { a: { b: 2, c: 'x' }, laps: [{ time: 3 }] },
  ]
  const transforms = [aggregate('a.b', 'sum'), aggregate('laps[].time', 'avg')]
  assert.equal(
    grouped(nested, releaseOf({ fields: ['a', 'laps[].time'], transforms })),
    '[{"a":{"c":"x","b":3},"laps":[{"time":2}]}]',
  )
  assert.equal(
    grouped([{ l: [[1]] }, { l: [[2]] }], releaseOf({ fields: ['l'], transforms: [aggregate('l[][]', 'sum')] })),
    '[{"l":[[3]]}]',
  )
  assert.equal(
    grouped([{ l: [[1]] }, { l: [[2]] }], releaseOf({ fields: ['l[][]'], transforms: [aggregate('l[][]', 'sum')] })),
    '[{"l":[[3]]}]',
  )
})

test('nothing of a field leaves when what holds it is to be aggregated', () => {
  const release = releaseOf({ fields: ['a.b', 'c'], transforms: [aggregate('a', 'count')] })
  const some = [
    { a: { b: 1 }, c: 1 },
    { a: { b: 2 }, c: 1 },
  ]
  assert.equal(grouped(some, release), '[{"c":1}]')
})

test('an answer that is one row, or has its row outside a list, is no group', () => {
  const release = releaseOf({ fields: ['a'], transforms: [aggregate('a', 'count')] })
  assert.equal(grouped({ a: 1 }, release, { ...layout, rows: '' }), '{}')
  assert.equal(grouped({ row: { a: 1 } }, release, { ...layout, rows: 'row' }), '{}')
})

test('groups are those of one list', () => {
  const release = releaseOf({ fields: ['a'], transforms: [aggregate('a', 'count')] })
  const lists = [{ rows: [{ a: 1 }, { a: 2 }] }, { rows: [{ a: 1 }] }]
  assert.equal(grouped(lists, release, { ...layout, rows: '[].rows[]' }), '[{"rows":[{"a":2}]},{"rows":[]}]')
})

test('sums keep every digit, and groups do not mind how a number is written', () => {
  const release = releaseOf({ fields: ['k', 'x'], transforms: [aggregate('x', 'sum')] })
  assert.equal(
    grouped('[{"k":1.0,"x":0.1},{"k":1,"x":0.2},{"k":1e0,"x":123456789012345678901234567890}]', release),
    '[{"k":1,"x":123456789012345678901234567890.3}]',
  )
  assert.equal(
    grouped('[{"x":1e400},{"x":-1e400}]', releaseOf({ fields: ['x'], transforms: [aggregate('x', 'sum')] })),
    '[{"x":0}]',
  )
})

test('a number with more than 400 places is none to calculate with; every double has fewer', () => {
  const sum = (...values: readonly string[]) =>
    grouped(
      `[${values.map((x) => `{"x":${x}}`).join()}]`,
      releaseOf({ fields: ['x'], transforms: [aggregate('x', 'sum')] }),
    )
  assert.equal(sum('1', '2', '1e401'), '[{"x":3}]')
  assert.equal(sum('1', '2', '1e-401', `1${'0'.repeat(400)}`), '[{"x":3}]')
  assert.equal(sum('5e-324', '-5e-324', '1e400'), `[{"x":1${'0'.repeat(400)}}]`)
  for (const double of [Number.MAX_VALUE, Number.MIN_VALUE, 2 ** -1022, 2 ** -1074 * 0xfffffffffffff]) {
    assert.equal(sum(String(double), '0'), JSON.stringify([{ x: double }]))
  }
})

test('too many groups are a fault, not a fast way to fill the memory', () => {
  const release = releaseOf({ fields: ['k', 'x'], transforms: [aggregate('x', 'sum')] })
  const many = Array.from({ length: 10_001 }, (_, k) => ({ k, x: 1 }))
  assert.throws(() => grouped(many, release), TooManyGroups)
  assert.equal(grouped(many.slice(1), release), '[]')
})

test('rows that leave in groups only do so without an aggregate among their fields', () => {
  const release = releaseOf({ fields: ['sport'], groupsOf: 3 })
  assert.equal(grouped(rows, release), '[{"sport":"rowing"}]')
  assert.equal(grouped(rows[0], release, { ...layout, rows: '' }), '{}')
})

test('a call gets fewer columns of the same groups, never other groups', () => {
  const all = ['sport', 'age', 'weight']
  const some = [...rows.slice(0, 2), { sport: 'rowing', weight: 75, age: 20 }, { sport: 'judo', weight: 1, age: 20 }]
  const release = (...fields: string[]) =>
    releaseOf({ fields, givable: all, transforms: [aggregate('weight', 'count')] })
  assert.equal(grouped(some, release(...all)), '[{"sport":"rowing","age":20,"weight":2}]')
  assert.equal(grouped(some, release('sport', 'weight')), '[{"sport":"rowing","weight":2}]')
  assert.equal(grouped(some, release('weight')), '[{"weight":2}]')
  assert.equal(grouped(some, release('sport')), '[{"sport":"rowing"}]')
})

test('what is not given whatever is asked for does not leave with a group', () => {
  const some = [
    { a: { b: 1, c: 1 }, x: 1 },
    { a: { b: 2, c: 1 }, x: 1 },
  ]
  const transforms = [aggregate('x', 'sum'), aggregate('a.c', 'sum')]
  assert.equal(grouped(some, releaseOf({ fields: ['a.b', 'a.c', 'x'], givable: ['x'], transforms })), '[{"x":2}]')
})

const name = fc.constantFrom('a', 'b', 'c')
const cell = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  fc.constantFrom('x', '2016-08-06', null),
  fc.double({ noNaN: true }),
)
const someRows = fc.array(fc.dictionary(name, cell), { maxLength: 25 })
const someRelease = fc
  .record({
    fields: fc.uniqueArray(name, { minLength: 1 }),
    aggregates: fc.array(
      fc.record({
        path: name,
        op: fc.constant('aggregate' as const),
        fn: fc.constantFrom('count', 'sum', 'avg', 'min', 'max'),
        arg: fc.integer({ min: 2, max: 4 }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    others: fc.array(fc.record({ path: name, op: fc.constantFrom('year', 'hash', 'round') }), { maxLength: 1 }),
    filters: fc.array(
      fc.record({ path: name, op: fc.constantFrom('<', '!='), value: fc.integer({ min: 0, max: 2 }) }),
      { maxLength: 1 },
    ),
  })
  .map(({ fields, aggregates, others, filters }) => ({
    release: releaseOf({ fields, transforms: [...others, ...aggregates], filters }),
    least: Math.max(...aggregates.map(({ arg }) => arg)),
    keys: fields.filter((field) => !aggregates.some(({ path }) => path === field)),
    plain: releaseOf({
      fields,
      transforms: [...others, ...aggregates.map(({ path }) => ({ path, op: 'drop' as const }))],
      filters,
    }),
  }))
const runs = { numRuns: 200 }

test('no group smaller than the minimum is ever released', () => {
  const property = fc.property(someRows, someRelease, (all, { release, least, keys, plain }) => {
    // Row by row, the other fields as they would leave: the rows of a group look the same.
    const single = minimise(all, plain, { layout, means }) as Record<string, unknown>[]
    const looks = (row: Record<string, unknown>) =>
      JSON.stringify(keys.toSorted().map((key) => (key in row ? row[key] : 'none')))
    const released = minimise(all, release, { layout, means }) as Record<string, unknown>[]
    for (const row of released) {
      const size = single.filter((each) => looks(each) === looks(row)).length
      assert.ok(size >= least, `${JSON.stringify(row)} stands for ${size} rows`)
    }
    assert.equal(new Set(released.map(looks)).size, released.length, 'two groups look the same')
  })
  fc.assert(property, runs)
})

test('the result does not depend on the order of the rows', () => {
  const property = fc.property(
    someRows.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
    someRelease,
    ([all, shuffled], { release }) => assert.equal(grouped(shuffled, release), grouped(all, release)),
  )
  fc.assert(property, runs)
})

test('rows one by one give what the whole answer gives', () => {
  const property = fc.property(someRows, someRelease, (all, { release }) => {
    const each = rowMinimiser(release, { layout, means })
    const singles = all.map((row) => each.release(row)).filter((row) => row !== undefined)
    assert.equal(JSON.stringify([...singles, ...each.flush()]), grouped(all, release))
    assert.deepEqual(each.flush(), [])
  })
  fc.assert(property, runs)
})

test('whatever two calls ask for, they get columns of the same groups: nothing can be subtracted', () => {
  const asked = fc.subarray(['a', 'b', 'c'])
  const property = fc.property(someRows, someRelease, asked, (all, { release }, names) => {
    const [part] = release.parts as [ReleasePart]
    const { fields: givable } = part
    const fields = names.filter((field) => givable.includes(field))
    const whole = minimise(all, releaseOf({ ...part, givable }), { layout, means }) as Record<string, unknown>[]
    const fewer = minimise(all, releaseOf({ ...part, fields, givable }), { layout, means })
    const columns = whole.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => fields.includes(key))))
    // Of a part that gives nothing that is asked for no row leaves.
    const expected = fields.length === 0 ? [] : columns
    assert.deepEqual(JSON.parse(JSON.stringify(fewer)), JSON.parse(JSON.stringify(expected)))
  })
  fc.assert(property, runs)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coversField } from '../consent/field-path.ts'
import type { FieldTransform, RowFilter } from '../consent/consent-scope.ts'
import type { Release, ReleasePart } from '../consent/release.ts'
import { minimise } from './minimise.ts'

const means = { keyedHash: (text: string) => `h(${text})`, pseudonym: 'ps_x' }
const layout = { rows: 'items[]', date: 'd', open: ['total'] }
const runs = { numRuns: 200 }

const names = ['a', 'b', 'c', 'd', '__proto__', 'toString'] as const
const scalar = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.constantFrom('x', 'yy', '2016-08-06', ''),
  fc.boolean(),
  fc.constant(null),
)
/** Values with members of few names, so that paths meet them. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 4, selector: ([name]) => name })
      .map((members) => {
        const text = members.map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`)
        return JSON.parse(`{${text.join()}}`) as unknown
      }),
  ),
}))
const answer = fc.oneof(
  { weight: 5, arbitrary: fc.record({ total: fc.integer(), more: value, items: fc.array(value, { maxLength: 5 }) }) },
  value,
)
const path = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.constantFrom('', '', '[]', '[][]')), { minLength: 1, maxLength: 3 })
  .map((segments) => segments.map(([name, lists]) => name + lists).join('.'))
/** Paths of which none covers another, as a product's labels are. */
const fields = fc.array(path, { maxLength: 5 }).map((paths) => {
  const chosen: string[] = []
  for (const next of paths) {
    if (!chosen.some((one) => coversField(one, next) || coversField(next, one))) chosen.push(next)
  }
  return chosen
})
const transform: fc.Arbitrary<FieldTransform> = fc.record({
  path,
  op: fc.constantFrom('mask', 'hash', 'round', 'year', 'pseudonym', 'drop'),
})
const filter: fc.Arbitrary<RowFilter> = fc.record({
  path: fc.constantFrom('a', 'b', 'a.b'),
  op: fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
  value: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constantFrom('x', 'yy'), fc.boolean()),
})

function releaseOf(parts: Omit<ReleasePart, 'grant'>[]): Release {
  return { parts: parts.map((each) => ({ grant: 'g', ...each })), released: [], withheld: [] }
}

/** Each leaf (a scalar, or an empty object or list) with its path, lists as `[]`. */
function leaves(root: unknown, at = ''): [string, unknown][] {
  if (typeof root !== 'object' || root === null) return [[at, root]]
  const inner = Array.isArray(root)
    ? root.map((element): [string, unknown] => [`${at}[]`, element])
    : Object.entries(root).map(([name, member]): [string, unknown] => [at === '' ? name : `${at}.${name}`, member])
  return inner.length === 0 ? [[at, root]] : inner.flatMap(([where, member]) => leaves(member, where))
}

const shapes = [{}, []]
const isEmpty = (leaf: unknown) => shapes.some((shape) => JSON.stringify(shape) === JSON.stringify(leaf))

test('the result holds only leaves that were released, each with a value that the answer has there', () => {
  const property = fc.property(answer, fields, (input, released) => {
    const before = JSON.stringify(input)
    const result = minimise(input, releaseOf([{ fields: released, transforms: [], filters: [] }]), { layout, means })
    assert.equal(JSON.stringify(input), before, 'the answer was changed')
    const given = new Set(leaves(input).map((leaf) => JSON.stringify(leaf)))
    for (const leaf of leaves(result)) {
      if (leaf[0] === 'total') continue
      const inRow = leaf[0].replace(/^items\[\]\.?/, '')
      const isReleased = released.some((field) => coversField(field, inRow))
      if (isEmpty(leaf[1]) && !isReleased) continue
      assert.ok(isReleased, `${leaf[0]} was not released`)
      assert.ok(given.has(JSON.stringify(leaf)), `${JSON.stringify(leaf)} is not of the answer`)
    }
  })
  fc.assert(property, runs)
})

test('what is released and stands in a row as the path says is in the result', () => {
  const property = fc.property(fc.array(value, { maxLength: 5 }), fields, (items, released) => {
    const parts = [{ fields: released, transforms: [], filters: [] }]
    const result = minimise({ items }, releaseOf(parts), { layout, means })
    const kept = leaves(result).map((leaf) => JSON.stringify(leaf))
    for (const leaf of leaves({ items })) {
      const inRow = leaf[0].replace(/^items\[\]\.?/, '')
      const isPlain = !leaf[0].startsWith('items[][]') && leaf[0].startsWith('items[].')
      if (isPlain && released.some((field) => coversField(field, inRow))) assert.ok(kept.includes(JSON.stringify(leaf)))
    }
  })
  fc.assert(property, runs)
})

test('minimising twice is minimising once', () => {
  const stable = transform.filter(({ op }) => op !== 'hash')
  const property = fc.property(answer, fields, fc.array(stable, { maxLength: 3 }), (input, released, transforms) => {
    const release = releaseOf([{ fields: released, transforms, filters: [] }])
    const once = minimise(input, release, { layout, means })
    assert.deepEqual(minimise(once, release, { layout, means }), once)
  })
  fc.assert(property, runs)
})

test('a transform never gives more: its leaves are leaves of the release without it, or new values in their place', () => {
  const property = fc.property(answer, fields, fc.array(transform, { maxLength: 3 }), (input, released, transforms) => {
    const plain = minimise(input, releaseOf([{ fields: released, transforms: [], filters: [] }]), { layout, means })
    const changed = minimise(input, releaseOf([{ fields: released, transforms, filters: [] }]), { layout, means })
    const before = leaves(plain)
    const places = new Set(before.map(([at]) => at))
    const texts = new Set(before.map((leaf) => JSON.stringify(leaf)))
    for (const leaf of leaves(changed)) {
      if (isEmpty(leaf[1])) continue
      const inRow = leaf[0].replace(/^items\[\]\.?/, '')
      const isTransformed = transforms.some((each) => coversField(each.path, inRow))
      assert.ok(isTransformed ? places.has(leaf[0]) : texts.has(JSON.stringify(leaf)), JSON.stringify(leaf))
    }
  })
  fc.assert(property, runs)
})

/** The same rule in other words: straight on the two paths that the filters use. */
function naive(row: unknown, { path: where, op, value: wanted }: RowFilter): boolean {
  let found = row
  for (const name of where.split('.')) {
    if (found === null || typeof found !== 'object' || Array.isArray(found)) return false
    found = (found as Record<string, unknown>)[name]
  }
  if (typeof found !== typeof wanted || found === null) return false
  if (op === '=') return found === wanted
  if (op === '!=') return found !== wanted
  if (typeof found === 'boolean') return false
  const [left, right] = [found as number, wanted as number]
  return { '<': left < right, '<=': left <= right, '>': left > right, '>=': left >= right, in: false }[op]
}

test('of the rows those stay that a naive reading of the filters keeps', () => {
  const property = fc.property(
    fc.array(value, { maxLength: 6 }),
    fc.array(filter, { maxLength: 2 }),
    (items, filters) => {
      const result = minimise({ items }, releaseOf([{ fields: ['a', 'b'], transforms: [], filters }]), {
        layout,
        means,
      })
      const kept = items
        .filter((row) => typeof row === 'object' && row !== null && !Array.isArray(row))
        .filter((row) => filters.every((each) => naive(row, each)))
        .map((row) =>
          Object.fromEntries(Object.entries(row as object).filter(([name]) => name === 'a' || name === 'b')),
        )
      assert.deepEqual(JSON.parse(JSON.stringify(result)), JSON.parse(JSON.stringify({ items: kept })))
    },
  )
  fc.assert(property, runs)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Release, ReleasePart } from '../consent/release.ts'
import type { FieldMask } from '../policy/field-mask.ts'
import type { FieldTransform } from '../consent/consent-scope.ts'
import { coveredByAny } from '../consent/field-path.ts'
import { maskRelease, narrowRelease } from './mask-release.ts'

const labels = ['name', 'born', 'address', 'address.street', 'weight', 'notes'].map((path) => ({ path }))
const part = (fields: readonly string[], rest: Partial<ReleasePart> = {}): ReleasePart => ({
  grant: 'g1',
  fields,
  transforms: [],
  filters: [],
  ...rest,
})
const releaseOf = (parts: readonly ReleasePart[], withheld: readonly string[] = []): Release => ({
  parts,
  released: parts.flatMap(({ fields }) => fields),
  withheld,
})
const maskOf = (...paths: readonly string[]): FieldMask => ({
  fields: paths.map((path) => ({ path, transforms: [] })),
})

test('a field that the mask does not name does not leave, and is told as withheld in the order of labels', () => {
  const masked = maskRelease(releaseOf([part(['name', 'born'])], ['address', 'notes']), maskOf('name'), labels)
  assert.deepEqual(masked.parts, [part(['name'])])
  assert.deepEqual(masked.released, ['name'])
  assert.deepEqual(masked.withheld, ['born', 'address', 'notes'])
})

test('a part of which nothing is left is gone', () => {
  const release = releaseOf([part(['name']), part(['weight'], { grant: 'g2' })])
  assert.deepEqual(
    maskRelease(release, maskOf('weight'), labels).parts.map(({ grant }) => grant),
    ['g2'],
  )
})

test('transforms of the mask come after those of the consent, none of them twice', () => {
  const year = { path: 'born', op: 'year' } as const
  const hash = { path: 'born', op: 'hash' } as const
  const release = releaseOf([part(['born'], { transforms: [year] })])
  const mask = { fields: [{ path: 'born', transforms: [{ op: 'year', path: 'born' } as const, hash] }] }
  assert.deepEqual(maskRelease(release, mask, labels).parts[0]?.transforms, [year, hash])
})

test('a part of which one field leaves in groups only leaves in groups, of the largest size', () => {
  const fields = [
    { path: 'name', transforms: [], groupsOf: 3 },
    { path: 'born', transforms: [], groupsOf: 7 },
    { path: 'weight', transforms: [] },
  ]
  const release = releaseOf([part(['name', 'born']), part(['weight'], { grant: 'g2' })])
  assert.deepEqual(
    maskRelease(release, { fields }, labels).parts.map(({ groupsOf }) => groupsOf),
    [7, undefined],
  )
})

test('groups are by what consent and mask leave of all fields, also of those that are not asked for', () => {
  const year = { path: 'born', op: 'year' } as const
  const total = { path: 'weight', op: 'aggregate', fn: 'avg', arg: 3 } as const
  const masked = (path: string, transforms: readonly FieldTransform[] = []) => ({ path, transforms, groupsOf: 7 })
  const givable = ['name', 'born', 'weight']
  const given = { born: masked('born', [year]), weight: masked('weight', [total]) }
  const ask = (fields: readonly string[]) =>
    maskRelease(
      releaseOf([part(fields, { givable })]),
      {
        fields: Object.values(given).filter(({ path }) => fields.includes(path)),
        givable: Object.values(given),
      },
      labels,
    ).parts[0]
  const same = { grant: 'g1', filters: [], groupsOf: 7, givable: ['born', 'weight'], transforms: [year, total] }
  for (const fields of [['born'], ['weight'], ['born', 'weight']]) assert.deepEqual(ask(fields), { ...same, fields })
})

test('a field that leaves row by row does so whatever else could leave in groups', () => {
  const mask = {
    fields: [{ path: 'name', transforms: [] }],
    givable: [
      { path: 'name', transforms: [] },
      { path: 'weight', transforms: [], groupsOf: 5 },
    ],
  }
  const release = releaseOf([part(['name'], { givable: ['name', 'weight'] })])
  assert.equal(maskRelease(release, mask, labels).parts[0]?.groupsOf, undefined)
})

test('the part of a field that a mask leaves forms the groups, asked for or not', () => {
  const city = { path: 'address.city', transforms: [], groupsOf: 5 }
  const weight = { path: 'weight', transforms: [], groupsOf: 5 }
  const ask = (field: typeof city) => {
    const release = releaseOf([part([field.path], { givable: ['address', 'weight'] })])
    return maskRelease(release, { fields: [field], givable: [city, weight] }, labels).parts[0]?.givable
  }
  assert.deepEqual(ask(city), ['address.city', 'weight'])
  assert.deepEqual(ask(weight), ['address.city', 'weight'])
})

test('a part that is asked for and no column of the groups counts as withheld', () => {
  const hash = { path: 'address', op: 'hash' } as const
  const mask = {
    fields: [{ path: 'address.city', transforms: [], groupsOf: 5 }],
    givable: [{ path: 'address', transforms: [hash], groupsOf: 5 }],
  }
  const { released, withheld } = maskRelease(
    releaseOf([part(['address.city'], { givable: ['address'] })]),
    mask,
    labels,
  )
  assert.deepEqual([released, withheld], [[], ['address.city']])
})

test('what narrows a call leaves the groups of a later mask as they would be without it', () => {
  const whole = releaseOf([part(['name', 'weight'])])
  const narrowed = narrowRelease(whole, maskOf('weight'), labels)
  assert.deepEqual(narrowed, {
    parts: [part(['weight'], { givable: ['name', 'weight'] })],
    released: ['weight'],
    withheld: ['name'],
  })
  assert.deepEqual(narrowRelease(narrowed, maskOf('weight'), labels).parts, narrowed.parts)
})

test('a part above a field that is withheld is withheld too', () => {
  const release = releaseOf([part(['address', 'address.street'])])
  assert.deepEqual(maskRelease(release, maskOf('address.street.name'), labels).released, ['address.street.name'])
  const deep = releaseOf([part(['a', 'a.b.c'])])
  assert.deepEqual(maskRelease(deep, maskOf('a.b', 'a.d'), labels).released, ['a.d'])
})

test('a mask that names a part of a field leaves that part, and the field counts as withheld', () => {
  const masked = maskRelease(releaseOf([part(['address'])]), maskOf('address.city'), labels)
  assert.deepEqual(masked, { parts: [part(['address.city'])], released: ['address.city'], withheld: ['address'] })
})

test('a field above one that is withheld is withheld too, since its value holds that one', () => {
  const release = releaseOf([part(['address', 'address.street'])])
  const masked = maskRelease(release, maskOf('address'), labels)
  assert.deepEqual(masked.released, [])
  assert.deepEqual(masked.withheld, ['address', 'address.street'])
  assert.deepEqual(maskRelease(release, maskOf('address', 'address.street'), labels).released, [
    'address',
    'address.street',
  ])
})

test('no mask releases what the release did not, and what is not left whole is told', () => {
  const paths = ['name', 'born', 'address', 'address.street', 'address.city', 'weight', 'notes.a[].b', 'other']
  const some = fc.uniqueArray(fc.constantFrom(...paths))
  const given = fc.tuple(fc.subarray(labels.map(({ path }) => path)), some)
  fc.assert(
    fc.property(given, ([released, masked]) => {
      const release = releaseOf([part(released)])
      const result = maskRelease(release, maskOf(...masked), labels)
      for (const field of result.released) {
        assert.ok(coveredByAny(released, field), field)
        assert.ok(coveredByAny(masked, field), field)
      }
      assert.deepEqual(
        result.parts.flatMap(({ fields }) => fields),
        result.released,
      )
      for (const field of released) {
        assert.notEqual(result.released.includes(field), result.withheld.includes(field), field)
      }
    }),
    { numRuns: 200 },
  )
})

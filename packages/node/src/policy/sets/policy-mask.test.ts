import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coversField } from '@comity/core/consent/field-path'
import { meets } from '@comity/core/consent/released-fields'
import type { MaskedField } from '@comity/core/policy/field-mask'
import { maskOf, readMask, type PermitMask } from './policy-mask.ts'
import type { PolicyLabel } from '../policy-service.ts'

const labels: readonly PolicyLabel[] = [
  { path: 'name', domain: 'identity', sensitivity: 'internal' },
  { path: 'address.city', domain: 'identity.address', sensitivity: 'internal' },
  { path: 'weight', domain: 'health.body', sensitivity: 'confidential' },
  { path: 'dose', domain: 'health.medication', sensitivity: 'restricted' },
  { path: 'club', sensitivity: 'public' },
]

function permit(annotations: Record<string, string>): PermitMask {
  const { mask, faults } = readMask(annotations, 'permit')
  assert.deepEqual(faults, [])
  return mask
}

function fieldsOf(...permits: readonly Record<string, string>[]): string[] | undefined {
  return maskOf(permits.map(permit), labels)?.fields.map(
    ({ path, transforms }) => `${path}${transforms.map(({ op, arg }) => ` ${op}${arg ?? ''}`).join('')}`,
  )
}

test('a permit without annotations of fields gives everything, whatever others say', () => {
  assert.equal(fieldsOf({ id: 'a', description: 'all' }, { fields: 'name' }), undefined)
})

test('a field path gives all below it', () => {
  assert.deepEqual(fieldsOf({ fields: 'address, weight' }), ['address.city', 'weight'])
})

const person: readonly PolicyLabel[] = [
  { path: 'address', domain: 'identity.address', sensitivity: 'internal' },
  { path: 'results', domain: 'sport', sensitivity: 'public' },
]

function partsOf(...permits: readonly Record<string, string>[]): string[] | undefined {
  return maskOf(permits.map(permit), person)?.fields.map(({ path, transforms }) =>
    [path, ...transforms.map(({ path: at, op }) => (at === path ? op : `${at}:${op}`))].join(' '),
  )
}

test('a path below a labelled field gives that part of it alone', () => {
  assert.deepEqual(partsOf({ fields: 'address.city, results[].event' }), ['address.city', 'results[].event'])
  assert.deepEqual(partsOf({ fields: 'address.city', domains: 'sport' }), [])
  assert.deepEqual(partsOf({ fields: 'address.city', transforms: 'address.city: hash; address.street: mask' }), [
    'address.city hash',
  ])
  assert.deepEqual(partsOf({ fields: 'address.city', transforms: 'address.city: drop' }), [])
})

test('parts that permits give add; where one gives the whole, a part that another gives as it is leaves as it is', () => {
  assert.deepEqual(partsOf({ fields: 'address.city' }, { fields: 'address.zip, address.city.name' }), [
    'address.city',
    'address.zip',
  ])
  assert.deepEqual(partsOf({ fields: 'address.city' }, { fields: 'address' }), ['address'])
  const changed = { fields: 'address', transforms: 'address.city: hash; address.street: mask' }
  assert.deepEqual(partsOf({ fields: 'address.city' }, changed), ['address address.street:mask'])
  assert.deepEqual(partsOf({ fields: 'address.city' }, { fields: 'address', transforms: 'address: hash' }), [
    'address.city',
  ])
})

test('a domain gives all below it, and nothing that has no domain', () => {
  assert.deepEqual(fieldsOf({ domains: 'identity' }), ['name', 'address.city'])
  assert.deepEqual(fieldsOf({ domains: 'ident' }), [])
})

test('a level gives what is at or below it', () => {
  assert.deepEqual(fieldsOf({ sensitivity: 'internal' }), ['name', 'address.city', 'club'])
})

test('annotations of one permit narrow each other', () => {
  assert.deepEqual(fieldsOf({ domains: 'health', sensitivity: 'confidential', fields: 'name, weight, dose' }), [
    'weight',
  ])
})

test('permits that decide together add', () => {
  assert.deepEqual(fieldsOf({ fields: 'name' }, { domains: 'health.body' }), ['name', 'weight'])
})

test('what a permit with an aggregate gives leaves in groups, whatever is asked for, unless another gives it as it is', () => {
  const total = { fields: 'name, club, weight', transforms: 'weight: aggregate avg 7' }
  const groups = (...permits: readonly Record<string, string>[]) =>
    maskOf(
      permits.map(permit),
      labels.filter(({ path }) => path !== 'weight'),
    )?.fields.map(({ path, groupsOf }) => [path, groupsOf])
  assert.deepEqual(groups(total), [
    ['name', 7],
    ['club', 7],
  ])
  assert.deepEqual(groups(total, { fields: 'name', transforms: 'dose: aggregate count' })?.[0], ['name', 7])
  assert.deepEqual(groups(total, { fields: 'club' }), [
    ['name', 7],
    ['club', undefined],
  ])
})

test('transforms alone give every field, those that are named changed', () => {
  assert.deepEqual(fieldsOf({ transforms: 'weight: round 5; dose: drop; address.city: mask 2' }), [
    'name',
    'address.city mask2',
    'weight round5',
    'club',
  ])
})

test('a transform of what holds a field withholds the field: nothing of an object or a list is left by it', () => {
  const part = [{ path: 'address.city', domain: 'identity.address', sensitivity: 'internal' as const }]
  for (const op of ['mask', 'hash', 'round', 'year', 'pseudonym', 'drop', 'aggregate count']) {
    const permits = [permit({ transforms: `address: ${op}` })]
    assert.deepEqual(maskOf(permits, part), { fields: [] }, op)
    const written = maskOf(permits, [], { written: part })?.written
    assert.equal(written?.length, op === 'drop' ? 0 : 1, `${op} of what is written`)
  }
  assert.deepEqual(partsOf({ fields: 'address.city', transforms: 'address: mask' }), [])
})

const withStreet: readonly PolicyLabel[] = [
  ...person,
  { path: 'address.street', domain: 'identity.address', sensitivity: 'confidential' },
]

test('a second permit takes nothing away of what holds a labelled field that it does not leave', () => {
  const city = { fields: 'address.city' }
  for (const second of [{ transforms: 'address.street: drop' }, { sensitivity: 'internal' }, { fields: 'address' }]) {
    for (const permits of [[city], [city, second], [second, city]]) {
      const left = maskOf(permits.map(permit), withStreet)?.fields.map(({ path }) => path)
      assert.ok(left?.includes('address.city') || left?.includes('address'), JSON.stringify(permits))
    }
  }
})

const paths = ['address', 'address.city', 'address.street', 'address.geo', 'address.geo.lat', 'results'] as const
const transformTexts = fc
  .array(fc.tuple(fc.constantFrom(...paths), fc.constantFrom('hash', 'drop', 'round', 'aggregate count 3')), {
    minLength: 1,
    maxLength: 2,
  })
  .map((each) => each.map(([path, op]) => `${path}: ${op}`).join('; '))
const somePermit = fc
  .record(
    {
      fields: fc.uniqueArray(fc.constantFrom(...paths), { minLength: 1, maxLength: 3 }).map((each) => each.join()),
      sensitivity: fc.constantFrom('public', 'internal', 'confidential'),
      transforms: transformTexts,
    },
    { requiredKeys: [] },
  )
  .map(permit)

test('whatever a further permit says, what others give as it is leaves as it is', () => {
  const labelled = fc.constantFrom(person, withStreet)
  const property = fc.property(labelled, fc.array(somePermit, { minLength: 1, maxLength: 3 }), (some, permits) => {
    const together = maskOf(permits, some)
    if (together === undefined) return
    for (const alone of permits) {
      for (const given of maskOf([alone], some)?.fields ?? []) {
        if (given.transforms.length > 0 || given.groupsOf !== undefined) continue
        const left: MaskedField | undefined = together.fields.find(({ path }) => coversField(path, given.path))
        assert.ok(left !== undefined, given.path)
        // What is changed inside a field that leaves is changed there: parts cannot leave by themselves beside it.
        const isInside = (path: string) => path !== left.path && coversField(path, given.path)
        const isChanged = ({ path }: { path: string }) => meets(path, given.path) && !isInside(path)
        const changing: readonly unknown[] = left.transforms.filter(isChanged)
        assert.deepEqual(changing, [], given.path)
      }
    }
  })
  fc.assert(property, { numRuns: 200 })
})

test('a part of a field that holds another labelled field is left only together with that one', () => {
  const left = (annotations: Record<string, string>) =>
    maskOf(
      [permit(annotations)],
      [...person, { path: 'address.geo.lat', domain: 'identity.address', sensitivity: 'restricted' }],
    )?.fields.map(({ path }) => path)
  assert.deepEqual(left({ fields: 'address.geo' }), ['address.geo', 'address.geo.lat'])
  assert.deepEqual(left({ fields: 'address.geo, address.city', sensitivity: 'internal' }), ['address.city'])
})

test('a field that one permit gives as it is leaves as it is', () => {
  assert.deepEqual(fieldsOf({ fields: 'weight', transforms: 'weight: round 5' }, { fields: 'weight' }), ['weight'])
})

test('transforms of all permits that give a field apply in the order of the policies, each once', () => {
  assert.deepEqual(
    fieldsOf(
      { fields: 'weight', transforms: 'weight: round 5' },
      { fields: 'weight', transforms: 'weight: round 5; weight: mask' },
      { fields: 'name', transforms: 'weight: hash' },
    ),
    ['name', 'weight round5 mask'],
  )
})

test('what one permit drops another may give', () => {
  assert.deepEqual(
    fieldsOf({ fields: 'weight', transforms: 'weight: drop' }, { fields: 'weight', transforms: 'weight: round' }),
    ['weight round'],
  )
  assert.deepEqual(fieldsOf({ fields: 'weight', transforms: 'weight: drop' }), [])
})

test('a product without labels has no field that a mask could give', () => {
  assert.deepEqual(maskOf([permit({ fields: 'name' })], []), { fields: [] })
})

test('an aggregate names its function and perhaps the smallest group', () => {
  assert.deepEqual(permit({ transforms: 'weight: aggregate avg 5; name: aggregate count' }).transforms, [
    { path: 'weight', op: 'aggregate', fn: 'avg', arg: 5 },
    { path: 'name', op: 'aggregate', fn: 'count' },
  ])
})

for (const [name, text] of [
  ['transforms', 'weight'],
  ['transforms', 'weight: shrink'],
  ['transforms', 'weight: round 0'],
  ['transforms', 'weight: round 1e3'],
  ['transforms', 'weight: mask 1.5'],
  ['transforms', 'weight: year 3'],
  ['transforms', 'weight: aggregate'],
  ['transforms', 'weight: aggregate median'],
  ['transforms', 'weight: aggregate avg 1'],
  ['transforms', 'weight: constructor'],
  ['transforms', 'a..b: year'],
  ['transforms', 'weight: year;'],
  ['fields', ''],
  ['fields', 'name,'],
  ['domains', 'health.*'],
  ['sensitivity', 'secret'],
  ['field', 'name'],
] as const) {
  test(`@${name}("${text}") is a fault`, () => {
    assert.equal(readMask({ [name]: text }, 'permit').faults.length, 1)
  })
}

test('a mask on a forbid and advice on a permit are faults', () => {
  assert.equal(readMask({ fields: 'name' }, 'forbid').faults.length, 1)
  assert.equal(readMask({ advice: 'ask us' }, 'permit').faults.length, 1)
  assert.deepEqual(readMask({ advice: 'ask us', x_ticket: '7' }, 'forbid'), { mask: {}, advice: 'ask us', faults: [] })
})

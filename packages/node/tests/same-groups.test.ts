/** Rows that leave in groups: which groups there are is up to consent and policies, never to what a call asks for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyScopeMask } from '@comity/core/api-keys/key-scope'
import type { FieldTransform } from '@comity/core/consent/consent-scope'
import type { Release } from '@comity/core/consent/release'
import { maskRelease, narrowRelease } from '@comity/core/minimisation/mask-release'
import { minimise } from '@comity/core/minimisation/minimise'
import { project, projectionOfPaths } from '@comity/core/minimisation/projection'
import { isGrouped } from '@comity/core/minimisation/row-groups'
import { wholeRelease } from '@comity/core/minimisation/whole-release'
import { judgedFields } from '../src/gateway/steps/judged-fields.ts'
import { maskOf, readMask, type PermitMask } from '../src/policy/sets/policy-mask.ts'

const means = { keyedHash: (text: string) => `h(${text})`, pseudonym: undefined }
const label = (path: string) => ({ path, domain: 'data', sensitivity: 'internal' as const })
const flat = ['name', 'address', 'weight'].map(label)
const nested = ['name', 'address', 'address.geo.lat', 'weight'].map(label)

interface Holder {
  readonly labels: typeof flat
  readonly consent?: readonly FieldTransform[]
  readonly scope?: readonly string[] | undefined
  readonly permits: readonly PermitMask[]
}

/** What the steps of the gateway leave of a read. */
function releaseFor({ labels, consent = [], scope, permits }: Holder, requested?: readonly string[]): Release {
  let release = wholeRelease(labels, requested)
  release = { ...release, parts: release.parts.map((part) => ({ ...part, transforms: consent })) }
  const keyMask = keyScopeMask({ fields: scope }, release.released)
  if (keyMask !== undefined) release = narrowRelease(release, keyMask, labels)
  const { labels: asked, ...more } = judgedFields(release, { labels }, 'GET')
  const known = asked.map(({ path, domain }) => ({ path, domain, sensitivity: 'internal' as const }))
  const mask = maskOf(permits, known, more)
  return mask === undefined ? release : maskRelease(release, mask, labels)
}

const answered = (rows: unknown, release: Release) =>
  minimise(rows, release, { layout: { rows: '[]', open: [] }, means }) as unknown[]

const grouped = ({ parts }: Release) => parts.some((part) => isGrouped(part))

/** A call gets what a call for everything gets, less the columns that it did not ask for. */
function assertSameGroups(rows: unknown, holder: Holder, requested: readonly string[]): void {
  const release = releaseFor(holder, requested)
  if (!grouped(release)) return
  const whole = releaseFor({ ...holder, scope: undefined })
  assert.ok(grouped(whole), 'what is asked for decides that there are groups')
  const columns = projectionOfPaths(release.released)
  const expected = answered(rows, whole).map((row) => project(row, columns, { means, depth: 0, isWhole: false }) ?? {})
  assert.deepEqual(answered(rows, release), expected, JSON.stringify(release))
}

const permit = (annotations: Record<string, string>): PermitMask => {
  const { mask, faults } = readMask(annotations, 'permit')
  assert.deepEqual(faults, [])
  return mask
}
const rows = [
  { address: { city: 'Rome', street: 'a' }, weight: 70 },
  { address: { city: 'Rome', street: 'b' }, weight: 80 },
  { address: { city: 'Bari', street: 'c' }, weight: 91 },
]

test('a mask that names a part of a labelled object groups by that part, whatever is asked for', () => {
  const permits = [permit({ fields: 'address.city, weight', transforms: 'weight: aggregate sum 2' })]
  const ask = (...requested: string[]) => {
    const release = releaseFor({ labels: flat, permits }, requested)
    return [release.released, answered(rows, release)]
  }
  assert.deepEqual(ask('weight'), [['weight'], [{ weight: 150 }]])
  assert.deepEqual(ask('address.city'), [['address.city'], [{ address: { city: 'Rome' } }]])
  assert.deepEqual(ask('address.street', 'weight'), [['weight'], [{ weight: 150 }]])
  const all = [['address.city', 'weight'], [{ address: { city: 'Rome' }, weight: 150 }]]
  assert.deepEqual(ask('address', 'weight'), all)
  assert.deepEqual(ask('address.city', 'weight'), all)
})

test('an aggregate of a consent groups by what a mask leaves, whatever is asked for', () => {
  const consent = [{ path: 'weight', op: 'aggregate', fn: 'sum', arg: 2 } as const]
  const holder = { labels: flat, consent, permits: [permit({ fields: 'address.city, weight' })] }
  assert.deepEqual(answered(rows, releaseFor(holder)), [{ address: { city: 'Rome' }, weight: 150 }])
  assert.deepEqual(answered(rows, releaseFor(holder, ['weight'])), [{ weight: 150 }])
})

test('a part that the groups do not have is not told as released', () => {
  const permits = [permit({ fields: 'address, weight', transforms: 'weight: aggregate sum 2' })]
  const consent = [{ path: 'address', op: 'hash' } as const]
  const { released, withheld } = releaseFor({ labels: flat, consent, permits }, ['address.city', 'weight'])
  assert.deepEqual([released, withheld], [['weight'], ['address.city']])
})

test('the scope of a key forms no groups: with two keys nothing can be subtracted', () => {
  const permits = [permit({ fields: 'address.city, weight', transforms: 'weight: aggregate sum 2' })]
  for (const requested of [undefined, ['weight'], ['address', 'weight']]) {
    const release = releaseFor({ labels: flat, permits, scope: ['weight'] }, requested)
    assert.deepEqual([release.released, answered(rows, release)], [['weight'], [{ weight: 150 }]])
  }
})

const paths = ['name', 'address', 'address.city', 'address.street', 'address.geo', 'address.geo.lat', 'weight']
const aggregate: fc.Arbitrary<FieldTransform> = fc.record({
  path: fc.constantFrom('weight', 'address.geo.lat'),
  op: fc.constant('aggregate' as const),
  fn: fc.constantFrom('count', 'sum', 'max'),
  arg: fc.constantFrom(2, 3),
})
const other: fc.Arbitrary<FieldTransform> = fc.record({
  path: fc.constantFrom(...paths),
  op: fc.constantFrom('hash', 'drop', 'round'),
})
const transforms = fc
  .tuple(fc.array(aggregate, { maxLength: 1 }), fc.array(other, { maxLength: 2 }))
  .map((lists) => lists.flat())
const somePaths = fc.uniqueArray(fc.constantFrom(...paths), { minLength: 1, maxLength: 4 })
const somePermit = fc.record({ fields: somePaths, transforms }, { requiredKeys: ['transforms'] })
const holder = fc.record({
  labels: fc.constantFrom(flat, nested),
  consent: fc.oneof(fc.constant([]), transforms),
  scope: fc.option(somePaths, { nil: undefined }),
  permits: fc.array(somePermit, { minLength: 1, maxLength: 3 }),
})
const few = fc.integer({ min: 0, max: 1 })
const someRows = fc.array(
  fc.record(
    {
      name: fc.constantFrom('A', 'B'),
      address: fc.record({ city: few, street: few, geo: fc.record({ lat: few, long: few }) }, { requiredKeys: [] }),
      weight: fc.integer({ min: 0, max: 9 }),
    },
    { requiredKeys: [] },
  ),
  { maxLength: 20 },
)

test('whatever masks, consents and keys say of parts, calls get columns of the same groups', () => {
  fc.assert(fc.property(someRows, holder, somePaths, assertSameGroups), { numRuns: 200 })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutAlike } from './like-faults.ts'
import { maskWarnings, type MaskedProduct } from './mask-warnings.ts'
import { prepareSet } from './prepare-set.ts'

const types: Readonly<Record<string, readonly string[]>> = {
  name: ['string', 'null'],
  weight: ['number'],
  born: ['string'],
  isAdult: ['boolean'],
  address: ['object'],
}
const lab: MaskedProduct = {
  id: 'lab',
  unlabelled: ['kinds', 'report'],
  typesOf: (field) => new Set(types[field] ?? []),
}

async function warningsOf(text: string): Promise<readonly string[]> {
  const preparation = await prepareSet([{ source: 'rules.cedar', text }])
  if (!preparation.ok) assert.fail(JSON.stringify(preparation.faults))
  return [...preparation.set.warnings, ...maskWarnings(preparation.set.policies, [lab])].map(({ message }) => message)
}

const permit = (transforms: string, resource = 'resource in Comity::Data::"sample"') =>
  `@id("some") @transforms("${transforms}") permit (principal, action, ${resource});`

test('a transform that no value of the schema’s type fits is a warning; one that may fit is none', async () => {
  for (const wrong of ['name: round 3', 'isAdult: year', 'address: hash', 'born: aggregate avg', 'isAdult: mask']) {
    const [message = '', ...more] = await warningsOf(permit(wrong))
    const [path = ''] = wrong.split(':')
    assert.match(message, new RegExp(`^in the product \`lab\` .* can never be applied to \`${path}\``))
    assert.deepEqual(more, [])
  }
  const good = 'name: mask 2; weight: round 5; born: year; isAdult: hash; unknown: round'
  assert.deepEqual(await warningsOf(permit(good)), [])
  assert.deepEqual(await warningsOf(permit('isAdult: aggregate count')), [])
})

test('of a product that the permit is not about nothing is said', async () => {
  assert.deepEqual(await warningsOf(permit('name: round', 'resource in Comity::Product::"other"')), [])
})

test('transforms of one permit that end each other are a warning', async () => {
  const told: Readonly<Record<string, RegExp>> = {
    'weight: aggregate avg; weight: aggregate sum': /two aggregates \(avg, sum\)/,
    'born: year; born: round 3': /`year` and `round` fit no value/,
    'born: mask 2; born: year': /`year` comes after `mask`/,
    'born: drop; born: year': /dropped/,
  }
  for (const [transforms, expected] of Object.entries(told)) {
    const warnings = await warningsOf(permit(transforms))
    assert.ok(warnings.length >= 1, transforms)
    assert.match(warnings[0] ?? '', expected)
  }
  assert.deepEqual(await warningsOf(permit('weight: round 5; weight: aggregate avg; born: year; born: hash')), [])
})

test('a permit of a part that alone reaches operations without labelled fields is a warning that names them', async () => {
  const everywhere = '@id("some") @fields("name") permit (principal, action, resource);'
  const [message = ''] = await warningsOf(everywhere)
  assert.match(message, /calls that it alone permits fail .*: `lab\/kinds`, `lab\/report`$/)
  const kinds = '@id("kinds") permit (principal, action, resource == Comity::Operation::"lab/kinds");'
  assert.match((await warningsOf(everywhere + kinds))[0] ?? '', /: `lab\/report`$/)
  assert.deepEqual(await warningsOf(`${everywhere}@id("all") permit (principal, action, resource);`), [])
  const data =
    '@id("some") @fields("name") permit (principal, action, resource) when { resource in Comity::Data::"sample" };'
  assert.deepEqual(await warningsOf(data), [])
  const one = '@id("some") @fields("name") permit (principal, action, resource == Comity::Operation::"lab/results");'
  assert.deepEqual(await warningsOf(one), [])
})

test('of many warnings of one kind ten are told, the last with the count of the others', () => {
  const many = Array.from({ length: 3_000 }, (_, at) => ({ message: `nobody is in the group \`g${at}\`` }))
  const told = withoutAlike([...many, { message: 'there is no product `x`' }])
  assert.equal(told.length, 11)
  assert.equal(told[9]?.message, 'nobody is in the group `g9`, and 2990 more warnings like this one')
  assert.equal(told[10]?.message, 'there is no product `x`')
  assert.deepEqual(withoutAlike(many.slice(0, 10)), many.slice(0, 10))
})

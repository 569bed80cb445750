import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentActions } from './consent-scope.ts'
import { scopeSchema } from './consent-scope-schema.ts'
import { maxGrants, parseGrants } from './parse-grants.ts'
import { testGrant, testPurposes } from './test-consent.ts'

interface Fault {
  readonly pointer: string
  readonly detail: string
}

function faults(value: unknown): readonly Fault[] {
  let found: readonly Fault[] = []
  assert.throws(
    () => parseGrants(value),
    (error: { code: string; members: { errors: readonly Fault[] } }) => {
      assert.equal(error.code, 'consent-request-invalid')
      found = error.members.errors
      return true
    },
  )
  return found
}

const whole = {
  ...testGrant(),
  title: { en: 'Sport and body', ar: 'الرياضة والجسم', hi: 'खेल और शरीर', 'zh-Hant': '運動與身體' },
  legalBasis: 'https://w3id.org/dpv/legal/eu/gdpr#A6-1-a',
  necessity: 'optional',
  modes: ['view', 'store'],
  fields: { include: ['height', 'results[].rank'], exclude: ['results[].rank.note'] },
  transforms: [
    { path: 'height', op: 'round', arg: 0.5 },
    { path: 'name', op: 'mask', arg: 2 },
    { path: 'born', op: 'year' },
    { path: 'weight', op: 'aggregate', fn: 'avg', arg: 5 },
    { path: 'medals', op: 'aggregate', fn: 'count' },
  ],
  filters: [
    { path: 'sport', op: 'in', value: ['rowing', 'cycling'] },
    { path: 'height', op: '>=', value: 150 },
    { path: 'active', op: '=', value: true },
  ],
  dataPeriod: { from: '2025-01-01T00:00:00Z', to: '2026-01-01T00:00:00.123Z' },
  fetch: { type: 'periodic', max: 4, per: 'P1M' },
  maxUses: 100,
  retention: { for: 'P90D', until: '2027-01-01T00:00:00Z', onWithdrawal: 'delete', deleteWithin: 'P0D' },
  geo: { allow: ['DE', 'FR', 'XK'], deny: ['US'] },
  onward: { allow: 'listed', recipients: ['did:web:statistics.example'], maxDepth: 1 },
  obligations: ['notify'],
  storage: ['DE'],
  processing: ['DE', 'NL'],
  operations: ['https://w3id.org/dpv#Analyse'],
  automatedDecision: { logic: 'none that decides', consequence: 'none' },
  sensitivity: { level: 'high', special: ['health'] },
}

test('a grant with every member is read as it was written', () => {
  assert.deepEqual(parseGrants([whole]), [whole])
  assert.deepEqual(parseGrants([{ ...whole, dataPeriod: { lookback: 'P60D' }, fetch: { type: 'once' } }]).length, 1)
})

test('an unknown member is refused wherever it stands', () => {
  const places: readonly (readonly [string, unknown])[] = [
    ['/0', { ...whole, when: 'context.hour < 18' }],
    ['/0', JSON.parse(JSON.stringify(whole).replace('{', '{"__proto__":{"effect":"permit"},'))],
    ['/0/fields', { ...whole, fields: { include: ['a'], optional: ['b'] } }],
    ['/0/retention', { ...whole, retention: { onWithdrawal: 'delete', unless: 'x' } }],
    ['/0/geo', { ...whole, geo: { allow: ['DE'], prefer: ['DE'] } }],
    ['/0/onward', { ...whole, onward: { allow: 'any', notTo: [] } }],
    ['/0/fetch', { ...whole, fetch: { type: 'once', burst: 3 } }],
    ['/0/filters/0', { ...whole, filters: [{ path: 'a', op: '=', value: 1, or: [] }] }],
    ['/0/transforms/0', { ...whole, transforms: [{ path: 'a', op: 'drop', when: 1 }] }],
    ['/0/sensitivity', { ...whole, sensitivity: { level: 'high', by: 'x' } }],
  ]
  for (const [pointer, grant] of places)
    assert.deepEqual(
      faults([grant]).map((fault) => fault.pointer),
      [pointer],
    )
  assert.ok(faults([{ ...whole, dataPeriod: { lookback: 'P1D', from: '2025-01-01T00:00:00Z' } }]).length > 0)
})

test('an aggregate says what is calculated, of two rows at least, and nothing else does', () => {
  const transforms: readonly (readonly [string, object])[] = [
    ['/0/transforms/0/fn', { op: 'aggregate' }],
    ['/0/transforms/0/fn', { op: 'aggregate', fn: 'median' }],
    ['/0/transforms/0/arg', { op: 'aggregate', fn: 'sum', arg: 1 }],
    ['/0/transforms/0/arg', { op: 'aggregate', fn: 'sum', arg: 2.5 }],
    ['/0/transforms/0/fn', { op: 'round', fn: 'sum' }],
  ]
  for (const [pointer, transform] of transforms) {
    const grant = { ...whole, transforms: [{ path: 'height', ...transform }] }
    assert.deepEqual(
      faults([grant]).map((fault) => fault.pointer),
      [pointer],
    )
  }
})

test('every fault is told with the pointer of the member', () => {
  const wrong: Readonly<Record<string, unknown>> = {
    grant: 'g 1',
    effect: 'maybe',
    purposes: [],
    actions: ['read', 'share'],
    products: [''],
    domains: ['sport..body'],
    fields: { include: ['results.[0]'] },
    transforms: [{ path: 'a', op: 'year', arg: 1 }],
    filters: [{ path: 'a', op: 'in', value: 'x' }],
    dataPeriod: { from: '2026-01-01T00:00:00Z', to: '2025-01-01T00:00:00Z' },
    fetch: { type: 'periodic' },
    maxUses: 0,
    retention: { for: '30 days', onWithdrawal: 'delete' },
    geo: { allow: ['UK'] },
    onward: { allow: 'listed' },
    title: { 'not a tag': 'x' },
    storage: ['de'],
    legalBasis: 'consent',
  }
  for (const [name, value] of Object.entries(wrong)) {
    const [first] = faults([{ ...whole, [name]: value }])
    assert.ok(first?.pointer.startsWith(`/0/${name}`), `${name}: ${first?.pointer}`)
  }
  assert.deepEqual(
    faults([{ ...testGrant({ maxUses: -1 }), grant: '' }]).map(({ pointer }) => pointer),
    ['/0/grant', '/0/maxUses'],
  )
})

test('moments are real days in UTC to the millisecond, durations last', () => {
  for (const until of [
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00+01:00',
    '2026-01-01T00:00Z',
    '2026-01-01T00:00:00.0001Z',
  ]) {
    assert.equal(faults([{ ...whole, retention: { until, onWithdrawal: 'delete' } }]).length > 0, true, until)
  }
  for (const lookback of ['P0D', 'PT0S', 'P', '-P1D', '']) {
    assert.ok(faults([{ ...whole, dataPeriod: { lookback } }]).length > 0, lookback)
  }
  assert.ok(faults([{ ...whole, dataPeriod: {} }]).length > 0)
})

test('a refusal has none of the members that only a permission can have', () => {
  const deny = testGrant({ grant: 'no', effect: 'deny', geo: { allow: ['US'] } })
  assert.equal(parseGrants([testGrant(), deny]).length, 2)
  for (const name of ['transforms', 'filters', 'dataPeriod', 'fetch', 'maxUses', 'retention', 'onward'] as const) {
    const value = whole[name]
    assert.deepEqual(
      faults([testGrant(), { ...deny, [name]: value }]).map(({ pointer }) => pointer),
      [`/1/${name}`],
    )
    assert.equal(scopeSchema.safeParse({ ...deny, [name]: value }).success, false)
  }
})

test('a list without a permission, with one id twice, or with too many grants is refused', () => {
  assert.ok(faults([]).length > 0)
  assert.ok(faults([testGrant({ effect: 'deny' })]).length > 0)
  assert.ok(faults([testGrant(), testGrant()]).length > 0)
  const many = (count: number): unknown[] => Array.from({ length: count }, (_, at) => testGrant({ grant: `g${at}` }))
  assert.equal(parseGrants(many(maxGrants)).length, maxGrants)
  assert.ok(faults(many(maxGrants + 1)).length > 0)
})

test('lists and texts have limits, so that no request is a burden to judge', () => {
  const paths = (count: number): string[] => Array.from({ length: count }, (_, at) => `field${at}`)
  assert.ok(parseGrants([testGrant({ fields: { include: paths(512) } })]))
  assert.ok(faults([testGrant({ fields: { include: paths(513) } })]).length > 0)
  assert.ok(faults([testGrant({ purposes: paths(33).map((name) => `urn:${name}`) })]).length > 0)
  assert.ok(faults([{ ...testGrant(), title: { en: 'x'.repeat(501) } }]).length > 0)
  assert.ok(faults([testGrant({ actions: [...consentActions, 'read'] })]).length > 0)
})

test('a text that would show otherwise than it is written is refused', () => {
  for (const title of ['a\u0000b', 'a\u001bb', 'a\u202eb', 'a\ud800b', '\u0085', '', 'a\u200bb', 'a\u200db']) {
    assert.equal(faults([{ ...testGrant(), title: { en: title } }])[0]?.pointer, '/0/title/en', JSON.stringify(title))
  }
  assert.ok(parseGrants([{ ...testGrant(), title: { fa: 'می\u200cخواهم', he: '\u2067שלום\u2069' } }]))
})

test('a scope of a token is a grant without the words around it', () => {
  assert.equal(scopeSchema.safeParse(testGrant({ purposes: [testPurposes.academic] })).success, true)
  assert.equal(scopeSchema.safeParse({ ...testGrant(), title: { en: 'x' } }).success, false)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsentScope } from '../consent/consent-scope.ts'
import { scopeNarrowingFaults } from './scope-narrowing.ts'

const dpv = 'https://w3id.org/dpv#'
const base: ConsentScope = {
  grant: 'g1',
  effect: 'permit',
  purposes: [`${dpv}ResearchAndDevelopment`, 'urn:example:own'],
  actions: ['read', 'query'],
  products: ['athletes', 'results'],
  domains: ['sport.body', 'identity'],
}

type Part = Partial<ConsentScope>

/** Says of pairs of a member's values that the first is narrower than the second, or not. */
function narrows(name: string, pairs: { readonly narrower: [Part, Part][]; readonly wider: [Part, Part][] }): void {
  test(`a child narrows its parent's ${name}, never widens it`, () => {
    for (const [child, parent] of pairs.narrower) {
      const faults = scopeNarrowingFaults({ ...base, ...child }, { ...base, ...parent })
      assert.deepEqual(faults, [], `${JSON.stringify(child)} within ${JSON.stringify(parent)}`)
    }
    for (const [child, parent] of pairs.wider) {
      const faults = scopeNarrowingFaults({ ...base, ...child }, { ...base, ...parent })
      const [member = ''] = Object.keys({ ...child, ...parent })
      assert.deepEqual(faults.length, 1, `${JSON.stringify(child)} not within ${JSON.stringify(parent)}`)
      assert.match(faults[0] ?? '', new RegExp(`^\`${member}\``))
    }
  })
}

/** Pairs for a member that may be absent: `tight` is within `loose` and within nothing at all, never the other way. */
function optional<M extends keyof ConsentScope>(member: M, pairs: [tight: ConsentScope[M], loose: ConsentScope[M]][]) {
  const part = (value: ConsentScope[M]): Part => (value === undefined ? {} : { [member]: value })
  narrows(`\`${member}\``, {
    narrower: pairs.flatMap(([tight, loose]) => [
      [part(tight), part(loose)],
      [part(tight), part(tight)],
      [part(loose), part(loose)],
      [part(tight), {}],
    ]),
    wider: pairs.flatMap(([tight, loose]) => [
      [part(loose), part(tight)],
      [{}, part(tight)],
    ]),
  })
}

test('a scope is within itself', () => {
  assert.deepEqual(scopeNarrowingFaults(base, base), [])
})

narrows('`grant` and `effect`', {
  narrower: [],
  wider: [
    [{ grant: 'g2' }, {}],
    [{ effect: 'deny' }, {}],
    [{}, { effect: 'deny' }],
  ],
})

narrows('purposes: the same or below one in the vocabulary', {
  narrower: [
    [{ purposes: ['urn:example:own'] }, {}],
    [{ purposes: [`${dpv}AcademicResearch`, `${dpv}CommercialResearch`] }, {}],
  ],
  wider: [
    [{ purposes: [`${dpv}Marketing`] }, {}],
    [{ purposes: [`${dpv}ResearchAndDevelopment`] }, { purposes: [`${dpv}AcademicResearch`] }],
    [{ purposes: ['urn:example:own:narrower'] }, {}],
    [{ purposes: ['URN:example:own'] }, {}],
  ],
})

narrows('actions', {
  narrower: [[{ actions: ['read'] }, {}]],
  wider: [
    [{ actions: ['read', 'write'] }, {}],
    [{ actions: ['delete'] }, {}],
  ],
})

narrows('products', {
  narrower: [[{ products: ['results'] }, {}]],
  wider: [
    [{ products: ['athletes', 'other'] }, {}],
    [{ products: ['Athletes'] }, {}],
  ],
})

narrows('data domains: the same or below one', {
  narrower: [
    [{ domains: ['identity.birth'] }, {}],
    [{ domains: ['sport.body', 'sport.body.height'] }, {}],
  ],
  wider: [
    [{ domains: ['sport'] }, {}],
    [{ domains: ['sport.bodyguard'] }, {}],
    [{ domains: ['sport.results'] }, {}],
  ],
})

optional('modes', [
  [['view'], ['view', 'store']],
  [['store'], ['view', 'store']],
])

narrows('fields: fewer or lower ones', {
  narrower: [
    [{ fields: { include: ['height'] } }, {}],
    [{ fields: { include: ['height'] } }, { fields: { include: ['height', 'weight'] } }],
    [{ fields: { include: ['address.city', 'results[].event'] } }, { fields: { include: ['address', 'results'] } }],
    [{ fields: { include: ['results[].event'] } }, { fields: { include: ['results[]'] } }],
    [{ fields: { exclude: ['height', 'weight'] } }, { fields: { exclude: ['height'] } }],
    [{ fields: { exclude: ['address'] } }, { fields: { exclude: ['address.city'] } }],
    [{ fields: { include: ['height'], exclude: ['name'] } }, { fields: { exclude: ['name'] } }],
  ],
  wider: [
    [{}, { fields: { include: ['height'] } }],
    [{ fields: { exclude: ['height'] } }, { fields: { include: ['weight'] } }],
    [{ fields: { include: ['height', 'weight'] } }, { fields: { include: ['height'] } }],
    [{ fields: { include: ['address'] } }, { fields: { include: ['address.city'] } }],
    [{ fields: { include: ['heights'] } }, { fields: { include: ['height'] } }],
    [{ fields: { include: ['results'] } }, { fields: { include: ['results[]'] } }],
    [{}, { fields: { exclude: ['height'] } }],
    [{ fields: { exclude: ['address.city'] } }, { fields: { exclude: ['address'] } }],
    [{ fields: { include: ['height'] } }, { fields: { exclude: ['name'] } }],
  ],
})

const average = (arg: number) => ({ path: 'weight', op: 'aggregate', fn: 'avg', arg }) as const

narrows('transforms: the parent’s first, in order', {
  narrower: [
    [{ transforms: [{ path: 'born', op: 'year' }] }, {}],
    [
      {
        transforms: [
          { path: 'born', op: 'year' },
          { path: 'name', op: 'hash' },
        ],
      },
      { transforms: [{ path: 'born', op: 'year' }] },
    ],
    [{ transforms: [average(5)] }, { transforms: [average(5)] }],
    [{ transforms: [average(5), average(9)] }, { transforms: [average(5)] }],
  ],
  wider: [
    [{ transforms: [average(4)] }, { transforms: [average(5)] }],
    [{ transforms: [{ ...average(5), fn: 'max' }] }, { transforms: [average(5)] }],
    [{ transforms: [] }, { transforms: [average(5)] }],
    [{}, { transforms: [{ path: 'born', op: 'year' }] }],
    [{ transforms: [] }, { transforms: [{ path: 'born', op: 'year' }] }],
    [{ transforms: [{ path: 'name', op: 'mask', arg: 8 }] }, { transforms: [{ path: 'name', op: 'mask', arg: 2 }] }],
    [{ transforms: [{ path: 'name', op: 'mask' }] }, { transforms: [{ path: 'name', op: 'hash' }] }],
    [
      {
        transforms: [
          { path: 'name', op: 'mask', arg: 9 },
          { path: 'name', op: 'hash' },
        ],
      },
      { transforms: [{ path: 'name', op: 'hash' }] },
    ],
  ],
})

narrows('row filters: only more of them', {
  narrower: [
    [{ filters: [{ path: 'year', op: '>', value: 2020 }] }, {}],
    [
      {
        filters: [
          { path: 'sport', op: '=', value: 'judo' },
          { path: 'year', op: '>', value: 2020 },
        ],
      },
      { filters: [{ path: 'year', op: '>', value: 2020 }] },
    ],
  ],
  wider: [
    [{}, { filters: [{ path: 'year', op: '>', value: 2020 }] }],
    [{ filters: [{ path: 'year', op: '>', value: 2010 }] }, { filters: [{ path: 'year', op: '>', value: 2020 }] }],
    [{ filters: [{ path: 'year', op: '>', value: '2020' }] }, { filters: [{ path: 'year', op: '>', value: 2020 }] }],
    [{ filters: [{ path: 'year', op: '>=', value: 2020 }] }, { filters: [{ path: 'year', op: '>', value: 2020 }] }],
  ],
})

optional('dataPeriod', [
  [{ from: '2020-01-01T00:00:00Z' }, { from: '2019-01-01T00:00:00Z' }],
  [{ to: '2020-01-01T00:00:00Z' }, { to: '2020-01-01T00:00:00.001Z' }],
  [{ from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z' }, { from: '2020-01-01T00:00:00Z' }],
  [{ lookback: 'P30D' }, { lookback: 'P60D' }],
  [{ lookback: 'P30D' }, { lookback: 'P2M' }],
  [{ lookback: 'P1M' }, { lookback: 'P31D' }],
  [{ lookback: 'PT23H' }, { lookback: 'P1D' }],
  [{ lookback: 'P365D' }, { lookback: 'P366D' }],
  [{ lookback: 'P365D' }, { lookback: 'P1Y1D' }],
])

narrows('data period, where no order is certain: refused', {
  narrower: [
    [{ dataPeriod: { lookback: 'P12M' } }, { dataPeriod: { lookback: 'P1Y' } }],
    [{ dataPeriod: { lookback: 'P1Y' } }, { dataPeriod: { lookback: 'P12M' } }],
    [{ dataPeriod: { lookback: 'P4W' } }, { dataPeriod: { lookback: 'P28D' } }],
    [{ dataPeriod: { lookback: 'P28D' } }, { dataPeriod: { lookback: 'P1M' } }],
  ],
  wider: [
    [{ dataPeriod: { lookback: 'P30D' } }, { dataPeriod: { lookback: 'P1M' } }],
    [{ dataPeriod: { lookback: 'P1M' } }, { dataPeriod: { lookback: 'P30D' } }],
    [{ dataPeriod: { lookback: 'P1Y' } }, { dataPeriod: { lookback: 'P365D' } }],
    [{ dataPeriod: { lookback: 'P1D' } }, { dataPeriod: { from: '2000-01-01T00:00:00Z' } }],
    [{ dataPeriod: { from: '2025-01-01T00:00:00Z' } }, { dataPeriod: { lookback: 'P100Y' } }],
    [{ dataPeriod: { lookback: 'soon' } }, { dataPeriod: { lookback: 'P1D' } }],
    [{ dataPeriod: { from: 'soon' } }, { dataPeriod: { from: '2000-01-01T00:00:00Z' } }],
    [{ dataPeriod: { to: '2021-01-01T00:00:00Z' } }, { dataPeriod: { from: '2020-01-01T00:00:00Z' } }],
  ],
})

optional('fetch', [
  [
    { type: 'periodic', max: 1, per: 'P1D' },
    { type: 'periodic', max: 2, per: 'P1D' },
  ],
  [
    { type: 'periodic', max: 1, per: 'P2D' },
    { type: 'periodic', max: 1, per: 'P1D' },
  ],
  [
    { type: 'periodic', max: 1, per: 'P31D' },
    { type: 'periodic', max: 1, per: 'P1M' },
  ],
  [{ type: 'periodic', max: 9, per: 'PT1H' }, { type: 'continuous' }],
  [{ type: 'once' }, { type: 'periodic', max: 1, per: 'P1D' }],
  [{ type: 'once' }, { type: 'continuous', max: 5, per: 'PT1S' }],
])

narrows('fetch rate, where no order is certain: refused', {
  narrower: [],
  wider: [
    // Half the calls in half the time: two windows of the child lie in one of the parent.
    [{ fetch: { type: 'periodic', max: 1, per: 'PT12H' } }, { fetch: { type: 'periodic', max: 1, per: 'P1D' } }],
    [{ fetch: { type: 'periodic', max: 1, per: 'P30D' } }, { fetch: { type: 'periodic', max: 1, per: 'P1M' } }],
    [{ fetch: { type: 'periodic', max: 1, per: 'P1M' } }, { fetch: { type: 'periodic', max: 1, per: 'P30D' } }],
    [{ fetch: { type: 'continuous', max: 1, per: 'P1Y' } }, { fetch: { type: 'periodic', max: 1, per: 'P1D' } }],
    [{ fetch: { type: 'continuous' } }, { fetch: { type: 'continuous', max: 1, per: 'P1D' } }],
  ],
})

optional('maxUses', [[1, 2]])

optional('retention', [
  [
    { for: 'P10D', onWithdrawal: 'delete' },
    { for: 'P30D', onWithdrawal: 'delete' },
  ],
  [{ for: 'P30D', onWithdrawal: 'delete' }, { onWithdrawal: 'delete' }],
  [{ onWithdrawal: 'delete' }, { onWithdrawal: 'anonymise' }],
  [{ onWithdrawal: 'anonymise' }, { onWithdrawal: 'retainLegal' }],
  [{ onWithdrawal: 'delete', deleteWithin: 'P10D' }, { onWithdrawal: 'delete' }],
  [{ onWithdrawal: 'delete' }, { onWithdrawal: 'delete', deleteWithin: 'P31D' }],
  [
    { until: '2026-01-01T00:00:00Z', onWithdrawal: 'delete' },
    { until: '2027-01-01T00:00:00Z', onWithdrawal: 'delete' },
  ],
])

narrows('retention, where no order is certain: refused', {
  narrower: [],
  wider: [
    [
      { retention: { until: '2020-01-01T00:00:00Z', onWithdrawal: 'delete' } },
      { retention: { for: 'P30D', onWithdrawal: 'delete' } },
    ],
    [
      { retention: { for: 'P1D', onWithdrawal: 'delete' } },
      { retention: { until: '2030-01-01T00:00:00Z', onWithdrawal: 'delete' } },
    ],
    [{ retention: { for: 'P1M', onWithdrawal: 'delete' } }, { retention: { for: 'P30D', onWithdrawal: 'delete' } }],
  ],
})

narrows('places: fewer allowed, more denied', {
  narrower: [
    [{ geo: { allow: ['DE'] } }, {}],
    [{ geo: { allow: ['DE'] } }, { geo: { allow: ['DE', 'FR'] } }],
    [{ geo: { deny: ['US', 'CN'] } }, { geo: { deny: ['US'] } }],
    [{ geo: { allow: ['DE'], deny: ['US'] } }, { geo: { deny: ['US'] } }],
  ],
  wider: [
    [{}, { geo: { allow: ['DE'] } }],
    [{ geo: { allow: ['DE', 'US'] } }, { geo: { allow: ['DE'] } }],
    [{ geo: { deny: ['US'] } }, { geo: { allow: ['DE'] } }],
    [{ geo: { allow: ['DE'] } }, { geo: { deny: ['US'] } }],
    [{ geo: { deny: ['US'] } }, { geo: { deny: ['US', 'CN'] } }],
  ],
})

const listed = (...recipients: string[]) => ({ allow: 'listed', recipients }) as const
narrows('onward sharing; nothing said means to nobody', {
  narrower: [
    [{}, { onward: { allow: 'any' } }],
    [{ onward: { allow: 'none' } }, {}],
    [{ onward: listed('did:web:a.example') }, { onward: listed('did:web:a.example', 'did:web:b.example') }],
    [{ onward: listed('did:web:a.example') }, { onward: { allow: 'any' } }],
    [{ onward: { allow: 'any' } }, { onward: { allow: 'any', maxDepth: 2 } }],
  ],
  wider: [
    [{ onward: { allow: 'any' } }, {}],
    [{ onward: { allow: 'any' } }, { onward: { allow: 'none' } }],
    [{ onward: { allow: 'any' } }, { onward: listed('did:web:a.example') }],
    [{ onward: listed('did:web:b.example') }, { onward: listed('did:web:a.example') }],
    [{ onward: { allow: 'any', maxDepth: 2 } }, { onward: { allow: 'any' } }],
  ],
})

narrows('obligations: only more of them', {
  narrower: [
    [{ obligations: ['notify'] }, {}],
    [{ obligations: ['log', 'notify'] }, { obligations: ['notify'] }],
  ],
  wider: [
    [{}, { obligations: ['notify'] }],
    [{ obligations: ['log'] }, { obligations: ['notify'] }],
  ],
})

test('says each member that is too wide', () => {
  const faults = scopeNarrowingFaults({ ...base, actions: ['write'], products: ['x'] }, base)
  assert.deepEqual(
    faults.map((fault) => fault.split('`')[1]),
    ['actions', 'products'],
  )
})

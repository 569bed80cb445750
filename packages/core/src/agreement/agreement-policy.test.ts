import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { agreementHash, canonicalAgreement, parseAgreement, type AgreementError } from './agreement.ts'
import { draftAgreement, type AgreementOptions } from './agreement-draft.ts'
import { readAgreementTerms } from './agreement-policy.ts'

const holder = 'did:web:holder.example'
const recipient = 'did:web:recipient.example'
const id = 'urn:uuid:e8dc8655-44c2-46ef-b701-4cffdc2faa44'
const lines = 'https://w3id.org/dpv#ResearchAndDevelopment'

const base = {
  '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
  '@id': id,
  '@type': 'Agreement',
  assigner: holder,
  assignee: recipient,
  target: 'athletes',
  timestamp: '2026-01-01T01:00:00Z',
  permission: [{ action: 'use' }],
}
const withConstraints = (...constraint: unknown[]) => ({ ...base, permission: [{ action: 'use', constraint }] })
const atom = (leftOperand: string, operator: string, rightOperand: unknown) => ({ leftOperand, operator, rightOperand })

const problemOf = (work: () => unknown): Problem => {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
const pointers = (problem: Problem): string[] =>
  (problem.members['errors'] as AgreementError[]).map(({ pointer }) => pointer)
const termsOf = (value: unknown) => readAgreementTerms(parseAgreement(value))
const unenforceable = (value: unknown): string[] => {
  const problem = problemOf(() => termsOf(value))
  assert.equal(problem.code, 'agreement-unenforceable', problem.message)
  return pointers(problem)
}

test('a bare permission of the protocol allows the target without limits', () => {
  const [permission, ...more] = termsOf(base).permissions
  assert.deepEqual(more, [])
  assert.deepEqual(permission, { products: new Set(['athletes']) })
})

test("reads the protocol's own example of a period", () => {
  const [permission] = termsOf(withConstraints(atom('dateTime', 'lteq', '2023-12-31T06:00Z'))).permissions
  assert.equal(permission?.untilMs, Date.parse('2023-12-31T06:00:00Z') + 1)
})

test('reads every spelling of an ODRL term and of a value', () => {
  const value = { '@value': '2026-12-31T00:00:00+01:00', '@type': 'xsd:dateTime' }
  const terms = termsOf({
    ...base,
    permission: [
      {
        action: 'http://www.w3.org/ns/odrl/2/use',
        constraint: [
          atom('odrl:dateTime', 'http://www.w3.org/ns/odrl/2/lt', value),
          atom('odrl:purpose', 'odrl:isAnyOf', [{ '@id': lines }]),
        ],
      },
    ],
  })
  assert.equal(terms.permissions[0]?.untilMs, Date.parse('2026-12-30T23:00:00Z'))
  assert.deepEqual(terms.permissions[0]?.purposes, new Set([lines]))
})

test('all constraints of a permission must hold, those under `and` too', () => {
  const [permission] = termsOf(
    withConstraints(
      atom('purpose', 'isAnyOf', ['urn:a', 'urn:b']),
      { and: [atom('purpose', 'isAnyOf', ['urn:b', 'urn:c']), atom('dateTime', 'gt', '2026-01-01T00:00:00Z')] },
      atom('dateTime', 'gteq', '2025-01-01T00:00:00Z'),
    ),
  ).permissions
  assert.deepEqual(permission?.purposes, new Set(['urn:b']))
  assert.equal(permission?.fromMs, Date.parse('2026-01-01T00:00:00Z') + 1)
})

test('each permission stands for itself', () => {
  const terms = termsOf({
    ...base,
    profile: 'urn:comity:odrl',
    target: 'urn:comity:odrl:products',
    permission: [
      { action: 'use', constraint: [atom('urn:comity:odrl:product', 'eq', 'a')] },
      { action: 'use', constraint: [atom('urn:comity:odrl:product', 'eq', 'b'), atom('purpose', 'eq', lines)] },
    ],
  })
  assert.deepEqual(
    terms.permissions.map(({ products, purposes }) => [[...products], purposes && [...purposes]]),
    [
      [['a'], undefined],
      [['b'], [lines]],
    ],
  )
})

test('refuses what cannot be enforced, naming every place', () => {
  const operation = 'urn:comity:odrl:operation'
  const rules: [unknown, string[]][] = [
    [{ ...base, prohibition: [{ action: 'distribute' }] }, ['/prohibition']],
    [{ ...base, obligation: [{ action: 'compensate' }], conflict: 'perm' }, ['/obligation', '/conflict']],
    [
      { ...base, permission: [{ action: 'odrl:read' }, { action: ['use'] }] },
      ['/permission/0/action', '/permission/1/action'],
    ],
    [{ ...base, permission: [{ action: 'use', duty: [{ action: 'delete' }] }] }, ['/permission/0/duty']],
    [{ ...base, permission: [{ action: 'use', target: 'other' }] }, ['/permission/0/target']],
    [{ ...base, permission: [{ action: 'use', constraint: {} }] }, ['/permission/0/constraint']],
    [withConstraints(atom('count', 'lteq', '5')), ['/permission/0/constraint/0/leftOperand']],
    [withConstraints(atom('purpose', 'isA', lines)), ['/permission/0/constraint/0/operator']],
    [withConstraints(atom('purpose', 'eq', [lines, lines])), ['/permission/0/constraint/0/rightOperand']],
    [withConstraints(atom('purpose', 'isAnyOf', [])), ['/permission/0/constraint/0/rightOperand']],
    [withConstraints(atom('purpose', 'isAnyOf', [1])), ['/permission/0/constraint/0/rightOperand']],
    [withConstraints(atom('dateTime', 'eq', '2026-01-01T00:00:00Z')), ['/permission/0/constraint/0/operator']],
    [withConstraints(atom('dateTime', 'lt', '2026-02-31T00:00:00Z')), ['/permission/0/constraint/0/rightOperand']],
    [withConstraints(atom('dateTime', 'lt', '2026-01-01T00:00:00')), ['/permission/0/constraint/0/rightOperand']],
    [withConstraints({ or: [atom('purpose', 'eq', lines)] }), ['/permission/0/constraint/0/or']],
    [
      withConstraints({ xone: [] }, { andSequence: [] }),
      ['/permission/0/constraint/0/xone', '/permission/0/constraint/1/andSequence'],
    ],
    [withConstraints({ and: [{ or: [] }] }), ['/permission/0/constraint/0/and/0/or']],
    [withConstraints({ ...atom('purpose', 'eq', lines), unit: 'x' }), ['/permission/0/constraint/0/unit']],
    [withConstraints('purpose', null), ['/permission/0/constraint/0', '/permission/0/constraint/1']],
    [{ ...base, profile: 'https://test.com/profile' }, ['/profile']],
    [{ ...base, profile: ['urn:comity:odrl', 'urn:x'] }, ['/profile']],
    [withConstraints(atom(operation, 'eq', 'getAthlete')), ['/profile']],
    [{ ...base, profile: 'urn:comity:odrl', target: 'urn:comity:odrl:products' }, ['/permission/0']],
    [{ ...base, '@context': [...base['@context'], 'https://evil.example/terms'] }, ['/@context/1']],
    [{ ...base, 'odd/na~me': 1 }, ['/odd~1na~0me']],
  ]
  for (const [document, expected] of rules) assert.deepEqual(unenforceable(document), expected)
})

test('a constraint nested without end is refused, not followed', () => {
  let constraint: unknown = atom('purpose', 'eq', lines)
  for (let depth = 0; depth < 100; depth++) constraint = { and: [constraint] }
  assert.equal(unenforceable(withConstraints(constraint)).length, 1)
})

test('a member that hides behind a prototype is seen', () => {
  const value = JSON.parse(`{${JSON.stringify(base).slice(1, -1)},"__proto__":{"prohibition":[]}}`) as unknown
  assert.deepEqual(unenforceable(value), ['/__proto__'])
})

test('refuses a document of the wrong shape, listing every mistake', () => {
  const problem = problemOf(() =>
    parseAgreement({ ...base, '@id': 'urn:uuid:E8DC', assigner: 'x', timestamp: 'now', permission: [] }),
  )
  assert.equal(problem.code, 'agreement-malformed')
  assert.deepEqual(pointers(problem), ['/@id', '/assigner', '/timestamp', '/permission'])
  for (const value of [null, [], 'agreement', 1, {}, { ...base, '@type': 'Offer' }, { ...base, assignee: holder }]) {
    assert.equal(problemOf(() => parseAgreement(value)).code, 'agreement-malformed')
  }
  const long = { ...base, permission: [{ action: 'use'.padEnd(70_000) }] }
  assert.equal(problemOf(() => parseAgreement(long)).code, 'agreement-malformed')
})

test('no JSON value makes the reader fail otherwise than by its problems', () => {
  const member = fc.constantFrom(...Object.keys(base), 'prohibition', 'x')
  const anything = fc.oneof(fc.jsonValue(), fc.constant(base.permission))
  fc.assert(
    fc.property(fc.dictionary(member, anything, { maxKeys: 3 }), fc.jsonValue(), (changes, constraint) => {
      for (const value of [
        { ...base, ...changes },
        withConstraints(constraint),
        withConstraints({ and: constraint }),
      ]) {
        try {
          termsOf(value)
        } catch (error) {
          assert.ok(error instanceof Problem && /^agreement-(malformed|unenforceable)$/.test(error.code), String(error))
        }
      }
    }),
    { numRuns: 200 },
  )
})

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 })
const options: fc.Arbitrary<AgreementOptions> = fc.record(
  {
    id: fc.uuid().map((uuid) => `urn:uuid:${uuid}`),
    assigner: fc.constant(holder),
    assignee: fc.constant(recipient),
    concludedMs: fc.integer({ min: 0, max: 4e12 }),
    products: names.filter((list) => !list.includes('urn:comity:odrl:products')),
    operations: names,
    purposes: names,
    fromMs: fc.integer({ min: 0, max: 2e12 }),
    untilMs: fc.integer({ min: 2e12 + 1, max: 4e12 }),
  },
  { requiredKeys: ['id', 'assigner', 'assignee', 'concludedMs', 'products'] },
)

test('what is drafted is read back as it was meant', () => {
  fc.assert(
    fc.property(options, (wanted) => {
      const terms = termsOf(JSON.parse(JSON.stringify(draftAgreement(wanted))))
      const { id: wantedId, assigner, assignee, concludedMs, products, operations, purposes, ...period } = wanted
      assert.deepEqual(terms, {
        id: wantedId,
        assigner,
        assignee,
        concludedMs,
        permissions: [
          {
            products: new Set(products),
            ...(operations && { operations: new Set(operations) }),
            ...(purposes && { purposes: new Set(purposes) }),
            ...period,
          },
        ],
      })
    }),
    { numRuns: 200 },
  )
})

test('the hash is of the content, not of the order of members', () => {
  const shuffled = Object.fromEntries(Object.entries(base).toReversed())
  assert.equal(agreementHash(parseAgreement(shuffled)), agreementHash(parseAgreement(base)))
  assert.ok(canonicalAgreement(parseAgreement(base)).startsWith('{"@context":["https://w3id.org/'))
  assert.notEqual(agreementHash(parseAgreement({ ...base, target: 'other' })), agreementHash(parseAgreement(base)))
})

test('refuses to draft what nobody could use', () => {
  const draft = (change: object) => () =>
    draftAgreement({ id, assigner: holder, assignee: recipient, concludedMs: 0, products: ['a'], ...change })
  for (const change of [
    { products: [] },
    { operations: [] },
    { purposes: [] },
    { fromMs: 5, untilMs: 5 },
    { assignee: 'you' },
  ]) {
    assert.equal(problemOf(draft(change)).code, 'agreement-malformed')
  }
})

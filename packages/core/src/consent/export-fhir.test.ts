/** The FHIR export held against the definition of the resource Consent in FHIR R5 (5.0.0): its elements, how often each
 *  may stand, its types and the value sets that are bound as required. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { consentStates, type ConsentGrant, type ConsentRecord } from './consent-record.ts'
import { exportFhirConsent } from './export-fhir.ts'
import { testGrant, testRecord } from './test-consent.ts'

interface Element {
  readonly min?: 1
  readonly many?: true
  readonly check: Check
}
/** What is wrong, or nothing. */
type Check = (value: unknown, path: string) => string[]
type Structure = Readonly<Record<string, Element>>

const matching =
  (pattern: RegExp): Check =>
  (value, path) =>
    typeof value === 'string' && pattern.test(value) ? [] : [`${path}: ${JSON.stringify(value)}`]
// The primitives' patterns of the specification (datatypes.html).
const text = matching(/^[\s\S]*\S[\s\S]*$/)
const uri = matching(/^\S+$/)
const absolute = matching(/^[a-z][a-z0-9+.-]*:\S+$/)
const code = matching(/^\S+( \S+)*$/)
const id = matching(/^[A-Za-z0-9\-.]{1,64}$/)
const date = matching(/^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/)
const moment =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d):[0-5]\d)$/
const instant = matching(moment)
const dateTime = instant
const base64 = matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)
const boolean: Check = (value, path) => (typeof value === 'boolean' ? [] : [`${path}: not a boolean`])
const oneOf =
  (...values: string[]): Check =>
  (value, path) =>
    values.includes(String(value)) ? [] : [`${path}: ${String(value)}`]

/** No member may be unknown, null or empty, and a list stands just where it may. */
const structure =
  (elements: Structure): Check =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: not an object`]
    const members = Object.entries(value)
    if (members.length === 0) return [`${path}: empty`]
    const missing = Object.entries(elements).flatMap(([name, { min }]) =>
      min === 1 && !Object.hasOwn(value, name) ? [`${path}.${name}: missing`] : [],
    )
    const faults = members.flatMap(([name, member]) => {
      const element = elements[name]
      const place = `${path}.${name}`
      if (element === undefined) return [`${place}: unknown`]
      if (element.many !== true) return element.check(member, place)
      if (!Array.isArray(member) || member.length === 0) return [`${place}: not a list with anything in it`]
      return member.flatMap((item: unknown, index) => element.check(item, `${place}.${index}`))
    })
    return [...missing, ...faults]
  }

const period: Check = (value, path) => {
  const { start, end } = value as { start?: string; end?: string }
  const isBackwards = start !== undefined && end !== undefined && Date.parse(start) > Date.parse(end)
  return [
    ...structure({ start: { check: dateTime }, end: { check: dateTime } })(value, path),
    ...(isBackwards ? [`${path}: per-1`] : []),
  ]
}
const coding = structure({
  system: { check: absolute, min: 1 },
  code: { check: code, min: 1 },
  display: { check: text },
})
const concept = structure({ coding: { check: coding, many: true }, text: { check: text } })
const identifier = structure({ system: { check: absolute, min: 1 }, value: { check: text, min: 1 } })
const reference = (...types: string[]) =>
  structure({
    type: { check: oneOf(...types), min: 1 },
    identifier: { check: identifier, min: 1 },
    display: { check: text },
  })
const attachment = structure({
  contentType: { check: matching(/^[a-z]+\/[a-z0-9.+-]+(?:; ?charset=[a-z0-9-]+)?$/i), min: 1 },
  language: { check: code },
  data: { check: base64, min: 1 },
  url: { check: uri },
  title: { check: text },
  creation: { check: dateTime },
})
const anyone = [
  'CareTeam',
  'HealthcareService',
  'Organization',
  'Patient',
  'Practitioner',
  'RelatedPerson',
  'PractitionerRole',
]
const manager = ['HealthcareService', 'Organization', 'Patient', 'Practitioner']
const actors = [
  'Device',
  'Group',
  'CareTeam',
  'Organization',
  'Patient',
  'Practitioner',
  'RelatedPerson',
  'PractitionerRole',
]
const verification = structure({
  verified: { check: boolean, min: 1 },
  verificationType: { check: concept },
  verifiedBy: { check: reference('Organization', 'Practitioner', 'PractitionerRole') },
  verifiedWith: { check: reference('Patient', 'RelatedPerson') },
  verificationDate: { check: dateTime, many: true },
})
const provision: Check = (value, path) =>
  structure({
    modifierExtension: {
      check: structure({ url: { check: absolute, min: 1 }, valueString: { check: text, min: 1 } }),
      many: true,
    },
    period: { check: period },
    actor: { check: structure({ role: { check: concept }, reference: { check: reference(...actors) } }), many: true },
    action: { check: concept, many: true },
    purpose: { check: coding, many: true },
    code: { check: concept, many: true },
    dataPeriod: { check: period },
    provision: { check: provision, many: true },
  })(value, path)
const consent = structure({
  resourceType: { check: oneOf('Consent'), min: 1 },
  id: { check: id },
  meta: { check: structure({ versionId: { check: id }, lastUpdated: { check: instant } }) },
  language: { check: code },
  identifier: { check: identifier, many: true },
  status: { check: oneOf('draft', 'active', 'inactive', 'not-done', 'entered-in-error', 'unknown'), min: 1 },
  category: { check: concept, many: true },
  subject: { check: reference('Patient', 'Practitioner', 'Group') },
  date: { check: date },
  period: { check: period },
  grantor: { check: reference(...anyone), many: true },
  grantee: { check: reference(...anyone), many: true },
  controller: { check: reference(...manager), many: true },
  sourceAttachment: { check: attachment, many: true },
  regulatoryBasis: { check: concept, many: true },
  verification: { check: verification, many: true },
  decision: { check: oneOf('deny', 'permit') },
  provision: { check: provision, many: true },
})

const issuedAt = '2026-03-10T00:00:00Z'
const file = new URL('../../../../vectors/consent/records.json', import.meta.url)
const { valid } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly valid: readonly { readonly name: string; readonly record: ConsentRecord }[]
}
const exported = (record: ConsentRecord, state: (typeof consentStates)[number] = 'active') =>
  JSON.parse(JSON.stringify(exportFhirConsent({ record, state, issuedAt }))) as Record<string, unknown>

for (const { name, record } of valid) {
  test(`a record with ${name} is in every state a Consent as FHIR R5 defines it`, () => {
    for (const state of consentStates) assert.deepEqual(consent(exported(record, state), 'Consent'), [], state)
  })
}

test('whatever a grant says, the export is a Consent as FHIR R5 defines it', () => {
  const paths = fc.array(fc.constantFrom('height', 'a b', 'a  b', 'results[].event'), { maxLength: 3 })
  const grant = fc.record(
    {
      effect: fc.constantFrom('permit', 'deny'),
      actions: fc.subarray(['read', 'query', 'compute', 'write', 'append', 'delete'] as const, { minLength: 1 }),
      fields: fc.record({ include: paths, exclude: paths }, { requiredKeys: [] }),
      domains: fc.array(fc.constantFrom('sport', 'identity.birth'), { minLength: 1, maxLength: 2 }),
      dataPeriod: fc.constantFrom<NonNullable<ConsentGrant['dataPeriod']>>(
        { lookback: 'P1D' },
        { from: '2025-01-01T00:00:00Z' },
        { to: '2025-01-01T00:00:00Z' },
      ),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.array(grant, { minLength: 1, maxLength: 3 }), (members) => {
      const grants = members.map((one, index) => testGrant({ ...(one as Partial<ConsentGrant>), grant: `g${index}` }))
      assert.deepEqual(consent(exported(testRecord({ grants })), 'Consent'), [])
    }),
    { numRuns: 200 },
  )
})

test('a grant that excludes nothing has no exception: an empty one would refuse all', () => {
  const of = exported(testRecord({ grants: [testGrant({ fields: { include: ['height'], exclude: [] } })] }))
  const [only] = of['provision'] as readonly Record<string, unknown>[]
  assert.equal(only?.['provision'], undefined)
})

test('who confirmed for an organisation or a device is no patient', () => {
  const proof = {
    by: 'did:web:club.example',
    role: 'subject',
    type: 'session',
    at: issuedAt,
    value: { channel: 'portal' },
  } as const
  const record = testRecord({ subject: { id: 'did:web:club.example', type: 'org' }, proofs: [proof] })
  const [verified] = exported(record)['verification'] as readonly Record<string, unknown>[]
  assert.equal(verified?.['verifiedWith'], undefined)
  assert.equal(JSON.stringify(exported(record)).includes('"Patient"'), false)
})

test('the checks of this file see what is wrong', () => {
  const right = exported(testRecord())
  for (const wrong of [
    { ...right, status: 'withdrawn' },
    { ...right, decision: 'allow' },
    { ...right, provision: [] },
    { ...right, provision: [{}] },
    { ...right, provision: [{ type: 'permit' }] },
    { ...right, verification: [{ verificationDate: [issuedAt] }] },
    { ...right, scope: { text: 'x' } },
    { ...right, date: '2026-3-1' },
    { ...right, period: { start: '2026-03-02T00:00:00Z', end: '2026-03-01T00:00:00Z' } },
    { ...right, grantee: [{ type: 'Device', identifier: { system: 'urn:x', value: 'y' } }] },
  ])
    assert.equal(consent(wrong, 'Consent').length, 1, JSON.stringify(wrong).slice(0, 80))
})

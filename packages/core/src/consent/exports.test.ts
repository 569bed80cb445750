import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { comityProfile } from '../agreement/vocabulary.ts'
import { consentStates, type ConsentEvent, type ConsentRecord } from './consent-record.ts'
import { exportReceipt27560, receiptProfile, recordProfile, type ExportedConsent } from './export-27560.ts'
import { exportFhirConsent, fhirGrantExtension } from './export-fhir.ts'
import { exportOdrl, grantOperand } from './export-odrl.ts'
import { recordHash } from './parse-record.ts'
import { testGrant, testRecord } from './test-consent.ts'

const file = (name: string): URL => new URL(`../../../../vectors/consent/${name}`, import.meta.url)
const { valid } = JSON.parse(readFileSync(file('records.json'), 'utf8')) as {
  readonly valid: readonly { readonly name: string; readonly record: ConsentRecord }[]
}
const { events } = JSON.parse(readFileSync(file('events.json'), 'utf8')) as {
  readonly events: readonly { readonly event: ConsentEvent }[]
}
const issuedAt = '2026-03-10T00:00:00Z'
const whole = valid.find(({ name }) => name === 'every member')?.record ?? assert.fail()

/** The member at a path such as `provision.0.code`. */
function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value)
}

const exports: readonly (readonly [string, (consent: ExportedConsent) => unknown])[] = [
  ['ISO/IEC TS 27560', exportReceipt27560],
  ['FHIR', exportFhirConsent],
  ['ODRL', exportOdrl],
]

for (const [name, exportOf] of exports) {
  test(`${name}: every record in every state has an export that JSON can hold, the same each time`, () => {
    for (const { record } of valid) {
      for (const state of consentStates) {
        const document = exportOf({ record, state, issuedAt })
        assert.deepEqual(
          JSON.parse(JSON.stringify(document)),
          JSON.parse(JSON.stringify(exportOf({ record, state, issuedAt }))),
        )
        assert.ok(JSON.stringify(document).includes(record.id.slice(-36)))
      }
    }
  })

  test(`${name}: the grants are carried as they are enforced, so that nothing gets lost`, () => {
    const text = JSON.stringify(exportOf({ record: whole, state: 'active', issuedAt }))
    for (const part of ['P14D', 'P1M', 'statistics.example', 'CommercialResearch', 'rowing', 'round']) {
      assert.ok(text.includes(part), part)
    }
  })
}

test('an aggregate is carried with its function and its least group by every export', () => {
  const transforms = [{ path: 'weight', op: 'aggregate', fn: 'avg', arg: 7 }] as const
  const record = testRecord({ grants: [testGrant({ transforms })] })
  for (const [, exportOf] of exports) {
    const text = JSON.stringify(exportOf({ record, state: 'active', issuedAt })).replaceAll('\\', '')
    for (const part of ['"op":"aggregate"', '"fn":"avg"', '"arg":7']) assert.ok(text.includes(part), part)
  }
})

test('27560: the receipt has every mandatory field of the specification', () => {
  const receipt = exportReceipt27560({ record: whole, state: 'active', issuedAt })
  const expected: Readonly<Record<string, unknown>> = {
    '@type': 'dpv:ConsentReceipt',
    'dct:conformsTo': receiptProfile,
    'dct:created': issuedAt,
    'dct:publisher.@id': 'did:web:federation.example',
  }
  for (const [path, value] of Object.entries(expected)) assert.equal(receipt[path] ?? at(receipt, path), value, path)
  const record = receipt['dpv:hasRecordOfActivity'] as Record<string, unknown>
  assert.equal(record['dct:conformsTo'], recordProfile)
  assert.equal(record['comity:hash'], recordHash(whole))
  for (const name of [
    'dpv:hasIdentifier',
    'dpv:hasDataSubject',
    'dpv:hasDataController',
    'dpv:hasDataExporter',
    'dpv:hasNotice',
    'dpv:hasConsentControl',
    'dpv:hasRight',
    'dpv:hasJurisdiction',
    'dpv:hasConsentStatus',
  ]) {
    assert.ok(record[name] !== undefined, name)
  }
  const [process] = record['dpv:hasProcess'] as readonly Record<string, unknown>[]
  for (const name of [
    'dpv:hasPurpose',
    'dpv:hasLegalBasis',
    'dpv:hasProcessing',
    'dpv:hasPersonalData',
    'dpv:hasRecipient',
    'dpv:hasStorageCondition',
  ]) {
    assert.ok(process?.[name] !== undefined, name)
  }
  assert.deepEqual(process?.['comity:grant'], { '@type': '@json', '@value': whole.grants[0] })
})

test('27560: a refusal is a prohibition and never stands among what is processed', () => {
  const receipt = exportReceipt27560({ record: whole, state: 'active', issuedAt })
  const record = receipt['dpv:hasRecordOfActivity'] as Record<string, readonly unknown[]>
  assert.equal(record['dpv:hasProcess']?.length, 1)
  assert.equal(record['dpv:hasProhibition']?.length, 1)
})

test('27560: the steps of its life are told in order, who, when and how', () => {
  const steps = events.map(({ event }) => event)
  const receipt = exportReceipt27560({ record: testRecord(), state: 'withdrawn', events: steps, issuedAt })
  const statuses = at(receipt, 'dpv:hasRecordOfActivity.dpv:hasConsentStatus') as readonly Record<string, unknown>[]
  assert.deepEqual(
    statuses.map((status) => status['@type']),
    [
      'dpv:ConsentRequested',
      'dpv:ConsentRequested',
      'dpv:ConsentGiven',
      'dpv:ConsentStatusInvalidForProcessing',
      'dpv:RenewedConsentGiven',
      'dpv:RenewedConsentGiven',
      'dpv:ConsentWithdrawn',
    ],
  )
  assert.deepEqual(
    statuses.map((status) => status['dpv:isIndicatedAtTime']),
    steps.map((step) => step.at),
  )
  assert.deepEqual(at(statuses[2], 'dpv:hasDuration'), {
    '@type': 'dpv:UntilTimeDuration',
    'rdf:value': '2026-03-31T10:00:00Z',
  })
})

test('27560: every prefixed name has its prefix in the context, and nothing is to be fetched', () => {
  const receipt = exportReceipt27560({ record: whole, state: 'paused', issuedAt })
  const context = receipt['@context'] as Record<string, string>
  const names = JSON.stringify({ ...receipt, '@context': undefined }).matchAll(/"([a-z]+):[A-Za-z]+":/g)
  for (const [, prefix = ''] of names) assert.ok(Object.hasOwn(context, prefix), prefix)
})

test('27560: a term stands only where the context says that its text is one', () => {
  const { '@context': context, ...receipt } = exportReceipt27560({ record: whole, state: 'active', issuedAt })
  const check = (value: unknown, property: string): void => {
    if (Array.isArray(value)) for (const element of value) check(element, property)
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) if (name !== '@value') check(member, name)
    } else if (/^(?:dpv|loc):/.test(String(value)) && property !== '@type') {
      assert.equal((context as Record<string, { '@type'?: string }>)[property]?.['@type'], '@id', property)
    }
  }
  check(receipt, '')
})

test('FHIR: denied by default, permitted by provision, refused again within it', () => {
  const consent = exportFhirConsent({ record: whole, state: 'active', issuedAt })
  assert.deepEqual([consent['resourceType'], consent['status'], consent['decision']], ['Consent', 'active', 'deny'])
  const provisions = consent['provision'] as readonly Record<string, unknown>[]
  assert.equal(provisions.length, 1)
  assert.deepEqual(at(provisions[0], 'purpose.0'), {
    system: 'urn:ietf:rfc:3986',
    code: 'https://w3id.org/dpv#AcademicResearch',
  })
  assert.deepEqual(at(provisions[0], 'provision.0.purpose.0.code'), 'https://w3id.org/dpv#CommercialResearch')
  assert.equal(at(provisions[0], 'modifierExtension.0.url'), fhirGrantExtension)
  assert.deepEqual(JSON.parse(String(at(provisions[0], 'modifierExtension.0.valueString'))), whole.grants[0])
})

test('FHIR: what it can express alone needs no extension, and every limit that it cannot does', () => {
  const provisionOf = (members: Parameters<typeof testGrant>[0]): unknown =>
    at(
      exportFhirConsent({ record: testRecord({ grants: [testGrant(members)] }), state: 'active', issuedAt }),
      'provision.0',
    )
  const plain = { actions: ['read', 'query'] } as const
  assert.equal(at(provisionOf(plain), 'modifierExtension'), undefined)
  assert.equal(
    at(provisionOf({ ...plain, dataPeriod: { from: '2025-01-01T00:00:00Z' } }), 'dataPeriod.start'),
    '2025-01-01T00:00:00Z',
  )
  for (const limit of [
    { actions: ['read'] },
    { maxUses: 1 },
    { geo: { allow: ['DE'] } },
    { dataPeriod: { lookback: 'P1D' } },
    { fields: { include: ['a'] } },
    { filters: [] },
  ] as const) {
    assert.ok(at(provisionOf({ ...plain, ...limit }), 'modifierExtension.0') !== undefined, JSON.stringify(limit))
  }
})

test('FHIR: the notice is attached as it was shown, and a consent that ended is not active', () => {
  const notice = valid.find(({ name }) => name.startsWith('guardian'))?.record ?? assert.fail()
  const consent = exportFhirConsent({ record: notice, state: 'withdrawn', issuedAt })
  assert.equal(
    Buffer.from(String(at(consent, 'sourceAttachment.0.data')), 'base64').toString('utf8'),
    notice.notice.text,
  )
  assert.equal(consent['status'], 'inactive')
  assert.equal(at(consent, 'grantor.0.type'), 'RelatedPerson')
  for (const state of consentStates) {
    assert.equal(exportFhirConsent({ record: whole, state, issuedAt })['status'] === 'active', state === 'active')
  }
})

test('ODRL: permissions and prohibitions of an active consent, duties with them', () => {
  const policy = exportOdrl({ record: whole, state: 'active', issuedAt })
  assert.deepEqual([policy['@type'], policy['profile'], policy['conflict']], ['Agreement', comityProfile, 'prohibit'])
  const [permission, onward] = policy['permission'] as readonly Record<string, unknown>[]
  assert.deepEqual(permission?.['action'], ['read', 'extract'])
  assert.deepEqual(
    (at(permission, 'duty') as readonly Record<string, unknown>[]).map(({ action }) => action),
    ['delete', 'inform'],
  )
  const operands = (at(permission, 'constraint') as readonly Record<string, unknown>[]).map(
    (limit) => limit['leftOperand'] ?? 'or',
  )
  assert.deepEqual(operands, [
    'dateTime',
    'dateTime',
    'or',
    'spatial',
    'count',
    'urn:comity:odrl:subject',
    grantOperand,
  ])
  assert.equal(onward?.['action'], 'distribute')
  assert.equal((policy['prohibition'] as readonly unknown[]).length, 1)
})

test('ODRL: a consent that is not active permits nothing', () => {
  for (const state of consentStates.filter((other) => other !== 'active')) {
    const policy = exportOdrl({ record: whole, state, issuedAt })
    assert.equal(policy['permission'], undefined, state)
    assert.deepEqual(policy['prohibition'], [{ target: 'athletes', action: 'use' }])
  }
})

test('ODRL: passing on is prohibited unless the grant allows it', () => {
  const policy = exportOdrl({ record: testRecord(), state: 'active', issuedAt })
  assert.deepEqual(policy['prohibition'], [{ target: 'athletes', action: 'distribute' }])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dpvBroader, dpvNamespace } from './dpv-purposes.ts'
import { isPurposeWithin, purposeName } from './purposes.ts'

const dpv = (name: string): string => `${dpvNamespace}${name}`

test('the vocabulary has the 118 purposes of DPV 2.2, and every broader one is one of them', () => {
  assert.equal(dpvBroader.size, 118)
  for (const broader of dpvBroader.values()) for (const iri of broader) assert.ok(dpvBroader.has(iri), iri)
  assert.deepEqual(dpvBroader.get(dpv('CommercialResearch')), [dpv('CommercialPurpose'), dpv('ResearchAndDevelopment')])
})

test('a purpose is within itself and within every broader one, however far above', () => {
  assert.ok(isPurposeWithin(dpv('AcademicResearch'), [dpv('AcademicResearch')]))
  assert.ok(isPurposeWithin(dpv('AcademicResearch'), [dpv('Marketing'), dpv('ResearchAndDevelopment')]))
  assert.ok(isPurposeWithin(dpv('RecruitmentTargetedAdvertising'), [dpv('Marketing')]))
  assert.ok(isPurposeWithin(dpv('CounterMoneyLaundering'), [dpv('EnforceSecurity')]))
})

test('a broader purpose is not within a narrower, nor one beside another', () => {
  assert.ok(!isPurposeWithin(dpv('ResearchAndDevelopment'), [dpv('AcademicResearch')]))
  assert.ok(!isPurposeWithin(dpv('AcademicResearch'), [dpv('CommercialResearch'), dpv('Marketing')]))
  assert.ok(!isPurposeWithin(dpv('AcademicResearch'), []))
})

test('the root of the vocabulary is no purpose to consent to', () => {
  for (const purpose of dpvBroader.keys()) assert.ok(!isPurposeWithin(purpose, [dpv('Purpose')]))
})

test('IRIs of other vocabularies match exactly or not at all', () => {
  assert.ok(isPurposeWithin('urn:example:study-7', ['urn:example:study-7']))
  assert.ok(!isPurposeWithin('urn:example:study-7', ['urn:example:study']))
  assert.ok(!isPurposeWithin(dpv('academicresearch'), [dpv('ResearchAndDevelopment')]))
  assert.ok(!isPurposeWithin('AcademicResearch', [dpv('ResearchAndDevelopment')]))
})

test('a purpose of the vocabulary has a name to read', () => {
  assert.equal(purposeName(dpv('ResearchAndDevelopment')), 'Research and Development')
  assert.equal(purposeName(dpv('ImproveInternalCRMProcesses')), 'Improve Internal CRM Processes')
  assert.equal(purposeName(dpv('ProtectionOfIPR')), 'Protection of IPR')
  assert.equal(purposeName('urn:example:study-7'), undefined)
})

/** What the tests of consents build on: a lab asks a federation about one athlete. */
import type { ConsentGrant, ConsentNotice, ConsentRecord } from './consent-record.ts'
import { noticeHash } from './consent-record-schema.ts'
import type { ConsentRequest } from './consent-request.ts'
import type { FieldLabel } from './released-fields.ts'

const dpv = 'https://w3id.org/dpv#'

export const testPurposes = {
  research: `${dpv}ResearchAndDevelopment`,
  academic: `${dpv}AcademicResearch`,
  commercial: `${dpv}CommercialResearch`,
  marketing: `${dpv}Marketing`,
} as const

export const testParties = { holder: 'did:web:federation.example', recipient: 'did:web:lab.example' } as const

/** What the product `athletes` labels. */
export const testLabels: readonly FieldLabel[] = [
  { path: 'name', domain: 'identity' },
  { path: 'born', domain: 'identity.birth' },
  { path: 'sport', domain: 'sport' },
  { path: 'height', domain: 'sport.body' },
  { path: 'weight', domain: 'sport.body' },
  { path: 'results[].event', domain: 'sport.results' },
  { path: 'results[].rank', domain: 'sport.results' },
]

export function testGrant(members: Partial<ConsentGrant> = {}): ConsentGrant {
  return {
    grant: 'g1',
    effect: 'permit',
    purposes: [testPurposes.research],
    actions: ['read'],
    products: ['athletes'],
    domains: ['sport'],
    ...members,
  }
}

export function testRequest(members: Partial<ConsentRequest> = {}): ConsentRequest {
  return {
    subject: { reference: '736041664', type: 'person' },
    kind: 'personal',
    grants: [testGrant({ title: { en: 'Sport and body', ar: 'الرياضة والجسم' } })],
    notice: { version: '3', text: { en: 'We study how sport forms the body.', hi: 'हम खेल का अध्ययन करते हैं।' } },
    duration: 'P30D',
    recipient: { name: 'Sports Lab', country: 'DE', contact: { email: 'privacy@lab.example' } },
    ...members,
  }
}

export function testNotice(text = 'We study how sport forms the body.', lang = 'en'): ConsentNotice {
  return { version: '3', lang, text, hash: noticeHash(text), presentedAt: '2026-03-01T09:58:00Z' }
}

export function testRecord(members: Partial<ConsentRecord> = {}): ConsentRecord {
  const subject = 'ps_mQ8Zl0x3n0bE7uWcT4kqYp2sVdFhJr5gAi6oBtN9RxM'
  return {
    schema: 'urn:comity:consent-record:1',
    id: 'urn:uuid:019bc0f2-7d40-7cc3-98c4-dc0c0c07398f',
    rev: 1,
    request: { hash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' },
    kind: 'personal',
    subject: { id: subject, type: 'person' },
    grantor: { id: subject, capacity: 'self' },
    parties: [
      { id: testParties.holder, role: 'holder', name: 'Sports Federation', country: 'CH' },
      { id: testParties.recipient, role: 'recipient', name: 'Sports Lab', country: 'DE' },
    ],
    notice: testNotice(),
    grants: [testGrant()],
    validity: { notBefore: '2026-03-01T10:00:00Z', expires: '2026-03-31T10:00:00Z' },
    revocation: {
      uri: 'https://consent.federation.example/me',
      by: ['subject', 'holder', 'recipient'],
      status: { uri: 'https://federation.example/status/1', idx: 4711 },
    },
    createdAt: '2026-03-01T10:00:00Z',
    proofs: [],
    ...members,
  }
}

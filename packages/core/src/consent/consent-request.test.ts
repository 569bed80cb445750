import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConsentRequest, requestHash, requestTerms } from './consent-request.ts'
import type { ConsentTemplate } from './consent-template.ts'
import { testGrant, testParties, testRequest } from './test-consent.ts'

const { grants, notice, duration, ...common } = testRequest()
const template: ConsentTemplate = {
  iss: testParties.recipient,
  id: 'urn:example:sports-medicine',
  version: '7',
  kind: 'personal',
  title: { en: 'Sports medicine' },
  notice: { text: { en: 'From the template.' } },
  grants: [testGrant({ grant: 't1' })],
  duration: 'P30D',
  parties: [{ id: 'did:web:statistics.example', role: 'processor', name: 'Statistics' }],
}

function pointers(value: unknown): readonly string[] {
  let found: readonly string[] = []
  assert.throws(
    () => parseConsentRequest(value),
    (error: { code: string; message: string; members: { errors: readonly { pointer: string }[] } }) => {
      assert.equal(error.code, 'consent-request-invalid')
      assert.ok(!error.message.includes('736041664'), 'an error names no person')
      found = error.members.errors.map(({ pointer }) => pointer)
      return true
    },
  )
  return found
}

test('a request with grants and a notice is read as it was written', () => {
  assert.deepEqual(parseConsentRequest(testRequest()), testRequest())
  const whole = testRequest({
    grantor: { capacity: 'guardian' },
    parties: template.parties,
    subject: { reference: '7', type: 'child' },
  })
  assert.deepEqual(parseConsentRequest(whole), whole)
})

test('exactly one of template, or grants with notice and duration', () => {
  assert.deepEqual(parseConsentRequest({ ...common, template: 'a.b.c' }), { ...common, template: 'a.b.c' })
  assert.ok(parseConsentRequest({ ...common, template: 'a.b.c', duration: 'P7D' }))
  assert.deepEqual(pointers(common), ['/grants', '/notice', '/duration'])
  assert.deepEqual(pointers({ ...common, grants, duration }), ['/notice'])
  assert.deepEqual(pointers({ ...testRequest(), template: 'a.b.c' }), ['/grants', '/notice'])
})

test('unknown and malformed members are told by pointer, all at once', () => {
  assert.deepEqual(pointers({ ...testRequest(), urgent: true }), [''])
  assert.deepEqual(pointers({ ...testRequest(), duration: 'for ever' }), ['/duration'])
  assert.deepEqual(
    pointers({
      ...testRequest(),
      subject: { reference: '', type: 'person', email: 'x' },
      recipient: { name: 'Lab', did: 'x' },
    }),
    ['/subject/reference', '/subject', '/recipient'],
  )
  assert.deepEqual(pointers(testRequest({ grants: [{ ...testGrant(), geo: { allow: ['ZZ'] } }] })), [
    '/grants/0/geo/allow/0',
  ])
  assert.deepEqual(pointers(testRequest({ notice: { version: '1', text: {} } })), ['/notice/text'])
  for (const value of [null, [], 'x', 7]) assert.deepEqual(pointers(value), [''])
})

test('holder and recipient are not named by the request', () => {
  const party = { id: testParties.holder, role: 'holder', name: 'Federation' }
  assert.deepEqual(pointers({ ...testRequest(), parties: [party] }), ['/parties'])
})

test('kind, subject and grantor must fit', () => {
  assert.deepEqual(pointers(testRequest({ kind: 'business' })), ['/subject'])
  assert.deepEqual(pointers(testRequest({ subject: { reference: '7', type: 'org' } })), ['/subject'])
  assert.ok(
    parseConsentRequest(
      testRequest({ kind: 'business', subject: { reference: '7', type: 'org' }, grantor: { capacity: 'officer' } }),
    ),
  )
  assert.deepEqual(
    pointers(testRequest({ subject: { reference: '7', type: 'child' }, grantor: { capacity: 'self' } })),
    ['/grantor'],
  )
})

test('the hash is the same in whatever order the members stand, and another for another request', () => {
  const request = testRequest()
  const reversed = parseConsentRequest(Object.fromEntries(Object.entries(request).toReversed()))
  assert.equal(requestHash(reversed), requestHash(request))
  assert.notEqual(requestHash(testRequest({ duration: 'P31D' })), requestHash(request))
})

test('the terms come from the request, or from its template with the shorter time', () => {
  assert.deepEqual(requestTerms(testRequest(), undefined), { grants, notice, duration, parties: [] })
  const request = parseConsentRequest({
    ...common,
    template: 'a.b.c',
    parties: [{ id: 'https://dpo.example', role: 'dpo', name: 'DPO' }],
  })
  const terms = requestTerms(request, template)
  assert.deepEqual([terms.grants, terms.duration], [template.grants, 'P30D'])
  assert.deepEqual(terms.notice, { version: '7', text: { en: 'From the template.' } })
  assert.deepEqual(
    terms.parties.map(({ role }) => role),
    ['processor', 'dpo'],
  )
  assert.equal(requestTerms({ ...request, duration: 'P7D' }, template).duration, 'P7D')
})

test('a request that asks for longer or for another kind than its template is refused', () => {
  const refused = { code: 'consent-request-invalid' }
  const request = parseConsentRequest({ ...common, template: 'a.b.c' })
  for (const asked of ['P31D', 'P1M', 'P1Y']) {
    assert.throws(() => requestTerms({ ...request, duration: asked }, template), refused, asked)
  }
  assert.throws(() => requestTerms(request, { ...template, kind: 'business' }), refused)
  assert.throws(() => requestTerms(request, undefined), refused)
})

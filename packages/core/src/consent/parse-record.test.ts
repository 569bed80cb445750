import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConsentEvent, ConsentRecord } from './consent-record.ts'
import { noticeHash } from './consent-record-schema.ts'
import {
  eventHash,
  parseConsentEvent,
  parseConsentRecord,
  recordHash,
  verifyEventChain,
  verifyRecordChain,
} from './parse-record.ts'
import { testGrant, testNotice, testRecord } from './test-consent.ts'

const invalid = { name: 'Problem', code: 'consent-record-invalid' }
const refuses = (value: unknown, pointer?: string): void => {
  assert.throws(
    () => parseConsentRecord(value),
    (error: { code: string; members: { errors: readonly { pointer: string }[] } }) => {
      assert.equal(error.code, 'consent-record-invalid')
      if (pointer !== undefined)
        assert.deepEqual(
          error.members.errors.map((fault) => fault.pointer),
          [pointer],
        )
      return true
    },
    JSON.stringify(pointer),
  )
}

test('a record is read as it was written', () => {
  assert.deepEqual(parseConsentRecord(testRecord()), testRecord())
})

test('the hash covers every member but the proofs', () => {
  const record = testRecord()
  const hash = recordHash(record)
  const link = {
    by: record.subject.id,
    role: 'subject',
    type: 'link',
    at: record.createdAt,
    value: { channel: 'mail' },
  } as const
  assert.equal(recordHash({ ...record, proofs: [link] }), hash)
  const changed: Partial<ConsentRecord>[] = [
    { id: 'urn:uuid:019bc0f2-7d40-7cc3-98c4-dc0c0c073990' },
    { rev: 2 },
    { prev: hash },
    { notice: testNotice('Other words.') },
    { grants: [testGrant({ maxUses: 1 })] },
    { validity: { ...record.validity, expires: '2026-03-31T10:00:01Z' } },
    { law: { jurisdiction: 'CH' } },
  ]
  for (const members of changed) assert.notEqual(recordHash({ ...record, ...members }), hash, JSON.stringify(members))
})

/** The same value with the members of every object in another order. */
function shuffled(value: unknown, random: (length: number) => number): unknown {
  if (Array.isArray(value)) return value.map((element) => shuffled(element, random))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, shuffled(member, random)] as const)
  for (let at = members.length - 1; at > 0; at--) {
    const other = random(at + 1)
    const [a, b] = [members[at], members[other]]
    if (a !== undefined && b !== undefined) [members[at], members[other]] = [b, a]
  }
  return Object.fromEntries(members)
}

test('the hash is the same in whatever order the members stand', () => {
  const record = testRecord({
    grants: [testGrant({ title: { en: 'a', ar: 'ب', de: 'c' }, geo: { deny: ['US'], allow: ['DE'] } })],
  })
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
      const other = shuffled(record, (length) => (numbers.next().value as number) % length)
      assert.equal(recordHash(parseConsentRecord(JSON.parse(JSON.stringify(other)))), recordHash(record))
    }),
    { numRuns: 100 },
  )
})

const scripts: Readonly<Record<string, string>> = {
  ar: 'نحن ندرس كيف تُشكّل الرياضة الجسم.',
  hi: 'हम अध्ययन करते हैं कि खेल शरीर को कैसे गढ़ता है।',
  'zh-Hant': '我們研究運動如何塑造身體。',
  vi: 'Chu\u0301ng to\u0302i nghie\u0302n cu\u031b\u0301u.',
  th: 'เราศึกษาว่ากีฬาหล่อหลอมร่างกายอย่างไร',
  'sr-Cyrl': 'Проучавамо спорт 🏅👩🏽‍🔬.',
  en: 'Line one.\r\n\tLine two: “quoted”, \u00a0no\u2011break.',
}

test('a notice in any script is hashed over exactly its UTF-8 bytes', () => {
  for (const [lang, text] of Object.entries(scripts)) {
    const record = parseConsentRecord(JSON.parse(JSON.stringify(testRecord({ notice: testNotice(text, lang) }))))
    assert.equal(record.notice.text, text)
    assert.equal(record.notice.hash, createHash('sha256').update(Buffer.from(text, 'utf8')).digest('base64url'))
  }
})

test('texts that look alike and are written otherwise are two texts', () => {
  const composed = 'é'
  const decomposed = 'e\u0301'
  assert.notEqual(noticeHash(composed), noticeHash(decomposed))
  const notice = testNotice(composed)
  refuses(testRecord({ notice: { ...notice, text: decomposed } }), '/notice/hash')
  assert.notEqual(recordHash(testRecord({ notice })), recordHash(testRecord({ notice: testNotice(decomposed) })))
})

test('an unknown member is refused at every depth', () => {
  const record = testRecord()
  refuses({ ...record, state: 'active' }, '')
  refuses({ ...record, subject: { ...record.subject, name: 'Ada' } }, '/subject')
  refuses({ ...record, notice: { ...record.notice, hidden: 'x' } }, '/notice')
  refuses({ ...record, validity: { ...record.validity, type: 'once' } }, '/validity')
  refuses({ ...record, revocation: { ...record.revocation, effectiveWithin: 'P1D' } }, '/revocation')
  refuses(
    {
      ...record,
      parties: record.parties
        .map((party) => ({ ...party, logo: 'x' }))
        .slice(0, 1)
        .concat(record.parties.slice(1) as never),
    },
    '/parties/0',
  )
  refuses({ ...record, grants: [{ ...testGrant(), when: 'x' }] }, '/grants/0')
})

test('a member that is missing or malformed is told by its pointer', () => {
  const record = testRecord()
  for (const name of Object.keys(record)) {
    const rest = Object.fromEntries(Object.entries(record).filter(([other]) => other !== name))
    refuses(rest, `/${name}`)
  }
  refuses({ ...record, schema: 'urn:comity:consent-record:2' }, '/schema')
  refuses({ ...record, id: 'urn:uuid:6fa459ea-ee8a-4ca4-894e-db77e160355e' }, '/id')
  refuses({ ...record, id: record.id.toUpperCase() }, '/id')
  refuses({ ...record, notice: { ...record.notice, uri: 'javascript:alert(1)' } }, '/notice/uri')
  refuses(
    { ...record, revocation: { ...record.revocation, status: { uri: 'https://a.example/1', idx: -1 } } },
    '/revocation/status/idx',
  )
})

test('what the members say about each other must fit', () => {
  const record = testRecord()
  const { validity, revocation } = record
  const subject = record.subject.id
  refuses({ ...record, prev: recordHash(record) }, '/prev')
  refuses({ ...record, rev: 2 }, '/prev')
  refuses({ ...record, kind: 'business' }, '/subject/type')
  refuses({ ...record, subject: { id: subject, type: 'org' } }, '/subject/type')
  refuses({ ...record, grantor: { id: subject, capacity: 'guardian' } }, '/grantor/id')
  refuses({ ...record, grantor: { id: 'somebody else', capacity: 'self' } }, '/grantor/id')
  refuses({ ...record, validity: { ...validity, expires: validity.notBefore } }, '/validity/expires')
  refuses({ ...record, validity: { ...validity, reconfirmBy: '2027-01-01T00:00:00Z' } }, '/validity/reconfirmBy')
  refuses({ ...record, revocation: { ...revocation, by: ['holder', 'recipient'] } }, '/revocation/by')
  refuses({ ...record, parties: record.parties.slice(0, 1) }, '/parties')
  refuses({ ...record, parties: [...record.parties, record.parties[1]] }, '/parties')
})

test('a guardian is named with what shows the capacity', () => {
  const evidence = [{ kind: 'birth-register', hash: recordHash(testRecord()) }]
  const record = testRecord({
    subject: { id: testRecord().subject.id, type: 'child' },
    grantor: { id: 'guardian-1', capacity: 'guardian', evidence },
    revocation: { ...testRecord().revocation, by: ['grantor', 'holder'] },
  })
  assert.deepEqual(parseConsentRecord(record), record)
})

test('a record that is too long is refused', () => {
  const long = 'x'.repeat(4000)
  const grants = Array.from({ length: 32 }, (_, at) =>
    testGrant({
      grant: `g${at}`,
      automatedDecision: { logic: long, consequence: long },
      title: { en: 'x'.repeat(500) },
      fields: { include: Array.from({ length: 60 }, (__, n) => `${'f'.repeat(100)}${n}`) },
    }),
  )
  refuses(testRecord({ grants }), '')
})

function revisions(count: number): ConsentRecord[] {
  const records: ConsentRecord[] = []
  for (let rev = 1; rev <= count; rev++) {
    const before = records.at(-1)
    records.push(
      testRecord({
        rev,
        ...(before !== undefined && { prev: recordHash(before) }),
        grants: [testGrant({ maxUses: rev })],
      }),
    )
  }
  return records
}

test('a whole series of revisions verifies', () => {
  for (const count of [1, 2, 5]) verifyRecordChain(revisions(count))
})

test('a series with a revision missing, changed, exchanged or of another consent does not verify', () => {
  const records = revisions(3)
  const [first, second, third] = records as [ConsentRecord, ConsentRecord, ConsentRecord]
  const other = {
    ...second,
    subject: { ...second.subject, id: 'ps_other' },
    grantor: { ...second.grantor, id: 'ps_other' },
  }
  const elsewhere = {
    ...second,
    parties: second.parties.map((party) =>
      party.role === 'recipient' ? { ...party, id: 'did:web:x.example' } : party,
    ),
  }
  for (const series of [
    [],
    [second, third],
    [first, third],
    [first, third, second],
    [first, { ...second, createdAt: '2026-03-01T10:00:01Z' }, third],
    [{ ...first, prev: recordHash(first) }],
    [first, other],
    [first, elsewhere],
  ]) {
    assert.throws(() => verifyRecordChain(series), invalid)
  }
})

type Step = readonly [type: ConsentEvent['type'], role: ConsentEvent['by']['role'], state: ConsentEvent['state']]
const life: readonly Step[] = [
  ['requested', 'recipient', 'requested'],
  ['presented', 'subject', 'requested'],
  ['deferred', 'subject', 'deferred'],
  ['granted', 'subject', 'active'],
  ['paused', 'holder', 'paused'],
  ['amended', 'subject', 'paused'],
  ['resumed', 'holder', 'active'],
  ['withdrawn', 'subject', 'withdrawn'],
]

function eventsOf(steps: readonly Step[]): ConsentEvent[] {
  const events: ConsentEvent[] = []
  for (const [index, [type, role, state]] of steps.entries()) {
    const before = events.at(-1)
    events.push({
      consent: testRecord().id,
      seq: index + 1,
      at: '2026-03-01T10:00:00Z',
      type,
      state,
      by: { id: role, role },
      method: 'page',
      ...(before !== undefined && { prev: eventHash(before) }),
    })
  }
  return events
}

test('a whole series of steps verifies, from wherever it is cut off at its end', () => {
  const events = eventsOf(life)
  for (let length = 1; length <= events.length; length++)
    verifyEventChain(events.slice(0, length).map(parseConsentEvent))
})

test('a series with a step missing, changed, exchanged or not possible does not verify', () => {
  const events = eventsOf(life)
  const swapped = events.map((event, at) => events[at === 2 ? 3 : at === 3 ? 2 : at] ?? event)
  const changed = events.map((event, at) => (at === 3 ? { ...event, method: 'api' } : event))
  const later = eventsOf([...life, ['granted', 'subject', 'active']])
  const byOther = eventsOf([...life.slice(0, 6), ['resumed', 'subject', 'active']])
  const wrongState = eventsOf([...life.slice(0, 4), ['paused', 'subject', 'active']])
  const silent = eventsOf([
    ['requested', 'recipient', 'requested'],
    ['granted', 'recipient', 'active'],
  ])
  for (const series of [
    [],
    events.slice(1),
    events.toSpliced(3, 1),
    swapped,
    changed,
    later,
    byOther,
    wrongState,
    silent,
  ]) {
    assert.throws(() => verifyEventChain(series), invalid)
  }
})

test('a step with an unknown member, or without the hash of the one before, is refused', () => {
  const [first, second] = eventsOf(life)
  assert.throws(() => parseConsentEvent({ ...first, note: 'x' }), invalid)
  assert.throws(() => parseConsentEvent({ ...second, prev: undefined }), invalid)
  assert.throws(() => parseConsentEvent({ ...first, at: 'now' }), invalid)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { checkReceiptMatchesEvent, exchangeEventBody, parseExchangeEvent, type ExchangeEvent } from './event.ts'
import { fieldsHash, policyClaims } from './field-lists.ts'
import type { ReceiptClaims } from './receipt.ts'

const hash = 'RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg'
const claims: ReceiptClaims = {
  iss: 'did:web:federation.example',
  aud: 'did:web:lab.example',
  jti: '0190a7b0-0000-7000-8000-000000000001',
  iat: 1_718_000_001,
  time: 1_718_000_001_234,
  req: hash,
  res: hash,
  status: 200,
  prd: 'athletes',
  ver: '1.0.0',
  op: 'getAthlete',
  agr: 'urn:uuid:1',
  pur: 'urn:purpose',
  log: 'federation.example/log',
  leaf: hash,
}
const holderEvent: ExchangeEvent = {
  id: claims.jti,
  role: 'holder',
  outcome: 'allowed',
  time: claims.time,
  peer: claims.aud,
  product: 'athletes',
  version: '1.0.0',
  operation: 'getAthlete',
  method: 'GET',
  path: '/athletes/{id}',
  agreement: 'urn:uuid:1',
  purpose: 'urn:purpose',
  status: 200,
  requestHash: hash,
  responseHash: hash,
  durationMs: 4.25,
  upstreamMs: 2,
}
const recipientEvent: ExchangeEvent = {
  ...holderEvent,
  role: 'recipient',
  peer: claims.iss,
  time: claims.time + 40,
  receipt: { hash, log: claims.log, leaf: hash },
}

test('an event is written with its members in one order, absent ones left out', () => {
  const { peer, ...anonymous } = holderEvent
  const body = exchangeEventBody({ ...anonymous, peer })
  assert.equal(body, exchangeEventBody(holderEvent))
  assert.match(body, /^\{"type":"exchange","id":"0190/)
  const least = { id: 'x', role: 'holder', outcome: 'denied', time: 0, method: 'GET' } as const
  const expected = '{"type":"exchange","id":"x","role":"holder","outcome":"denied","time":0,"method":"GET"}'
  assert.equal(exchangeEventBody(least), expected)
})

test('an event reads as it was written', () => {
  const text = fc.string({ minLength: 1, maxLength: 20 })
  const event = fc.record(
    {
      id: text,
      role: fc.constantFrom('holder', 'recipient'),
      outcome: fc.constantFrom('intended', 'allowed', 'denied', 'failed', 'unknown'),
      time: fc.nat(),
      method: text,
      peer: text,
      path: text,
      problem: text,
      status: fc.integer({ min: 100, max: 599 }),
      receipt: fc.constant({ hash, log: 'l', leaf: hash }),
      durationMs: fc.float({ min: 0, max: 1000, noNaN: true }),
    },
    { requiredKeys: ['id', 'role', 'outcome', 'time', 'method'], noNullPrototype: true },
  )
  fc.assert(
    fc.property(event, (made) => {
      assert.deepEqual(parseExchangeEvent(exchangeEventBody(made)), JSON.parse(JSON.stringify(made)))
    }),
  )
})

test('refuses a body that is not exactly an exchange', () => {
  const body = exchangeEventBody(holderEvent)
  for (const text of [
    '',
    'null',
    body.slice(0, -1),
    body.replace('"exchange"', '"other"'),
    body.replace('"holder"', '"witness"'),
    body.replace('{', '{"query":"?name=x",'),
    body.replace('{', '{"id":"other",'),
    body.replace('"status":200', '"status":"200"'),
    body.replace(hash, 'short'),
  ]) {
    assert.throws(
      () => parseExchangeEvent(text),
      (error) => error instanceof Problem && error.code === 'proof-invalid',
      text,
    )
  }
})

test('receipt and event of either side tell the same story', () => {
  assert.deepEqual(checkReceiptMatchesEvent(claims, holderEvent), [])
  assert.deepEqual(checkReceiptMatchesEvent(claims, recipientEvent), [])
})

test('a call about a person names consent, delegation and fields in receipt and event alike', () => {
  const said = {
    consent: { id: 'urn:uuid:1', rev: 2, hash },
    via: ['did:web:lab.example', 'did:web:firm.example'],
    released: ['height', 'name'],
    withheld: ['weight'],
  }
  const told: ReceiptClaims = { ...claims, con: said.consent, via: said.via, rel: said.released, wit: said.withheld }
  for (const event of [
    { ...holderEvent, ...said },
    { ...recipientEvent, ...said },
  ]) {
    assert.deepEqual(checkReceiptMatchesEvent(told, event), [])
    assert.deepEqual(parseExchangeEvent(exchangeEventBody(event)), JSON.parse(JSON.stringify(event)))
    for (const [member, other] of [
      ['consent', { ...said.consent, rev: 1 }],
      ['consent', undefined],
      ['via', ['did:web:lab.example']],
      ['released', ['height,name']],
      ['released', ['name', 'height']],
      ['withheld', []],
    ] as const) {
      assert.deepEqual(checkReceiptMatchesEvent(told, { ...event, [member]: other }), [member])
    }
    assert.deepEqual(checkReceiptMatchesEvent(claims, event), ['consent', 'via', 'released', 'withheld'])
  }
})

test('lists too long for a receipt are compared by their hash, on either side', () => {
  const released = Array.from({ length: 300 }, (_, index) => `f${index}`)
  const lists = { released, withheld: ['weight'] }
  const fld = fieldsHash(lists)
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, fld }, { ...holderEvent, ...lists }), [])
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, fld }, { ...recipientEvent, fields: fld }), [])
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, fld }, { ...holderEvent, released }), ['fields'])
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, fld }, { ...recipientEvent, fields: hash }), ['fields'])
  assert.deepEqual(checkReceiptMatchesEvent(claims, { ...recipientEvent, fields: fld }), ['fields'])
})

test('names every member on which receipt and event disagree', () => {
  for (const [event, members] of [
    [{ ...holderEvent, id: 'x' }, ['id']],
    [{ ...holderEvent, peer: claims.iss }, ['peer']],
    [{ ...holderEvent, time: 1 }, ['time']],
    [{ ...holderEvent, status: 500, product: 'p' }, ['product', 'status']],
    [{ ...holderEvent, purpose: undefined }, ['purpose']],
    [{ ...recipientEvent, receipt: undefined }, ['receipt.log', 'receipt.leaf']],
    [{ ...recipientEvent, responseHash: 'x' }, ['responseHash']],
  ] as const) {
    assert.deepEqual(checkReceiptMatchesEvent(claims, event), members)
  }
})

test('the policies of receipt and event are the same, or the receipt has the hash of too many', () => {
  const decided = { policies: ['a', 'b'], policyVersion: 3 }
  assert.deepEqual(parseExchangeEvent(exchangeEventBody({ ...holderEvent, ...decided })), {
    ...holderEvent,
    ...decided,
  })
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, pol: ['a', 'b'] }, { ...holderEvent, ...decided }), [])
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, pol: ['a'] }, { ...holderEvent, ...decided }), ['policies'])
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, pol: ['a'] }, holderEvent), ['policies'])
  assert.deepEqual(checkReceiptMatchesEvent(claims, { ...holderEvent, ...decided }), ['policies'])
  const many = Array.from({ length: 65 }, (_, index) => `p${index}`)
  const { pol = [] } = policyClaims(many)
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, pol }, { ...holderEvent, policies: many }), [])
  assert.deepEqual(checkReceiptMatchesEvent({ ...claims, pol }, { ...recipientEvent, policies: pol }), [])
})

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { formatAcceptSealing, parseAcceptSealing } from './accept-sealing.ts'
import { agreementKeysOf, keyFor, parseAgreementJwk } from './agreement-key.ts'
import { commitmentTo, decodeContent, encodeContent, innerFields } from './sealed-content.ts'
import {
  answerBinding,
  encodeHead,
  parseEnvelope,
  requestBinding,
  sealedLength,
  statedAlgorithm,
} from './sealed-envelope.ts'
import { decideAnswerSealing, sealingAlgorithms, sealingModes, type SealingOffer } from './sealing-algorithms.ts'

const did = 'did:web:lab.example'
const salt = new Uint8Array(32).fill(5)
const unopened = { code: 'unseal-failed', message: 'the sealed content cannot be opened' }
const offers: readonly SealingOffer[] = sealingAlgorithms.map((algorithm, at) => ({
  algorithm,
  keyid: `${did}#k${at}`,
}))

test('whatever either side requires is sealed or refused, and nothing is sealed by what one side does not allow', () => {
  const some = fc.subarray([...sealingAlgorithms])
  const accepted = fc.option(fc.record({ algorithms: some, isRequired: fc.boolean() }), { nil: undefined })
  fc.assert(
    fc.property(fc.constantFrom(...sealingModes), some, accepted, (mode, algorithms, said) => {
      const named = offers.filter(({ algorithm }) => said?.algorithms.includes(algorithm) === true)
      const facts = said && { offers: named, isRequired: said.isRequired }
      const verdict = decideAnswerSealing({ mode, algorithms, accepted: facts })
      if (mode === 'required' || facts?.isRequired === true) assert.notEqual(verdict.outcome, 'clear')
      if (verdict.outcome === 'refused') assert.ok(mode === 'required' || facts?.isRequired === true)
      if (verdict.outcome !== 'sealed') return
      assert.ok(mode !== 'off' && named.includes(verdict.offer))
      const best = algorithms.find((name) => named.some(({ algorithm }) => algorithm === name))
      assert.equal(verdict.offer.algorithm, best, 'the holder’s order counts')
    }),
  )
})

test('the field Comity-Accept-Sealing reads back as it was written', () => {
  for (const isRequired of [true, false]) {
    const field = formatAcceptSealing({ offers, isRequired })
    assert.deepEqual(parseAcceptSealing(field, did), { offers, isRequired })
  }
  assert.equal(
    formatAcceptSealing({ offers: offers.slice(0, 1), isRequired: true }),
    'offer=(HPKE-9;kid="k0"), required',
  )
})

test('the field may name algorithms and members that nobody knows yet, and nothing else', () => {
  assert.deepEqual(parseAcceptSealing('offer=(HPKE-99;kid="k9" HPKE-3;kid="k1"), later=7', did), {
    offers: [{ algorithm: 'HPKE-3', keyid: `${did}#k1` }],
    isRequired: false,
  })
  for (const bad of [
    '',
    'offer=HPKE-3',
    'offer=("HPKE-3";kid="k1")',
    'offer=(HPKE-3)',
    'offer=(HPKE-3;kid=k1)',
    'offer=(HPKE-3;kid="did:web:other.example#k1")',
    'offer=(HPKE-3;kid="a b")',
    'offer=(HPKE-3;kid="k1"), required=1',
    'offer=(HPKE-3;kid="k1"), offer=(HPKE-9;kid="k2")',
    `offer=(${'HPKE-3;kid="k" '.repeat(17).trim()})`,
    'required',
  ]) {
    assert.throws(() => parseAcceptSealing(bad, did), { code: 'malformed-request' }, bad)
  }
})

test('content reads back with its fields, and its commitment holds for it alone', () => {
  const fields = fc.dictionary(
    fc.constantFrom(...innerFields),
    fc.string({ unit: fc.constantFrom('a', '"', ';', ' ') }),
  )
  fc.assert(
    fc.property(fields, fc.uint8Array({ maxLength: 300 }), (inside, body) => {
      const { bytes, opening } = encodeContent({ fields: { ...inside }, body }, salt)
      const read = decodeContent(bytes)
      assert.deepEqual({ ...read.content.fields }, { ...inside })
      assert.deepEqual(Buffer.from(read.content.body), Buffer.from(body))
      assert.equal(commitmentTo(read.opening), commitmentTo(opening))
      const other = encodeContent({ fields: { ...inside }, body: concatBytes(body, Uint8Array.of(1)) }, salt)
      assert.notEqual(commitmentTo(other.opening), commitmentTo(opening))
      const salted = encodeContent({ fields: { ...inside }, body }, new Uint8Array(32).fill(6))
      assert.notEqual(commitmentTo(salted.opening), commitmentTo(opening))
    }),
  )
})

test('refuses content that is cut off, whose fields are none, or name what may not travel inside', () => {
  const { bytes } = encodeContent({ fields: { 'content-type': 'text/plain' }, body: Uint8Array.of(1, 2) }, salt)
  for (let end = 0; end < 36; end += 5) assert.throws(() => decodeContent(bytes.subarray(0, end)), unopened)
  for (const text of [
    '[]',
    '{"set-cookie":"a"}',
    '{"content-type":1}',
    '{"etag":"a","etag":"b"}',
    '{"etag":"a\\nb"}',
    'x',
  ]) {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, text.length)
    assert.throws(() => decodeContent(concatBytes(salt, length, new TextEncoder().encode(text))), unopened, text)
  }
  const huge = Uint8Array.of(...salt, 0xff, 0xff, 0xff, 0xff)
  assert.throws(() => decodeContent(huge), unopened)
})

test('refuses envelopes of another shape, all with the same words', () => {
  const head = { alg: 'HPKE-3', kid: `${did}#k1`, typ: 'comity-answer', bnd: encodeBase64url(salt) } as const
  const good = `${encodeHead(head)}.AAAA..AAAA.`
  assert.equal(parseEnvelope(good).bnd, head.bnd)
  const headed = (changes: object) =>
    `${encodeBase64url(new TextEncoder().encode(JSON.stringify({ ...head, ...changes })))}.AAAA..AAAA.`
  for (const bad of [
    '',
    'a.b.c.d',
    `${good}.x`,
    good.replace('AAAA', 'AAA='),
    headed({ alg: 'none' }),
    headed({ typ: 'JWT' }),
    headed({ bnd: 'short' }),
    headed({ crit: ['x'] }),
    headed({ enc: 'A256GCM' }),
    headed({ zip: 'DEF' }),
    headed({ kid: 'x'.repeat(5_000) }),
    headed({ alg: 'ECDH-ES+A256KW' }),
    headed({ alg: 'ECDH-ES+A256KW', enc: 'A128GCM', epk: { kty: 'OKP', crv: 'X25519', x: head.bnd } }),
    headed({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', epk: { kty: 'OKP', crv: 'X25519', x: head.bnd, d: head.bnd } }),
  ]) {
    assert.throws(() => parseEnvelope(bad), unopened, bad.slice(0, 60))
  }
  assert.equal(statedAlgorithm(good), 'HPKE-3')
  assert.equal(statedAlgorithm(headed({ alg: 'RSA1_5' })), undefined)
})

test('a binding is another for whatever makes another request', () => {
  const request = { method: 'POST', authority: 'a', path: '/x/p', query: '?', keyid: `${did}#k`, nonce: 'n' }
  const bindings = Object.keys(request).map((name) => requestBinding({ ...request, [name]: 'other' }))
  assert.equal(new Set([requestBinding(request), ...bindings]).size, 7)
  assert.notEqual(answerBinding('base'), answerBinding('base '))
})

test('an envelope is never longer than is reckoned with', () => {
  for (const bytes of [0, 1, 1_000_000]) assert.ok(sealedLength(bytes) > ((bytes + 36 + 32_768 + 16) * 4) / 3 + 6_000)
})

const x25519 = { kty: 'OKP', crv: 'X25519', x: encodeBase64url(new Uint8Array(32).fill(9)) }
const hybrid = { kty: 'AKP', alg: 'HPKE-9', pub: encodeBase64url(new Uint8Array(1216).fill(9)) }

test('reads X25519 and hybrid keys; refuses private ones, other kinds, other lengths and points of small order', () => {
  assert.equal(parseAgreementJwk({ ...x25519, kid: 'x', use: 'enc' }).kind, 'X25519')
  assert.equal(parseAgreementJwk(hybrid).bytes.length, 1216)
  for (const bad of [
    { ...x25519, d: x25519.x },
    { ...hybrid, priv: x25519.x },
    { ...x25519, crv: 'Ed25519' },
    { ...hybrid, alg: 'ML-KEM-768' },
    { ...x25519, x: encodeBase64url(new Uint8Array(31)) },
    { ...hybrid, pub: encodeBase64url(new Uint8Array(1184)) },
    { ...x25519, x: encodeBase64url(new Uint8Array(32)) },
    { ...hybrid, pub: encodeBase64url(new Uint8Array(1216)) },
    { ...x25519, x: `${x25519.x}=` },
    undefined,
  ]) {
    assert.throws(() => parseAgreementJwk(bad), { code: 'malformed-key' })
  }
  const point = decodeBase64url('4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA')
  point[31] = (point[31] ?? 0) | 0x80
  assert.throws(() => parseAgreementJwk({ ...x25519, x: encodeBase64url(point) }), { code: 'malformed-key' }, 'top bit')
})

test('seals to the newest key: one without an end, the last that is named; never to one that ended or is revoked', () => {
  const method = (id: string, more: object = {}) => ({
    id: `${did}#${id}`,
    type: 'JsonWebKey',
    controller: did,
    publicKeyJwk: x25519,
    ...more,
  })
  const end = '2026-01-01T00:00:00Z'
  const document = {
    id: did,
    verificationMethod: [
      method('ending', { expires: end }),
      method('older'),
      method('newer'),
      method('revoked', { revoked: '2020-01-01T00:00:00Z' }),
      method('unreadable', { publicKeyJwk: { kty: 'later' } }),
      method('foreign', { controller: 'did:web:other.example' }),
    ],
    keyAgreement: ['ending', 'older', 'newer', 'revoked', 'unreadable', 'foreign'].map((id) => `#${id}`),
  }
  const names = (atMs: number) => agreementKeysOf(document, atMs).map(({ keyid }) => keyid.split('#')[1])
  assert.deepEqual(names(Date.parse(end) - 1), ['newer', 'older', 'ending'])
  assert.deepEqual(names(Date.parse(end)), ['newer', 'older'])
  assert.equal(keyFor('ECDH-ES+A256KW', agreementKeysOf(document, 0))?.keyid, `${did}#newer`)
  assert.equal(keyFor('HPKE-9', agreementKeysOf(document, 0)), undefined)
})

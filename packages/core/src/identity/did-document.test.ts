import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PublicJwk } from '../crypto/crypto.ts'
import { generatePrivateJwk } from '#crypto'
import { encodeMultikey } from './multibase.ts'
import { findService, findVerificationMethod, parseDidDocument, verificationMethods } from './did-document.ts'

const did = 'did:web:a.example'
const publicJwk = (): PublicJwk => {
  const { d: _, ...jwk } = generatePrivateJwk('ecdsa-p256-sha256')
  return jwk as PublicJwk
}
const jwk = publicJwk()
const method = (extra: object = {}) => ({
  id: `${did}#k`,
  type: 'JsonWebKey',
  controller: did,
  publicKeyJwk: { ...jwk },
  ...extra,
})
const at = (time: string) => Date.parse(time)
const now = { purpose: 'authentication', atMs: at('2026-06-01T00:00:00Z') } as const
const find = (document: object, use: { purpose: 'authentication' | 'assertionMethod'; atMs: number } = now) =>
  findVerificationMethod(parseDidDocument({ id: did, ...document }, did), `${did}#k`, use)
const unknown = { code: 'key-unknown' }

test('finds a key by reference, by relative reference and embedded', () => {
  assert.deepEqual(find({ verificationMethod: [method()], authentication: [`${did}#k`] }).jwk, jwk)
  assert.deepEqual(find({ verificationMethod: [method({ id: '#k' })], authentication: ['#k'] }).jwk, jwk)
  assert.deepEqual(find({ authentication: [method()] }).jwk, jwk)
})

test('reads a key as a Multikey', () => {
  const multikey = method({ type: 'Multikey', publicKeyJwk: undefined, publicKeyMultibase: encodeMultikey(jwk) })
  assert.deepEqual(find({ authentication: [multikey] }).jwk, jwk)
})

test('a key counts only for the relationship it stands under', () => {
  const document = { verificationMethod: [method()], assertionMethod: ['#k'] }
  assert.throws(() => find(document), unknown)
  assert.ok(find(document, { ...now, purpose: 'assertionMethod' }))
})

test("refuses a key of another controller, and another DID's key", () => {
  assert.throws(() => find({ authentication: [method({ controller: 'did:web:b.example' })] }), unknown)
  const foreign = { id: did, authentication: [method({ id: 'did:web:b.example#k' })] }
  const document = parseDidDocument(foreign, did)
  assert.throws(() => findVerificationMethod(document, 'did:web:b.example#k', now), unknown)
  assert.deepEqual(verificationMethods(document, 'authentication'), [])
})

test('a key counts until it expires, and not after it was revoked', () => {
  const document = { authentication: [method({ expires: '2026-06-01T00:00:00Z' })] }
  assert.equal(find(document, { ...now, atMs: now.atMs - 1 }).endsAtMs, now.atMs)
  assert.throws(() => find(document), unknown)
  assert.throws(() => find({ authentication: [method({ revoked: '2026-05-01T00:00:00+02:00' })] }), unknown)
})

test('a retired key still verifies what it signed, for the relationship it had, and nothing later', () => {
  const document = {
    verificationMethod: [method({ expires: '2026-05-01T00:00:00Z', formerly: ['assertionMethod'] })],
  }
  const before = at('2026-04-30T23:59:59Z')
  assert.deepEqual(find(document, { purpose: 'assertionMethod', atMs: before }).jwk, jwk)
  assert.throws(() => find(document, { purpose: 'authentication', atMs: before }), unknown)
  assert.throws(() => find(document, { purpose: 'assertionMethod', atMs: now.atMs }), unknown)
  const endless = { verificationMethod: [method({ formerly: ['assertionMethod'] })] }
  assert.throws(() => find(endless, { purpose: 'assertionMethod', atMs: before }), unknown)
})

test('refuses a method with no key, with two, or with a key of another kind', () => {
  const two = method({ publicKeyMultibase: encodeMultikey(jwk) })
  const none = method({ publicKeyJwk: undefined })
  const other = method({ publicKeyJwk: { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' } })
  for (const bad of [two, none, other]) assert.throws(() => find({ authentication: [bad] }), { code: 'malformed-key' })
})

test('a document speaks only for the DID in its id', () => {
  assert.throws(() => parseDidDocument({ id: 'did:web:b.example' }, did), { code: 'did-invalid' })
})

test('keeps unknown members and refuses malformed known ones', () => {
  assert.equal(parseDidDocument({ id: did, extra: 1 }, did)['extra'], 1)
  const bad = [null, [], 'x', {}, { id: did, authentication: [1] }, { id: did, verificationMethod: {} }]
  const long = { id: did, verificationMethod: Array.from({ length: 129 }, () => method()) }
  const when = { id: did, verificationMethod: [method({ expires: 'tomorrow' })] }
  for (const value of [...bad, long, when]) {
    assert.throws(() => parseDidDocument(value, did), { code: 'did-invalid' }, JSON.stringify(value)?.slice(0, 60))
  }
})

test('finds a service by its type', () => {
  const service = { id: '#node', type: ['ComityNode', 'Other'], serviceEndpoint: 'https://a.example' }
  const document = parseDidDocument({ id: did, service: [service] }, did)
  assert.equal(findService(document, 'ComityNode')?.serviceEndpoint, 'https://a.example')
  assert.equal(findService(document, 'ComityLog'), undefined)
})

test('any JSON is read or refused, and looking for a key in it throws nothing but problems', () => {
  const sample = {
    id: did,
    verificationMethod: [
      method(),
      method({ id: '#m', publicKeyJwk: undefined, publicKeyMultibase: encodeMultikey(jwk) }),
    ],
    authentication: ['#k', '#m', method({ id: `${did}#e` })],
    service: [{ id: '#node', type: 'ComityNode', serviceEndpoint: {} }],
  }
  const text = JSON.stringify(sample)
  const mutated = fc
    .tuple(fc.nat(text.length), fc.nat(12), fc.string({ maxLength: 6 }))
    .map(([start, length, added]) => {
      return text.slice(0, start) + added + text.slice(start + length)
    })
  const texts = fc.oneof(mutated, fc.json())
  const keyids = fc.constantFrom(`${did}#k`, `${did}#m`, `${did}#e`, '#k', 'x')
  fc.assert(
    fc.property(texts, keyids, (json, keyid) => {
      try {
        findVerificationMethod(parseDidDocument(JSON.parse(json), did), keyid, now)
      } catch (error) {
        assert.ok(error instanceof SyntaxError || (error as Error).name === 'Problem', String(error))
      }
    }),
    { numRuns: 200 },
  )
})

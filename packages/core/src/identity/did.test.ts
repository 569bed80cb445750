import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PublicJwk } from '../crypto/crypto.ts'
import { generatePrivateJwk } from '#crypto'
import { didJwkDocument } from './did-jwk.ts'
import { didKeyDocument, didKeyOf, didKeyPublicKey } from './did-key.ts'
import { didWebOfUrl, didWebUrl } from './did-web.ts'
import { didOfKeyId, isDid, parseDid, parseDidUrl } from './did.ts'
import { findVerificationMethod, publicKeyOf } from './did-document.ts'

interface Vectors {
  didKey: { did: string; jwk: PublicJwk }[]
  didJwk: { did: string; jwk: Record<string, unknown>; relationships: string[] }[]
  didWeb: { did: string; url: string }[]
  invalid: { did: string; why: string }[]
}
const vectors = JSON.parse(readFileSync(new URL('../../../../vectors/did.json', import.meta.url), 'utf8')) as Vectors

const invalidDid = { name: 'Problem', code: 'did-invalid' }

/** What a resolver does with a DID before anything is fetched. */
function examine(did: string): void {
  const { method } = parseDid(did)
  if (method === 'web') didWebUrl(did)
  else if (method === 'key') didKeyDocument(did)
  else didJwkDocument(did)
}

for (const { did, jwk } of vectors.didKey) {
  test(`did:key test vector ${did}`, () => {
    assert.deepEqual(didKeyPublicKey(did), jwk)
    assert.equal(didKeyOf(jwk), did)
    const [method] = didKeyDocument(did).verificationMethod ?? []
    assert.ok(method)
    assert.deepEqual(publicKeyOf(method), jwk)
  })
}

for (const { did, jwk, relationships } of vectors.didJwk) {
  test(`did:jwk example ${String(jwk['crv'])}`, () => {
    const document = didJwkDocument(did)
    assert.deepEqual(document.verificationMethod, [
      { id: `${did}#0`, type: 'JsonWebKey2020', controller: did, publicKeyJwk: jwk },
    ])
    const named = Object.keys(document).filter((key) => JSON.stringify(document[key]) === JSON.stringify([`${did}#0`]))
    assert.deepEqual(named.toSorted(), relationships.toSorted())
  })
}

for (const { did, url } of vectors.didWeb) test(`${did} is at ${url}`, () => assert.equal(didWebUrl(did), url))

for (const { did, why } of vectors.invalid) {
  test(`refuses a DID: ${why}`, () => assert.throws(() => examine(did), invalidDid))
}

test('takes a DID URL apart', () => {
  assert.deepEqual(parseDidUrl('did:web:a.example/log/x?a=1#key-1'), {
    did: 'did:web:a.example',
    method: 'web',
    id: 'a.example',
    path: '/log/x',
    query: 'a=1',
    fragment: 'key-1',
  })
})

test('a key id is a DID and a fragment, nothing else', () => {
  assert.equal(didOfKeyId('did:web:a.example#key-1'), 'did:web:a.example')
  for (const keyid of [
    'did:web:a.example',
    'did:web:a.example#',
    'did:web:a.example/p#k',
    'did:web:a.example?q#k',
    '#k',
    '',
  ]) {
    assert.throws(() => didOfKeyId(keyid), invalidDid, keyid)
  }
})

test('refuses names beyond 2048 characters before it looks at them', () => {
  const long = `did:web:${'a'.repeat(3000)}`
  assert.throws(() => parseDid(long), invalidDid)
  assert.throws(() => parseDidUrl(`${long}#k`), invalidDid)
  assert.equal(isDid(long), false)
})

test('the did:web of an address leads back to it', () => {
  assert.equal(didWebOfUrl('https://node.example'), 'did:web:node.example')
  assert.equal(didWebOfUrl('https://NODE.example:8443/units/'), 'did:web:node.example%3A8443:units')
  for (const url of [
    'http://node.example',
    'https://127.0.0.1',
    'https://u:p@node.example',
    'https://a.example?x',
    'x',
  ]) {
    assert.throws(() => didWebOfUrl(url), invalidDid, url)
  }
})

test('every generated key survives the way through did:key', () => {
  for (let round = 0; round < 20; round++) {
    for (const algorithm of ['ed25519', 'ecdsa-p256-sha256'] as const) {
      const { d: _, ...jwk } = generatePrivateJwk(algorithm)
      const did = didKeyOf(jwk as PublicJwk)
      const keyid = `${did}#${did.slice(8)}`
      const found = findVerificationMethod(didKeyDocument(did), keyid, { purpose: 'authentication', atMs: 0 })
      assert.deepEqual(found.jwk, jwk)
    }
  }
})

test('any text is either read or refused with did-invalid, and reading is stable', () => {
  const parts = fc.constantFrom(
    'did:',
    'web:',
    'key:z',
    'jwk:',
    'a.example',
    '%3A',
    '%',
    '#',
    '/',
    '?',
    ':',
    '..',
    'z6Mk',
    'é',
    '\n',
  )
  const texts = fc.oneof(
    fc.string(),
    fc.array(parts, { maxLength: 8 }).map((list) => list.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        examine(text)
        assert.equal(parseDid(text).did, text)
        assert.equal(isDid(text), true)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'did-invalid', String(error))
      }
    }),
    { numRuns: 200 },
  )
})

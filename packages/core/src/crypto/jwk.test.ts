import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519Jwk, malformedPublicKeys, p256Jwk } from './crypto-vectors.ts'
import { jwkThumbprint, parsePublicJwk } from './jwk.ts'
import { publicPart } from './key-material.ts'

test('RFC 8037 A.3: thumbprint of an Ed25519 key', () => {
  assert.equal(jwkThumbprint(publicPart(ed25519Jwk)), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})

test('RFC 7638 §3: the thumbprint depends on the required members only, in any order', () => {
  const { x, y } = p256Jwk as { x: string; y: string }
  const thumbprint = jwkThumbprint({ kty: 'EC', crv: 'P-256', x, y })
  assert.equal(jwkThumbprint(Object.assign({ y, x, kid: 'k' }, { crv: 'P-256', kty: 'EC' } as const)), thumbprint)
  assert.equal(thumbprint.length, 43)
})

test('a parsed public key has its defined members and no other', () => {
  assert.deepEqual(parsePublicJwk({ ...publicPart(p256Jwk), kid: 'k', ext: true }), publicPart(p256Jwk))
})

test('refuses every malformed public key', () => {
  for (const [reason, jwk] of malformedPublicKeys) {
    assert.throws(() => parsePublicJwk(jwk), { code: 'malformed-key' }, reason)
  }
})

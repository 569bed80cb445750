import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { encodeHex } from '../bytes/hex.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import * as node from './crypto-node.ts'
import * as noble from './crypto-noble.ts'
import { bytes32, ed25519Order } from './crypto-vectors.ts'

const algorithms = ['ed25519', 'ecdsa-p256-sha256'] as const

for (const algorithm of algorithms) {
  test(`what either implementation signs with ${algorithm} both verify, whichever made the key`, () => {
    for (const made of [node, noble]) {
      const jwk = made.generatePrivateJwk(algorithm)
      for (const signs of [node, noble]) {
        const key = signs.importSigningKey(jwk)
        for (const verifies of [node, noble]) {
          assert.ok(verifies.importVerifyingKey(key.publicJwk).verify('text', key.sign('text')))
        }
      }
    }
  })

  test(`both implementations say the same of a damaged ${algorithm} signature`, () => {
    const key = node.importSigningKey(node.generatePrivateJwk(algorithm))
    const [left, right] = [node.importVerifyingKey(key.publicJwk), noble.importVerifyingKey(key.publicJwk)]
    const damage = fc.array(fc.tuple(fc.nat(63), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), { maxLength: 3 })
    fc.assert(
      fc.property(fc.string({ maxLength: 5 }), damage, (text, changes) => {
        const signature = key.sign(text)
        for (const [at, value] of changes) signature[at] = value
        assert.equal(left.verify(text, signature), right.verify(text, signature))
      }),
      { numRuns: 60 },
    )
  })
}

test('both implementations hash alike', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 60 })), (data) => {
      assert.deepEqual(node.sha256(data), noble.sha256(data))
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        assert.equal(node.sha256Text(data, encoding), noble.sha256Text(data, encoding))
      }
    }),
  )
})

// Where the equation holds only when multiplied by the cofactor, RFC 8032 lets verifiers disagree; ours may not.
const torsion = ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')

test('both implementations say the same of signatures by an Ed25519 key of mixed order', () => {
  const verdicts = mixedOrderSignatures({ keyTorsion: torsion, nonceTorsion: ed25519.Point.ZERO })
  assert.ok(verdicts.has(true) && verdicts.has(false))
})

test('both implementations refuse an Ed25519 signature whose R is of mixed order', () => {
  assert.deepEqual(mixedOrderSignatures({ keyTorsion: ed25519.Point.ZERO, nonceTorsion: torsion }), new Set([false]))
})

type Point = typeof torsion

function mixedOrderSignatures(options: { keyTorsion: Point; nonceTorsion: Point }): Set<boolean> {
  const secret = 0x1234567890abcdefn
  const publicKey = ed25519.Point.BASE.multiply(secret).add(options.keyTorsion).toBytes()
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(publicKey) } as const
  const [left, right] = [node.importVerifyingKey(jwk), noble.importVerifyingKey(jwk)]
  const verdicts = new Set<boolean>()
  for (let nonce = 2n; nonce < 60n; nonce++) {
    const r = ed25519.Point.BASE.multiply(nonce).add(options.nonceTorsion).toBytes()
    const hash = sha512(concatBytes(r, publicKey, utf8Bytes('text')))
    const challenge = BigInt(`0x${encodeHex(hash.toReversed())}`) % ed25519Order
    const s = bytes32((nonce + challenge * secret) % ed25519Order).toReversed()
    const verdict = left.verify('text', concatBytes(r, s))
    assert.equal(right.verify('text', concatBytes(r, s)), verdict)
    verdicts.add(verdict)
  }
  return verdicts
}

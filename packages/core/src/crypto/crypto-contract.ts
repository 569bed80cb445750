/** What every `CryptoProvider` must do, as tests; each implementation's test file runs them on itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64, decodeBase64 } from '../bytes/base64.ts'
import { concatBytes, equalBytes } from '../bytes/bytes.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { encodeHex } from '../bytes/hex.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import type { CryptoProvider, PrivateJwk, PublicJwk, VerifyingKey } from './crypto.ts'
import {
  bytes32,
  ed25519EmptySignature,
  ed25519Jwk,
  ed25519Order,
  malformedPrivateKeys,
  malformedPublicKeys,
  p256Jwk,
  p256Order,
  p256SampleSignature,
} from './crypto-vectors.ts'
import { publicPart } from './key-material.ts'

/** Registers the tests of the contract for one implementation. */
export function testCryptoProvider(name: string, provider: CryptoProvider): void {
  testHashes(name, provider)
  testMac(name, provider)
  testSignatures(name, provider)
  testHostileSignatures(name, provider)
  testKeys(name, provider)
}

function testHashes(name: string, provider: CryptoProvider): void {
  test(`${name}: FIPS 180-4 SHA-256 of "abc" and of nothing, as bytes and as text`, () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.equal(encodeHex(provider.sha256('abc')), abc)
    assert.equal(encodeHex(provider.sha256(utf8Bytes('abc'))), abc)
    assert.equal(encodeBase64(provider.sha256('')), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
    assert.equal(provider.sha256Text('abc', 'hex'), abc)
    assert.equal(provider.sha256Text('', 'base64'), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
    assert.equal(provider.sha256Text(new Uint8Array(0), 'base64url'), '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
  })

  test(`${name}: text is hashed as UTF-8, a lone surrogate as U+FFFD, and a view only as what it shows`, () => {
    assert.deepEqual(provider.sha256('é\u{1f600}\ud800'), provider.sha256(utf8Bytes('é\u{1f600}\ufffd')))
    assert.deepEqual(provider.sha256(Uint8Array.of(0, 97, 0).subarray(1, 2)), provider.sha256('a'))
    assert.equal(provider.sha256('a').constructor, Uint8Array)
  })
}

function testMac(name: string, provider: CryptoProvider): void {
  test(`${name}: RFC 4231 §4.3 and §4.7, a short key and one that is longer than a block`, () => {
    const mac = (key: Uint8Array, text: string) => encodeHex(provider.hmacSha256(key, text))
    assert.equal(
      mac(utf8Bytes('Jefe'), 'what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    assert.equal(
      mac(new Uint8Array(131).fill(0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    )
  })
}

function testSignatures(name: string, provider: CryptoProvider): void {
  test(`${name}: RFC 8032 §7.1 test 1 signs and verifies`, () => {
    const key = provider.importSigningKey(ed25519Jwk)
    assert.equal(key.algorithm, 'ed25519')
    assert.ok(equalBytes(key.sign(''), ed25519EmptySignature))
    assert.ok(provider.importVerifyingKey(key.publicJwk).verify('', ed25519EmptySignature))
  })

  test(`${name}: RFC 6979 A.2.5 verifies`, () => {
    const key = provider.importVerifyingKey(publicPart(p256Jwk))
    assert.equal(key.algorithm, 'ecdsa-p256-sha256')
    assert.ok(key.verify('sample', p256SampleSignature))
    assert.ok(!key.verify('test', p256SampleSignature))
  })

  for (const algorithm of ['ed25519', 'ecdsa-p256-sha256'] as const) {
    test(`${name}: a fresh ${algorithm} key signs what its public key verifies, and nothing else`, () => {
      const key = provider.importSigningKey(provider.generatePrivateJwk(algorithm))
      const other = provider.importVerifyingKey(
        provider.importSigningKey(provider.generatePrivateJwk(algorithm)).publicJwk,
      )
      const verifying = provider.importVerifyingKey(key.publicJwk)
      const signature = key.sign('exchange é')
      assert.equal(signature.length, 64)
      assert.equal(signature.constructor, Uint8Array)
      assert.ok(verifying.verify(utf8Bytes('exchange é'), signature))
      assert.ok(!verifying.verify('exchange e', signature))
      assert.ok(!other.verify('exchange é', signature))
      assert.deepEqual(Object.keys(key.publicJwk).includes('d'), false)
    })
  }
}

function testHostileSignatures(name: string, provider: CryptoProvider): void {
  const p256 = provider.importVerifyingKey(publicPart(p256Jwk))
  const ed25519 = provider.importVerifyingKey(publicPart(ed25519Jwk))

  test(`${name}: a signature of any other length is refused without throwing`, () => {
    for (const [key, data, good] of [
      [p256, 'sample', p256SampleSignature],
      [ed25519, '', ed25519EmptySignature],
    ] as const) {
      for (const length of [0, 1, 31, 32, 63, 65, 96, 128, 10_000]) {
        const signature = new Uint8Array(length)
        signature.set(good.subarray(0, Math.min(length, 64)))
        assert.equal(key.verify(data, signature), false, `${key.algorithm} ${length}`)
      }
    }
  })

  test(`${name}: every flipped bit of a signature is noticed`, () => {
    assertNoBitMayFlip(p256, 'sample', p256SampleSignature)
    assertNoBitMayFlip(ed25519, '', ed25519EmptySignature)
  })

  test(`${name}: P-256 takes either s and refuses r and s that are zero or beyond the order`, () => {
    const r = p256SampleSignature.subarray(0, 32)
    const s = BigInt(`0x${encodeHex(p256SampleSignature.subarray(32))}`)
    assert.equal(p256.verify('sample', concatBytes(r, bytes32(p256Order - s))), true)
    const numbers = [0n, 1n, p256Order - 1n, p256Order, p256Order + 1n, 2n ** 256n - 1n]
    for (const left of numbers) {
      assert.equal(p256.verify('sample', concatBytes(bytes32(left), bytes32(s))), false, `r ${left}`)
      assert.equal(p256.verify('sample', concatBytes(r, bytes32(left))), false, `s ${left}`)
      for (const right of numbers) {
        assert.equal(p256.verify('sample', concatBytes(bytes32(left), bytes32(right))), false, `${left} ${right}`)
      }
    }
  })

  test(`${name}: P-256 refuses the ASN.1 form of a good signature`, () => {
    const der = 'MEUCIQDv1IsqrLao/RFA3ZzUXoHWnSyHe1aq+ZHDTQ6oTq83FgIhAPfLHJQtZXxB1DbHobbin2Xz6QDbua/0Bk3Esr+EOs2o'
    assert.equal(p256.verify('sample', decodeBase64(der)), false)
  })

  test(`${name}: Ed25519 refuses S beyond the order (RFC 8032 §5.1.7) and R that is no point`, () => {
    const r = ed25519EmptySignature.subarray(0, 32)
    const s = BigInt(`0x${encodeHex(ed25519EmptySignature.subarray(32).toReversed())}`)
    for (const large of [s + ed25519Order, s + 2n * ed25519Order, ed25519Order, 2n ** 256n - 1n]) {
      assert.equal(ed25519.verify('', concatBytes(r, bytes32(large).toReversed())), false)
    }
    for (const fill of [0x00, 0x01, 0x02, 0xff]) {
      assert.equal(
        ed25519.verify('', concatBytes(new Uint8Array(32).fill(fill), ed25519EmptySignature.subarray(32))),
        false,
      )
    }
  })
}

function testKeys(name: string, provider: CryptoProvider): void {
  for (const [reason, jwk] of malformedPublicKeys) {
    test(`${name}: refuses as a public key: ${reason}`, () => {
      assert.throws(() => provider.importVerifyingKey(jwk as PublicJwk), { name: 'Problem', code: 'malformed-key' })
    })
  }
  for (const [reason, jwk] of malformedPrivateKeys) {
    test(`${name}: refuses as a private key: ${reason}`, () => {
      assert.throws(() => provider.importSigningKey(jwk as PrivateJwk), { name: 'Problem', code: 'malformed-key' })
    })
  }

  test(`${name}: members that do not make the key are dropped`, () => {
    const extra = { ...publicPart(ed25519Jwk), kid: 'k', alg: 'EdDSA', use: 'sig', key_ops: ['verify'] }
    assert.deepEqual(provider.importVerifyingKey(extra).jwk, publicPart(ed25519Jwk))
  })

  test(`${name}: a number that begins with a zero byte keeps its 32 bytes`, () => {
    // One key in 85 has such a number.
    const jwks = Array.from({ length: 300 }, () => provider.generatePrivateJwk('ecdsa-p256-sha256'))
    for (const jwk of jwks) assert.match(JSON.stringify(jwk), /("[xyd]":"[\w-]{43}"[,}].*){3}/)
    const short = jwks.filter((jwk) => /"[xyd]":"A[A-P]/.test(JSON.stringify(jwk)))
    for (const jwk of short) {
      const key = provider.importSigningKey(jwk)
      assert.ok(provider.importVerifyingKey(key.publicJwk).verify('a', key.sign('a')))
    }
  })

  test(`${name}: P-256 takes the smallest and the largest private scalar`, () => {
    const generator = {
      x: encodeBase64url(bytes32(0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n)),
      y: encodeBase64url(bytes32(0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n)),
    }
    const one = { kty: 'EC', crv: 'P-256', ...generator, d: encodeBase64url(bytes32(1n)) } as const
    const key = provider.importSigningKey(one)
    assert.ok(provider.importVerifyingKey(key.publicJwk).verify('a', key.sign('a')))
    assert.throws(() => provider.importSigningKey({ ...one, d: encodeBase64url(bytes32(p256Order - 1n)) }), {
      code: 'malformed-key',
    })
  })
}

function assertNoBitMayFlip(key: VerifyingKey, data: string, signature: Uint8Array): void {
  for (let bit = 0; bit < 512; bit += 7) {
    const changed = signature.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(key.verify(data, changed), false, `bit ${bit}`)
  }
}

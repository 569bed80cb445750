import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, privateEncrypt, sign, createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { rsaPublicKey, verifyRs256, type RsaJwk } from './webauthn-rs256.ts'

const malformed = { name: 'Problem', code: 'malformed-key' }
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = publicKey.export({ format: 'jwk' }) as unknown as RsaJwk
const data = Buffer.from('the record')

test('what the platform signs verifies, of any length of data and with the exponents and lengths that devices have', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.ok(verifyRs256(jwk, bytes, sign('sha256', bytes, privateKey)))
    }),
    { numRuns: 50 },
  )
  for (const options of [
    { modulusLength: 3072 },
    { modulusLength: 4096 },
    { modulusLength: 2048, publicExponent: 3 },
  ]) {
    const other = generateKeyPairSync('rsa', options)
    const key = other.publicKey.export({ format: 'jwk' }) as unknown as RsaJwk
    assert.ok(verifyRs256(key, data, sign('sha256', data, other.privateKey)))
    assert.ok(!verifyRs256(jwk, data, sign('sha256', data, other.privateKey)))
  }
})

test('over other data, by another hash or scheme, or with a changed byte it does not', () => {
  const signature = sign('sha256', data, privateKey)
  assert.ok(!verifyRs256(jwk, Buffer.from('another'), signature))
  assert.ok(!verifyRs256(jwk, data, sign('sha1', data, privateKey)))
  assert.ok(!verifyRs256(jwk, data, sign('sha384', data, privateKey)))
  const pss = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING }
  assert.ok(!verifyRs256(jwk, data, sign('sha256', data, pss)))
  for (let at = 0; at < signature.length; at++) {
    const changed = Buffer.from(signature)
    changed[at] = (changed[at] ?? 0) ^ 0x01
    assert.ok(!verifyRs256(jwk, data, changed), String(at))
  }
  for (const wrong of [
    signature.subarray(1),
    Buffer.concat([signature, Buffer.of(0)]),
    Buffer.concat([Buffer.of(0), signature]),
    Buffer.alloc(0),
    Buffer.alloc(256),
    Buffer.alloc(256, 0xff),
    Buffer.from(jwk.n, 'base64url'),
  ]) {
    assert.ok(!verifyRs256(jwk, data, wrong))
  }
})

test('RFC 8017 §8.2.2: padding that is shorter, or hides something behind the hash, is no signature', () => {
  const hash = createHash('sha256').update(data).digest()
  const info = Buffer.from('3031300d060960864801650304020105000420', 'hex')
  const tail = Buffer.concat([info, hash])
  const pad = (length: number) => Buffer.concat([Buffer.of(0, 1), Buffer.alloc(length, 0xff), Buffer.of(0)])
  const signed = (block: Buffer) => privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block)
  assert.ok(verifyRs256(jwk, data, signed(Buffer.concat([pad(202), tail]))))
  // Bleichenbacher 2006, and without the NULL of the algorithm's parameters.
  const without = Buffer.concat([
    Buffer.from('302f300b0609608648016503040201', 'hex'),
    Buffer.from('0420', 'hex'),
    hash,
  ])
  for (const block of [
    Buffer.concat([pad(8), tail, Buffer.alloc(194, 7)]),
    Buffer.concat([pad(204), without]),
    Buffer.concat([Buffer.of(0, 2), pad(202).subarray(2), tail]),
  ]) {
    assert.equal(block.length, 256)
    assert.ok(!verifyRs256(jwk, data, signed(block)))
  }
})

test('keys that are weak, too long, or in another spelling are refused', () => {
  const bytes = (length: number, first = 0x80, last = 1) => {
    const made = Buffer.alloc(length, 7)
    made[0] = first
    made[length - 1] = last
    return made.toString('base64url')
  }
  assert.deepEqual(rsaPublicKey({ ...jwk, alg: 'RS256' }), { kty: 'RSA', n: jwk.n, e: jwk.e })
  for (const wrong of [
    { kty: 'EC' },
    { n: undefined },
    { n: bytes(128) },
    { n: bytes(513) },
    { n: bytes(256, 0x7f) },
    { n: bytes(256, 0x80, 2) },
    { n: Buffer.concat([Buffer.of(0), Buffer.from(jwk.n, 'base64url')]).toString('base64url') },
    { n: `${jwk.n}=` },
    { e: 'AQ' },
    { e: 'AA' },
    { e: 'Ag' },
    { e: 'AAEAAQ' },
    { e: bytes(5) },
    { e: '' },
  ]) {
    assert.throws(() => rsaPublicKey({ ...jwk, ...wrong }), JSON.stringify(wrong))
  }
  assert.throws(() => verifyRs256({ ...jwk, e: 'AQ' }, data, Buffer.alloc(256)), malformed)
})

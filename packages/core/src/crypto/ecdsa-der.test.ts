import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { derOfSignature, signatureOfDer } from './ecdsa-der.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const plain = { dsaEncoding: 'ieee-p1363' } as const

test('OpenSSL accepts either form of the same signature', () => {
  for (let round = 0; round < 300; round++) {
    const data = Buffer.from(`message ${round}`)
    const der = sign('sha256', data, privateKey)
    const raw = signatureOfDer(der)
    assert.ok(verify('sha256', data, { key: publicKey, ...plain }, raw))
    assert.deepEqual(Buffer.from(derOfSignature(raw)), der)
  }
})

test('any 64 bytes survive the way to DER and back, however small their integers', () => {
  const small = fc
    .tuple(fc.nat(32), fc.uint8Array({ minLength: 32, maxLength: 32 }))
    .map(([zeros, bytes]) => bytes.fill(0, 0, zeros))
  fc.assert(
    fc.property(small, small, (r, s) => {
      const raw = new Uint8Array([...r, ...s])
      assert.deepEqual(signatureOfDer(derOfSignature(raw)), raw)
    }),
  )
})

test('a signature of zeros is refused, not an error', () => {
  assert.equal(verify('sha256', Buffer.from('a'), publicKey, derOfSignature(new Uint8Array(64))), false)
})

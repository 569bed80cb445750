import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { hpkeOpen, hpkeSeal, hpkeX25519, schedule } from './hpke.ts'
import { decapsulateWith, encapsulateTo, importPrivateKey, importPublicKey, rawPublicKey } from './key-encapsulation.ts'

const vectors = JSON.parse(readFileSync(new URL('../../../../vectors/sealing/hpke.json', import.meta.url), 'utf8')) as {
  rfc9180: Record<string, string>
  hybrid: Record<string, string> & { encryption: Record<string, string> }
}
const hex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex')

test('RFC 9180 A.1.1: the secret, the key, the nonce and the first message', () => {
  const { skRm, pkRm, enc, info, shared_secret, key, base_nonce, aad, pt, ct } = vectors.rfc9180
  const own = importPrivateKey('X25519', hex(skRm))
  assert.deepEqual(Buffer.from(rawPublicKey(own.public)), hex(pkRm))
  const secret = decapsulateWith(own, hex(enc))
  assert.equal(Buffer.from(secret).toString('hex'), shared_secret)
  assert.deepEqual(schedule(hpkeX25519, secret, hex(info)), { key: hex(key), nonce: hex(base_nonce) })
  const message = { info: hex(info), aad: hex(aad) }
  assert.deepEqual(hpkeSeal(hpkeX25519, secret, { ...message, plaintext: hex(pt) }), hex(ct))
  assert.deepEqual(hpkeOpen(hpkeX25519, secret, { ...message, ciphertext: hex(ct) }), hex(pt))
})

test('draft-ietf-hpke-pq, MLKEM768-X25519 with SHAKE256: the key of the seed, the secret, the schedule, the message', () => {
  const { skRm, pkRm, enc, info, shared_secret, key, base_nonce, encryption } = vectors.hybrid
  const own = importPrivateKey('MLKEM768-X25519', hex(skRm))
  assert.deepEqual(Buffer.from(rawPublicKey(own.public)), hex(pkRm))
  const secret = decapsulateWith(own, hex(enc))
  assert.equal(Buffer.from(secret).toString('hex'), shared_secret)
  const suite = { kemId: 0x647a, kdf: 'shake256', aead: 'chacha20-poly1305' } as const
  assert.deepEqual(schedule(suite, secret, hex(info)), { key: hex(key), nonce: hex(base_nonce) })
  const message = { info: hex(info), aad: hex(encryption['aad']) }
  assert.deepEqual(hpkeSeal(suite, secret, { ...message, plaintext: hex(encryption['pt']) }), hex(encryption['ct']))
  assert.deepEqual(hpkeOpen(suite, secret, { ...message, ciphertext: hex(encryption['ct']) }), hex(encryption['pt']))
})

test('what was encapsulated gives its owner the same secret, and everybody else another or none', () => {
  for (const kind of ['X25519', 'MLKEM768-X25519'] as const) {
    const own = importPrivateKey(kind, Buffer.alloc(32, 7))
    const other = importPrivateKey(kind, Buffer.alloc(32, 8))
    const { secret, encapsulated } = encapsulateTo(importPublicKey(kind, rawPublicKey(own.public)))
    assert.deepEqual(Buffer.from(decapsulateWith(own, encapsulated)), Buffer.from(secret))
    assert.notDeepEqual(Buffer.from(decapsulateWith(other, encapsulated)), Buffer.from(secret))
    assert.throws(() => decapsulateWith(own, encapsulated.subarray(1)))
  }
})

test('refuses points of small order, on which everybody knows the secret', () => {
  const x25519 = importPrivateKey('X25519', Buffer.alloc(32, 7))
  const hybrid = importPrivateKey('MLKEM768-X25519', Buffer.alloc(32, 7))
  const { encapsulated } = encapsulateTo(hybrid.public)
  const points = ['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`]
  for (const point of [...points, 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800']) {
    assert.throws(() => decapsulateWith(x25519, hex(point)), point)
    assert.throws(() => encapsulateTo(importPublicKey('X25519', hex(point))), point)
    const changed = Buffer.concat([encapsulated.subarray(0, 1088), hex(point)])
    assert.throws(() => decapsulateWith(hybrid, changed), point)
  }
})

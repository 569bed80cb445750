import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import { parseEnvelope, type EnvelopeHead } from '@comity/core/sealing/sealed-envelope'
import { keyKindOf, sealingAlgorithms, type SealingAlgorithm } from '@comity/core/sealing/sealing-algorithms'
import fc from 'fast-check'
import { CipherSuite, AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { compactDecrypt, CompactEncrypt } from 'jose'
import { importPrivateKey, rawPublicKey } from './key-encapsulation.ts'
import { openEnvelope, sealEnvelope } from './sealing-cipher.ts'

const seed = new Uint8Array(32).fill(9)
const keyOf = (alg: SealingAlgorithm) => importPrivateKey(keyKindOf(alg), seed)
const headOf = (alg: SealingAlgorithm): EnvelopeHead => ({
  alg,
  kid: 'did:web:lab.example#agree-1',
  typ: 'comity-answer',
  bnd: encodeBase64url(new Uint8Array(32)),
})
const seal = (alg: SealingAlgorithm, plaintext: Uint8Array): string =>
  sealEnvelope({ head: headOf(alg), key: keyOf(alg).public, plaintext }, randomBytes)
const failed = { code: 'unseal-failed', message: 'the sealed content cannot be opened' }

for (const alg of sealingAlgorithms) {
  test(`${alg}: what was sealed opens to the same, with its header`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), (plaintext) => {
        const envelope = parseEnvelope(seal(alg, plaintext))
        assert.deepEqual(Buffer.from(openEnvelope(envelope, keyOf(alg))), Buffer.from(plaintext))
        assert.equal(envelope.kid, headOf(alg).kid)
      }),
      { numRuns: 25 },
    )
  })

  test(`${alg}: whatever is altered, cut off or from another envelope opens nothing, and says no more than that`, () => {
    const [whole, other] = [seal(alg, Buffer.from('one')).split('.'), seal(alg, Buffer.from('two')).split('.')]
    const open = (parts: readonly string[]) => openEnvelope(parseEnvelope(parts.join('.')), keyOf(alg))
    for (const [index, part] of whole.entries()) {
      if (part === '') continue
      const bytes = decodeBase64url(part)
      const flipped = bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte))
      for (const changed of [encodeBase64url(flipped), encodeBase64url(bytes.subarray(1)), '', `${part}=`]) {
        assert.throws(() => open(whole.with(index, changed)), failed)
      }
      const moved = whole.with(index, other[index] ?? '')
      if (moved[index] !== part) assert.throws(() => open(moved), failed)
    }
    const altered = { ...headOf(alg), bnd: encodeBase64url(new Uint8Array(32).fill(1)) }
    const again = sealEnvelope({ head: altered, key: keyOf(alg).public, plaintext: Buffer.from('one') }, randomBytes)
    assert.throws(() => open(whole.with(0, again.split('.')[0] ?? '')), failed)
    assert.throws(
      () => openEnvelope(parseEnvelope(whole.join('.')), importPrivateKey(keyKindOf(alg), randomBytes(32))),
      failed,
    )
  })
}

test('HPKE-3 is what an independent implementation of RFC 9180 opens and seals', async () => {
  const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM)
  const own = keyOf('HPKE-3')
  const privateKey = await suite.DeserializePrivateKey(seed, true)
  const [head = '', enc = '', , ciphertext = ''] = seal('HPKE-3', Buffer.from('content')).split('.')
  const opened = await suite.Open(privateKey, decodeBase64url(enc), decodeBase64url(ciphertext), {
    aad: Buffer.from(head),
  })
  assert.equal(Buffer.from(opened).toString(), 'content')
  const publicKey = await suite.DeserializePublicKey(rawPublicKey(own.public))
  const sealed = await suite.Seal(publicKey, Buffer.from('answer'), { aad: Buffer.from(head) })
  const text = `${head}.${encodeBase64url(sealed.encapsulatedSecret)}..${encodeBase64url(sealed.ciphertext)}.`
  assert.equal(Buffer.from(openEnvelope(parseEnvelope(text), own)).toString(), 'answer')
})

test('ECDH-ES+A256KW is what an independent implementation of JWE opens and seals', async () => {
  const own = keyOf('ECDH-ES+A256KW')
  const sealed = seal('ECDH-ES+A256KW', Buffer.from('content'))
  assert.equal(Buffer.from((await compactDecrypt(sealed, own.x25519)).plaintext).toString(), 'content')
  const header = { ...headOf('ECDH-ES+A256KW'), enc: 'A256GCM' }
  const theirs = await new CompactEncrypt(Buffer.from('answer')).setProtectedHeader(header).encrypt(own.public.x25519)
  assert.equal(Buffer.from(openEnvelope(parseEnvelope(theirs), own)).toString(), 'answer')
})

test('refuses algorithms that it does not know, and keys of another kind', () => {
  for (const alg of ['RSA-OAEP', 'dir', 'ECDH-ES', 'HPKE-0', 'none']) {
    const [, ...rest] = seal('HPKE-3', Buffer.from('content')).split('.')
    const head = encodeBase64url(Buffer.from(JSON.stringify({ ...headOf('HPKE-3'), alg })))
    assert.throws(() => parseEnvelope([head, ...rest].join('.')), failed)
  }
  assert.throws(() => openEnvelope(parseEnvelope(seal('HPKE-3', Buffer.from('x'))), keyOf('HPKE-9')), failed)
  assert.throws(() => openEnvelope(parseEnvelope(seal('HPKE-9', Buffer.from('x'))), keyOf('HPKE-3')), failed)
})

import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PublicJwk } from '../crypto/crypto.ts'
import type { WebAuthnProof } from './consent-record.ts'
import { verifyAssertion, type PasskeyFacts, type PasskeyJwk } from './webauthn-assertion.ts'
import { p256SignatureOfDer } from './webauthn-signature.ts'

interface Vector {
  readonly name: string
  readonly challenge: string
  readonly proof: WebAuthnProof
}

const file = new URL('../../../../vectors/consent/webauthn.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]
const example: PasskeyFacts = { rpId: 'example.org', origins: ['https://example.org'] }
const invalid = { name: 'Problem', code: 'consent-proof-invalid' }

for (const { name, challenge, proof } of vectors) {
  test(`the assertion of the specification verifies (WebAuthn Level 3 §16): ${name}`, () => {
    verifyAssertion(proof, challenge, example)
    const publicKey = proof.publicKey as unknown as PublicJwk
    verifyAssertion(proof, challenge, { ...example, credential: { id: proof.credentialId, publicKey } })
  })

  test(`${name}: over another challenge, site or key, or with a changed byte, it does not`, () => {
    const other = createHash('sha256').update('other').digest('base64url')
    assert.throws(() => verifyAssertion(proof, other, example), invalid)
    assert.throws(() => verifyAssertion(proof, challenge, { ...example, rpId: 'example.com' }), invalid)
    assert.throws(
      () => verifyAssertion({ ...proof, rpId: 'example.com' }, challenge, { ...example, rpId: 'example.com' }),
      invalid,
    )
    assert.throws(
      () => verifyAssertion(proof, challenge, { ...example, origins: ['https://www.example.org'] }),
      invalid,
    )
    assert.throws(() => verifyAssertion(proof, challenge, { ...example, origins: [] }), invalid)
    const others = vectors.find((vector) => vector.name !== name)?.proof ?? assert.fail()
    assert.throws(() => verifyAssertion({ ...proof, publicKey: others.publicKey }, challenge, example), invalid)
    const publicKey = others.publicKey as unknown as PublicJwk
    assert.throws(
      () => verifyAssertion(proof, challenge, { ...example, credential: { id: proof.credentialId, publicKey } }),
      invalid,
    )
    for (const member of ['authenticatorData', 'clientDataJSON', 'signature'] as const) {
      const bytes = Buffer.from(proof[member], 'base64url')
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ 0x40
        assert.throws(
          () => verifyAssertion({ ...proof, [member]: changed.toString('base64url') }, challenge, example),
          invalid,
        )
      }
    }
  })
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const challenge = createHash('sha256').update('the record').digest('base64url')

interface Made {
  /** Another key than that of the file. */
  readonly keys?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  readonly flags?: number
  readonly client?: object | string
  readonly tail?: Uint8Array
}

/** An assertion by a real key, of what a test wants to be there. */
function made({
  flags = 0x05,
  client,
  tail = new Uint8Array(),
  keys = { privateKey, publicKey },
}: Made = {}): WebAuthnProof {
  const usual = { type: 'webauthn.get', challenge, origin: 'https://example.org', crossOrigin: false }
  const text = typeof client === 'string' ? client : JSON.stringify({ ...usual, ...client })
  const rpIdHash = createHash('sha256').update('example.org').digest()
  const data = Buffer.concat([rpIdHash, Buffer.from([flags, 0, 0, 0, 9]), tail])
  const signed = Buffer.concat([data, createHash('sha256').update(text).digest()])
  return {
    credentialId: 'AAAA',
    publicKey: keys.publicKey.export({ format: 'jwk' }) as Record<string, string>,
    rpId: 'example.org',
    origin: 'https://example.org',
    authenticatorData: data.toString('base64url'),
    clientDataJSON: Buffer.from(text).toString('base64url'),
    signature: sign('sha256', signed, keys.privateKey).toString('base64url'),
  }
}

test('the person must have been present, and verified where that is asked for', () => {
  verifyAssertion(made(), challenge, { ...example, userVerification: true })
  verifyAssertion(made({ flags: 0x01 }), challenge, example)
  assert.throws(
    () => verifyAssertion(made({ flags: 0x01 }), challenge, { ...example, userVerification: true }),
    invalid,
  )
  assert.throws(() => verifyAssertion(made({ flags: 0x04 }), challenge, example), invalid)
})

test('flags that contradict each other or the length are refused', () => {
  verifyAssertion(made({ flags: 0x1d }), challenge, example)
  assert.throws(() => verifyAssertion(made({ flags: 0x11 }), challenge, example), invalid, 'backed up but not eligible')
  assert.throws(() => verifyAssertion(made({ flags: 0x41 }), challenge, example), invalid, 'carries a credential')
  assert.throws(
    () => verifyAssertion(made({ flags: 0x81 }), challenge, example),
    invalid,
    'extensions that are missing',
  )
  assert.throws(
    () => verifyAssertion(made({ tail: new Uint8Array(1) }), challenge, example),
    invalid,
    'bytes left over',
  )
  verifyAssertion(made({ flags: 0x85, tail: Uint8Array.of(0xa0) }), challenge, example)
})

test('what was made for something else, elsewhere, or in a frame is refused though well signed', () => {
  const faulty = [
    { type: 'webauthn.create' },
    { type: 'payment.get' },
    { challenge: `${challenge}=` },
    { challenge: createHash('sha256').update('another record').digest('base64url') },
    { origin: 'https://evil.example' },
    { origin: 'https://example.org:8443' },
    { crossOrigin: true },
    { topOrigin: 'https://example.com' },
  ]
  for (const client of faulty) {
    assert.throws(() => verifyAssertion(made({ client }), challenge, example), invalid, JSON.stringify(client))
  }
  for (const client of ['null', '[]', '{', '{"type":"webauthn.get","type":"webauthn.get"}']) {
    assert.throws(() => verifyAssertion(made({ client }), challenge, example), invalid, client)
  }
})

test('RFC 8812 §2: a passkey with an RSA key signs as well, and only as the key that was registered', () => {
  const [keys, others] = [0, 1].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }))
  assert.ok(keys !== undefined && others !== undefined)
  const proof = made({ keys })
  const registered = (publicKeyOf: WebAuthnProof) => ({
    ...example,
    credential: { id: proof.credentialId, publicKey: publicKeyOf.publicKey as unknown as PasskeyJwk },
  })
  verifyAssertion(proof, challenge, registered(proof))
  assert.throws(() => verifyAssertion(proof, challenge, registered(made({ keys: others }))), invalid)
  assert.throws(() => verifyAssertion(proof, challenge, registered(made())), invalid)
  assert.throws(
    () => verifyAssertion({ ...proof, signature: made({ keys: others }).signature }, challenge, example),
    invalid,
  )
})

test('client data with members that are not known yet is taken, as the specification asks', () => {
  verifyAssertion(made({ client: { later: { a: 1 } } }), challenge, example)
})

test('DER of P-256 is read as it is written, and in no other spelling', () => {
  for (let round = 0; round < 100; round++) {
    const data = Buffer.from(`message ${round}`)
    const key = { key: privateKey, dsaEncoding: 'der' } as const
    const der = sign('sha256', data, key)
    const raw = p256SignatureOfDer(der) ?? assert.fail('is read')
    assert.equal(raw.length, 64)
    for (const wrong of [
      der.subarray(1),
      der.subarray(0, -1),
      Buffer.concat([der, Buffer.of(0)]),
      Buffer.concat([Buffer.of(0x30, 0x81), der.subarray(1)]),
    ]) {
      assert.equal(p256SignatureOfDer(wrong), undefined)
    }
  }
  const integers: readonly (readonly number[])[] = [
    [0x30, 0x06, 2, 1, 0x80, 2, 1, 1],
    [0x30, 0x07, 2, 2, 0, 1, 2, 1, 1],
    [0x30, 0x05, 2, 0, 2, 1, 1],
    [0x30, 0x06, 2, 1, 1, 3, 1, 1],
    [0x30, 0x03, 2, 1, 1],
    [],
  ]
  for (const bytes of integers) assert.equal(p256SignatureOfDer(Uint8Array.from(bytes)), undefined, bytes.join(' '))
  const small = p256SignatureOfDer(Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 2)) ?? assert.fail()
  assert.deepEqual([small[31], small[63]], [1, 2])
})

test('no bytes make the reader of DER throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const read = p256SignatureOfDer(bytes)
      assert.ok(read === undefined || read.length === 64)
      p256SignatureOfDer(Uint8Array.of(0x30, bytes.length, ...bytes))
    }),
    { numRuns: 200 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import { signCompactJws } from './compact.ts'
import { parseDetachedJws, signDetachedJws, verifyDetachedJws } from './detached.ts'

for (const algorithm of ['ed25519', 'ecdsa-p256-sha256'] as const) {
  const key = importSigningKey(generatePrivateJwk(algorithm))
  const verifying = importVerifyingKey(key.publicJwk)
  const header = { kid: 'did:web:holder.example#key', typ: 'comity-agreement+jws' }

  test(`${algorithm}: the payload is left out and verifies when it is put back`, () => {
    const text = signDetachedJws({ key, header, payload: '{"a":"é"}' })
    assert.match(text, /^[\w-]+\.\.[\w-]{86}$/)
    assert.equal(verifyDetachedJws(text, '{"a":"é"}', verifying).kid, header.kid)
    assert.equal(parseDetachedJws(text, '{"a":"é"}', { typ: header.typ }).payloadText, '{"a":"é"}')
  })

  test(`${algorithm}: refuses another payload, and one more byte`, () => {
    const text = signDetachedJws({ key, header, payload: '{}' })
    for (const payload of ['{} ', '[]', '', Uint8Array.of(0x7b, 0x7d, 0)]) {
      assert.throws(() => verifyDetachedJws(text, payload, verifying), { code: 'signature-invalid' })
    }
  })

  test(`${algorithm}: refuses a token that carries its payload, even the right one`, () => {
    const attached = signCompactJws({ key, header, payload: '{}' })
    assert.throws(() => verifyDetachedJws(attached, '{}', verifying), { code: 'malformed-jws' })
  })

  test(`${algorithm}: refuses what is no token and another type than expected`, () => {
    for (const text of ['', '..', '.', 'a..b', '...']) {
      assert.throws(() => verifyDetachedJws(text, '{}', verifying), { code: 'malformed-jws' })
    }
    const text = signDetachedJws({ key, header, payload: '{}' })
    assert.throws(() => parseDetachedJws(text, '{}', { typ: 'JWT' }), { code: 'malformed-jws' })
  })

  test(`${algorithm}: signs a payload larger than a token may be`, () => {
    const payload = new Uint8Array(200_000).fill(7)
    const text = signDetachedJws({ key, header, payload })
    verifyDetachedJws(text, payload, verifying)
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import fc from 'fast-check'
import { encodeBase64url } from '../bytes/base64url.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import type { ProblemCode } from '../problems.ts'
import { Problem } from '../problems.ts'
import { compactJwsSigner, parseCompactJws, signCompactJws, verifyCompactJws } from './compact.ts'

const ed25519 = importSigningKey(generatePrivateJwk('ed25519'))
const p256 = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
const header = { kid: 'did:web:holder.example#key', typ: 'comity-receipt+jwt' }

test('RFC 7515 A.3: the ES256 sample verifies', () => {
  const parsed = parseCompactJws(
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ' +
      '.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  )
  verifyCompactJws(
    parsed,
    importVerifyingKey({
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    }),
  )
  assert.equal(parsed.payloadText, '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}')
})

test('RFC 8037 A.4 and A.5: the EdDSA sample is made and verifies', () => {
  const key = importSigningKey({
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  })
  const sample =
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc' +
    '.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
  assert.equal(signCompactJws({ key, header: {}, payload: 'Example of Ed25519 signing' }), sample)
  verifyCompactJws(parseCompactJws(sample), importVerifyingKey(key.publicJwk))
})

test('what is signed is read back and verifies, text and bytes alike', () => {
  for (const key of [ed25519, p256]) {
    const sign = compactJwsSigner(key, header)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const parsed = parseCompactJws(sign(text), { typ: 'comity-receipt+jwt' })
        verifyCompactJws(parsed, importVerifyingKey(key.publicJwk))
        assert.equal(parsed.payloadText, text)
        assert.equal(parsed.header.kid, header.kid)
      }),
      { numRuns: 20 },
    )
    const bytes = Uint8Array.of(0xff, 0)
    const parsed = parseCompactJws(signCompactJws({ key, header, payload: bytes }))
    assert.deepEqual(parsed.payload, bytes)
    assert.throws(() => parsed.payloadText, { code: 'malformed-jws' })
  }
})

test('`Ed25519` of RFC 9864 means the same as `EdDSA`', () => {
  const signingInput = `${json({ alg: 'Ed25519' })}.${json({})}`
  const parsed = parseCompactJws(`${signingInput}.${encodeBase64url(ed25519.sign(signingInput))}`)
  verifyCompactJws(parsed, importVerifyingKey(ed25519.publicJwk))
})

test('refuses a key of another algorithm than the header names, before it looks at the signature', () => {
  const ed = parseCompactJws(signCompactJws({ key: ed25519, header, payload: '{}' }))
  const ec = parseCompactJws(signCompactJws({ key: p256, header, payload: '{}' }))
  assert.throws(() => verifyCompactJws(ed, importVerifyingKey(p256.publicJwk)), { code: 'signature-algorithm' })
  assert.throws(() => verifyCompactJws(ec, importVerifyingKey(ed25519.publicJwk)), { code: 'signature-algorithm' })
})

test('refuses a signature of another key, of other content, cut short and empty', () => {
  const other = importVerifyingKey(importSigningKey(generatePrivateJwk('ed25519')).publicJwk)
  const key = importVerifyingKey(ed25519.publicJwk)
  const text = signCompactJws({ key: ed25519, header, payload: '{"a":1}' })
  const [head, , signature] = text.split('.')
  assert.throws(() => verifyCompactJws(parseCompactJws(text), other), { code: 'signature-invalid' })
  for (const changed of [`${head}.${json({ a: 2 })}.${signature}`, text.slice(0, -2), `${head}.${json({ a: 1 })}.`]) {
    const parsed = parseCompactJws(changed)
    assert.throws(() => verifyCompactJws(parsed, key), { code: 'signature-invalid' })
  }
})

const hostile: readonly (readonly [reason: string, text: string, code: ProblemCode])[] = [
  ['nothing', '', 'malformed-jws'],
  ['one part', json({ alg: 'EdDSA' }), 'malformed-jws'],
  ['two parts', `${json({ alg: 'EdDSA' })}.e30`, 'malformed-jws'],
  ['four parts', `${json({ alg: 'EdDSA' })}.e30.AA.AA`, 'malformed-jws'],
  ['the five parts of an encrypted token', `${json({ alg: 'EdDSA' })}.AA.AA.AA.AA`, 'malformed-jws'],
  ['a dot at the end', `${json({ alg: 'EdDSA' })}.e30.AA.`, 'malformed-jws'],
  ['dots only', '.'.repeat(60_000), 'malformed-jws'],
  ['no header', '.e30.AA', 'malformed-jws'],
  ['alg none', `${json({ alg: 'none' })}.e30.`, 'signature-algorithm'],
  ['alg none in another case', `${json({ alg: 'nOnE' })}.e30.`, 'signature-algorithm'],
  ['a MAC', `${json({ alg: 'HS256' })}.e30.AA`, 'signature-algorithm'],
  ['RSA', `${json({ alg: 'RS256' })}.e30.AA`, 'signature-algorithm'],
  ['another curve', `${json({ alg: 'ES384' })}.e30.AA`, 'signature-algorithm'],
  ['alg in lower case', `${json({ alg: 'es256' })}.e30.AA`, 'signature-algorithm'],
  ['alg of the prototype', `${json({ alg: 'constructor' })}.e30.AA`, 'signature-algorithm'],
  ['alg missing', `${json({ typ: 'x' })}.e30.AA`, 'malformed-jws'],
  ['alg not a string', `${json({ alg: ['EdDSA'] })}.e30.AA`, 'malformed-jws'],
  ['alg inherited', `${raw('{"__proto__":{"alg":"EdDSA"}}')}.e30.AA`, 'malformed-jws'],
  ['crit', `${json({ alg: 'EdDSA', crit: ['exp'] })}.e30.AA`, 'malformed-jws'],
  ['crit empty', `${json({ alg: 'EdDSA', crit: [] })}.e30.AA`, 'malformed-jws'],
  ['b64 false', `${json({ alg: 'EdDSA', b64: false, crit: ['b64'] })}.e30.AA`, 'malformed-jws'],
  ['b64 false without crit', `${json({ alg: 'EdDSA', b64: false })}.e30.AA`, 'malformed-jws'],
  ['a compressed payload', `${json({ alg: 'EdDSA', zip: 'DEF' })}.e30.AA`, 'malformed-jws'],
  ['kid not a string', `${json({ alg: 'EdDSA', kid: 1 })}.e30.AA`, 'malformed-jws'],
  ['typ not a string', `${json({ alg: 'EdDSA', typ: null })}.e30.AA`, 'malformed-jws'],
  ['alg twice', `${raw('{"alg":"EdDSA","alg":"none"}')}.e30.AA`, 'malformed-jws'],
  ['alg twice, once escaped', `${raw('{"alg":"EdDSA","\\u0061lg":"ES256"}')}.e30.AA`, 'malformed-jws'],
  ['a header that is an array', `${json([])}.e30.AA`, 'malformed-jws'],
  ['a header that is null', `${json(null)}.e30.AA`, 'malformed-jws'],
  ['a header that is not JSON', `${raw('{alg}')}.e30.AA`, 'malformed-jws'],
  ['a header that is not UTF-8', `${encodeBase64url(Uint8Array.of(0x22, 0xff, 0x22))}.e30.AA`, 'malformed-jws'],
  ['a header with a byte order mark', `${raw('\ufeff{"alg":"EdDSA"}')}.e30.AA`, 'malformed-jws'],
  ['a padded header', `${json({ alg: 'EdDSA' })}=.e30.AA`, 'malformed-jws'],
  ['a padded payload', `${json({ alg: 'EdDSA' })}.eyJhIjoxfQ==.AA`, 'malformed-jws'],
  ['stray bits in the payload', `${json({ alg: 'EdDSA' })}.e31.AA`, 'malformed-jws'],
  ['stray bits in the signature', `${json({ alg: 'EdDSA' })}.e30.AB`, 'malformed-jws'],
  ['white space', ` ${json({ alg: 'EdDSA' })}.e30.AA`, 'malformed-jws'],
  ['a line break at the end', `${json({ alg: 'EdDSA' })}.e30.AA\n`, 'malformed-jws'],
  ['the alphabet of base64', `${json({ alg: 'EdDSA' })}.e30.+/8`, 'malformed-jws'],
  ['the JSON serialisation', '{"payload":"e30","signatures":[]}', 'malformed-jws'],
  ['more than 64 KiB', `${json({ alg: 'EdDSA' })}.${'A'.repeat(64 * 1024)}.AA`, 'malformed-jws'],
]

for (const [reason, text, code] of hostile) {
  test(`refuses ${reason}`, () => {
    assert.throws(() => parseCompactJws(text), { name: 'Problem', code })
  })
}

test('refuses another type than the expected one, and reads types without case and prefix', () => {
  const sign = (typ: string) => signCompactJws({ key: ed25519, header: { typ }, payload: '{}' })
  parseCompactJws(sign('Application/SecEvent+JWT'), { typ: 'secevent+jwt' })
  assert.throws(() => parseCompactJws(sign('JWT'), { typ: 'secevent+jwt' }), { code: 'malformed-jws' })
  const untyped = signCompactJws({ key: ed25519, header: {}, payload: '{}' })
  assert.throws(() => parseCompactJws(untyped, { typ: 'secevent+jwt' }), { code: 'malformed-jws' })
})

test('a damaged token is refused with a problem, never with another error', () => {
  const text = signCompactJws({ key: ed25519, header, payload: '{"a":1}' })
  const key = importVerifyingKey(ed25519.publicJwk)
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ unit: 'binary', maxLength: 3 }), (at, put) => {
      const damaged = text.slice(0, at) + put + text.slice(at + 1)
      fc.pre(damaged !== text)
      assert.throws(
        () => verifyCompactJws(parseCompactJws(damaged), key),
        (error) => error instanceof Problem,
      )
    }),
  )
})

function json(value: unknown): string {
  return raw(JSON.stringify(value))
}

function raw(text: string): string {
  return encodeBase64url(utf8Bytes(text))
}

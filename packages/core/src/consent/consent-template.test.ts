import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import { canonicalJson } from '../bytes/canonical-json.ts'
import { signCompactJws } from '../jws/compact.ts'
import {
  consentTemplateType,
  parseTemplate,
  signTemplate,
  templateHash,
  verifyTemplate,
  type ConsentTemplate,
} from './consent-template.ts'
import { testGrant, testParties } from './test-consent.ts'

const key = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
const signer = { keyid: `${testParties.recipient}#assert-1`, key }
const template: ConsentTemplate = {
  iss: testParties.recipient,
  id: 'urn:example:sports-medicine',
  version: '3',
  kind: 'personal',
  title: { en: 'Sports medicine', hi: 'खेल चिकित्सा' },
  notice: {
    text: { en: 'We study how sport forms the body.', ar: 'نحن ندرس كيف تُشكّل الرياضة الجسم.' },
    uri: 'https://lab.example/notice',
  },
  grants: [testGrant()],
  duration: 'P30D',
  parties: [{ id: 'did:web:statistics.example', role: 'processor', name: 'Statistics', country: 'FR' }],
}
const invalid = { name: 'Problem', code: 'template-invalid' }
const ownKey = (): Promise<ReturnType<typeof importVerifyingKey>> => Promise.resolve(importVerifyingKey(key.publicJwk))
const signedAtMs = Date.parse('2026-02-01T00:00:00Z')

test('a signed template is read and verified as it was written', async () => {
  const jws = signTemplate(template, signer, signedAtMs)
  const asked: unknown[] = []
  const signed = await verifyTemplate(jws, (keyid, atMs) => {
    asked.push([keyid, atMs])
    return ownKey()
  })
  assert.deepEqual(signed, { template, hash: templateHash(template), keyid: signer.keyid, signedAtMs })
  assert.deepEqual(asked, [[signer.keyid, signedAtMs]])
  assert.deepEqual(parseTemplate(jws), signed)
})

test('the hash is of the content, not of the signature', () => {
  const later = parseTemplate(signTemplate(template, signer, signedAtMs + 60_000))
  assert.equal(later.hash, templateHash(template))
  assert.notEqual(templateHash({ ...template, version: '4' }), templateHash(template))
})

test('a template by another key than the issuer’s is refused', async () => {
  const other = { keyid: `${testParties.holder}#assert-1`, key }
  assert.throws(() => signTemplate(template, other, signedAtMs), invalid)
  const payload = canonicalJson(template)
  const header = { typ: consentTemplateType, kid: other.keyid, iat: 1 }
  assert.throws(() => parseTemplate(signCompactJws({ key, header, payload })), invalid)
  const jws = signTemplate(template, signer, signedAtMs)
  const stranger = importVerifyingKey(importSigningKey(generatePrivateJwk('ecdsa-p256-sha256')).publicJwk)
  await assert.rejects(
    verifyTemplate(jws, () => Promise.resolve(stranger)),
    invalid,
  )
})

test('a changed, mistyped, undated or unreadable template is refused', async () => {
  const jws = signTemplate(template, signer, signedAtMs)
  const [head = '', , tail = ''] = jws.split('.')
  const changed = Buffer.from(canonicalJson({ ...template, duration: 'P3000D' })).toString('base64url')
  await assert.rejects(verifyTemplate(`${head}.${changed}.${tail}`, ownKey), invalid)
  const payload = canonicalJson(template)
  const good = { typ: consentTemplateType, kid: signer.keyid, iat: 1 }
  for (const header of [
    { ...good, typ: 'JWT' },
    { ...good, iat: -1 },
    { ...good, kid: 'x' },
    { kid: good.kid, typ: good.typ },
  ]) {
    assert.throws(() => parseTemplate(signCompactJws({ key, header, payload })), invalid)
  }
  for (const text of ['', 'a.b.c', `${jws}x`, 'x'.repeat(200_000)]) assert.throws(() => parseTemplate(text), invalid)
})

test('unknown and missing members are refused, also under a good signature', () => {
  const sign = (value: unknown): string =>
    signCompactJws({
      key,
      header: { typ: consentTemplateType, kid: signer.keyid, iat: 1 },
      payload: JSON.stringify(value),
    })
  assert.ok(parseTemplate(sign(template)))
  const holder = { id: testParties.holder, role: 'holder', name: 'Federation' }
  for (const value of [
    { ...template, hidden: 1 },
    { ...template, grants: [] },
    { ...template, notice: {} },
    { ...template, parties: [holder] },
  ]) {
    assert.throws(() => parseTemplate(sign(value)), invalid)
  }
  for (const name of Object.keys(template).filter((member) => member !== 'parties')) {
    const rest = Object.fromEntries(Object.entries(template).filter(([other]) => other !== name))
    assert.throws(() => parseTemplate(sign(rest)), invalid, name)
  }
})

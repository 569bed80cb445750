/** Evidence of an exchange whose contents travelled sealed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64url } from '../bytes/base64url.ts'
import { commitmentTo, encodeContent } from '../sealing/sealed-content.ts'
import { verifyEvidence } from './evidence.ts'
import { exchangeEvidence, holderDocument, recipientDocument } from './test-exchange.ts'

const own = { documents: [holderDocument, recipientDocument] }
const { opening } = encodeContent(
  { fields: { 'content-type': 'application/json' }, body: new TextEncoder().encode('{"id":1}') },
  new Uint8Array(32).fill(3),
)
const claim = { alg: 'HPKE-9', com: commitmentTo(opening) } as const
const stored = {
  salt: encodeBase64url(opening.salt),
  fields: opening.fields,
  bodyHash: encodeBase64url(opening.bodyHash),
}
const sealed = { res: claim }
const bundle = exchangeEvidence({ claims: { sea: sealed }, event: { sealed } })
const checkOf = (evidence: unknown, name: string) =>
  verifyEvidence(evidence, own).checks.find((check) => check.name === name)

test('shows that the receipt is about exactly this content', () => {
  const whole = { ...bundle, sealed: { response: stored } }
  assert.ok(verifyEvidence(whole, own).ok)
  assert.match(checkOf(whole, 'sealed-response')?.detail ?? '', new RegExp(`HPKE-9: SHA-256 \`${stored.bodyHash}\``))
  assert.equal(checkOf(whole, 'sealed-request'), undefined)
})

test('fails for other content, other fields and another salt', () => {
  const other = encodeBase64url(new Uint8Array(32).fill(4))
  for (const change of [{ salt: other }, { bodyHash: other }, { fields: '{"content-type":"text/html"}' }]) {
    const report = verifyEvidence({ ...bundle, sealed: { response: { ...stored, ...change } } }, own)
    assert.ok(!report.ok)
    assert.deepEqual(
      report.checks.filter(({ ok }) => !ok).map(({ name }) => name),
      ['sealed-response'],
    )
  }
})

test('fails when the bundle opens what the receipt does not commit to', () => {
  assert.equal(checkOf({ ...bundle, sealed: { request: stored } }, 'sealed-request')?.ok, false)
  assert.equal(checkOf({ ...exchangeEvidence(), sealed: { response: stored } }, 'sealed-response')?.ok, false)
})

test('says what is left open without the salt, and what was erased', () => {
  const without = verifyEvidence(bundle, own)
  assert.ok(without.ok && without.assumptions.some((sentence) => sentence.includes('was sealed')))
  const { event: _, ...kept } = bundle
  const erased = { ...kept, erased: ['event', 'sealed'] }
  assert.equal(checkOf(erased, 'sealed-response')?.erased, true)
  assert.ok(verifyEvidence(erased, own).ok)
})

test('fails when log and receipt tell of other contents', () => {
  const other = { res: { ...claim, com: encodeBase64url(new Uint8Array(32)) } }
  assert.equal(
    checkOf(exchangeEvidence({ claims: { sea: sealed }, event: { sealed: other } }), 'event-receipt')?.ok,
    false,
  )
  assert.equal(checkOf(exchangeEvidence({ claims: { sea: sealed } }), 'event-receipt')?.ok, false)
})

test('tells whether a file is the answer of the exchange, sealed or in clear, and its request’s body', () => {
  const answer = new TextEncoder().encode('{"id":1}')
  const whole = { ...bundle, sealed: { response: stored } }
  assert.ok(verifyEvidence(whole, { ...own, answer }).ok)
  assert.ok(!verifyEvidence(whole, { ...own, answer: answer.subarray(1) }).ok)
  assert.ok(!verifyEvidence(bundle, { ...own, answer }).ok, 'nothing says what was sealed')
  const clear = new TextEncoder().encode('{"id":1,"sport":"rowing"}')
  assert.ok(verifyEvidence(exchangeEvidence(), { ...own, answer: clear }).ok)
  assert.ok(!verifyEvidence(exchangeEvidence(), { ...own, answer }).ok)
  assert.ok(!verifyEvidence(whole, { ...own, body: answer }).ok, 'the request had none')
  const both = { res: claim, req: claim }
  const asked = exchangeEvidence({ claims: { sea: both }, event: { sealed: both } })
  const sealedBody = { ...asked, sealed: { request: stored, response: stored } }
  assert.ok(verifyEvidence(sealedBody, { ...own, answer, body: answer }).ok)
})

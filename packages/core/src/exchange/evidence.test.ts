import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { didKeyDocument, didKeyId, didKeyOf } from '../identity/did-key.ts'
import { createdAt } from '../http-signatures/test-messages.ts'
import type { EvidenceBundle } from './evidence-bundle.ts'
import { verifyEvidence, type EvidenceOptions } from './evidence.ts'
import {
  exchangeEvidence,
  exchangeId,
  holderDid,
  holderDocument,
  holderKeyid,
  logKey,
  logOrigin,
  recipient,
  recipientDid,
  recipientDocument,
  type WholeBundle,
} from './test-exchange.ts'
import { formatVerifierKey, verifierKey } from '../audit-log/verifier-key.ts'

const whole = exchangeEvidence()
const own = { documents: [holderDocument, recipientDocument] }

/** Names of the checks that failed. */
function failures(bundle: unknown, options: EvidenceOptions = own): string[] {
  const report = verifyEvidence(bundle, options)
  const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name)
  assert.equal(report.ok, failed.length === 0)
  return failed
}

test('a whole bundle passes every check, with a sentence for each', () => {
  const report = verifyEvidence(whole, own)
  assert.deepEqual(failures(whole), [])
  assert.equal(report.claims?.jti, exchangeId)
  assert.deepEqual(report.assumptions, [])
  assert.deepEqual(
    report.checks.map(({ name }) => name),
    [
      'bundle',
      'receipt-signature',
      'request-signature',
      'request-hash',
      'request-receipt',
      'times',
      'response-signature',
      'response-request',
      'response-receipt',
      'response-content',
      'event-leaf',
      'event-receipt',
      'log-key',
      'log-inclusion',
    ],
  )
  assert.match(report.checks.at(-1)?.detail ?? '', /entry 5 of the log's 13/)
})

test('a streamed answer, whose digest and receipt were trailer fields, is checked like every other', () => {
  const streamed = exchangeEvidence({ streamed: true })
  assert.match(streamed.response.base, /^"content-digest";tr: .+\n"comity-receipt";tr: /m)
  assert.deepEqual(failures(streamed), [])
  const another = exchangeEvidence({ streamed: true, responseFields: { 'comity-receipt': `${whole.receipt}x` } })
  assert.deepEqual(failures(another), ['response-receipt'])
  const other = `sha-256=:${Buffer.alloc(32).toString('base64')}:`
  const changed = exchangeEvidence({ streamed: true, responseFields: { 'content-digest': other } })
  assert.deepEqual(failures(changed), ['response-content'])
})

test('a bundle survives the way through JSON', () => {
  assert.deepEqual(failures(JSON.parse(JSON.stringify(whole))), [])
})

test('says what the reader must take on trust', () => {
  const { response: _, event: __, log: ___, ...least } = whole
  const report = verifyEvidence(least)
  assert.equal(report.ok, true)
  assert.equal(report.assumptions.length, 5)
  assert.match(report.assumptions.join('\n'), /did:web:federation\.example.*\n.*did:web:lab\.example.*\n.*no response/)
})

test("the verifier's own documents count before those of the bundle", () => {
  const stranger = { ...holderDocument, verificationMethod: [], assertionMethod: [] }
  assert.deepEqual(failures({ ...whole, documents: [] }), [])
  assert.deepEqual(failures(whole, { documents: [stranger] }), ['receipt-signature'])
  assert.deepEqual(failures({ ...whole, documents: [] }, {}), ['receipt-signature'])
  const twice = { ...whole, documents: [...whole.documents, ...whole.documents] }
  assert.deepEqual(failures(twice, {}), ['receipt-signature'])
})

test('a DID that carries its key needs no document', () => {
  const did = didKeyOf(recipient.signing.publicJwk)
  const made = exchangeEvidence({
    signing: { keyid: didKeyId(did) },
    claims: { aud: did },
    event: { peer: did },
  })
  assert.equal(didKeyDocument(did).id, did)
  assert.deepEqual(failures(made, { documents: [holderDocument] }), [])
})

test('a key that was retired before the exchange proves nothing, one retired after it does', () => {
  const retired = (seconds: number) => {
    const expires = new Date((createdAt + seconds) * 1000).toISOString()
    const methods = (recipientDocument.verificationMethod ?? []).map((method) => ({
      ...method,
      expires,
      formerly: ['authentication'],
    }))
    return { documents: [holderDocument, { id: recipientDid, verificationMethod: methods }] }
  }
  assert.deepEqual(failures(whole, retired(3600)), [])
  assert.deepEqual(failures(whole, retired(-1)), ['request-signature'])
})

test('names the part that does not fit', () => {
  const other = exchangeEvidence({ requestFields: { 'comity-purpose': 'https://w3id.org/dpv#Y' } })
  const cases: [string, EvidenceBundle, string[]][] = [
    ['request of another exchange', { ...whole, request: other.request }, ['request-hash', 'response-request']],
    ['response of another exchange', { ...whole, response: other.response }, ['response-request', 'response-receipt']],
    [
      'receipt of another exchange',
      { ...whole, receipt: other.receipt },
      ['request-hash', 'response-receipt', 'event-leaf', 'event-receipt', 'log-inclusion'],
    ],
    ['event of another exchange', { ...whole, event: other.event }, ['event-leaf', 'event-receipt']],
    ['proof of another exchange', { ...whole, log: other.log }, ['log-inclusion']],
    [
      'response given as the request',
      { ...whole, request: whole.response },
      ['request-signature', 'request-hash', 'response-request'],
    ],
  ]
  for (const [name, bundle, expected] of cases) assert.deepEqual(failures(bundle), expected, name)
})

test('refuses exchanges that were signed but do not agree with themselves', () => {
  for (const [changes, expected] of [
    [{ claims: { status: 204 } }, ['response-content', 'event-receipt']],
    [{ claims: { res: 'A'.repeat(43) } }, ['response-content', 'event-receipt']],
    [{ claims: { req: 'A'.repeat(43) } }, ['request-hash', 'event-receipt']],
    [{ claims: { leaf: 'A'.repeat(43) } }, ['event-leaf', 'log-inclusion']],
    [{ claims: { log: 'other.example/log' } }, ['log-key']],
    [{ claims: { pur: 'urn:x' } }, ['request-receipt', 'event-receipt']],
    [{ claims: { time: (createdAt + 3600) * 1000 } }, ['times', 'event-receipt']],
    [{ claims: { time: Number.MAX_SAFE_INTEGER } }, ['times', 'event-receipt']],
    [{ event: { outcome: 'denied', status: 403 } }, ['event-receipt']],
    [{ responseFields: { 'content-digest': 'sha-256=:' + 'A'.repeat(43) + '=:' } }, ['response-content']],
    [{ claims: { aud: holderDid } }, ['request-signature', 'event-receipt']],
  ] as const) {
    assert.deepEqual(failures(exchangeEvidence(changes)), expected, JSON.stringify(changes))
  }
})

test('a holder cannot make of a request that was signed one for another product, agreement, purpose or consent', () => {
  const purpose = 'https://w3id.org/dpv#X'
  const named = { requestFields: { 'comity-purpose': purpose, 'comity-agreement': 'urn:uuid:1' } }
  const con = { id: 'consent-1', rev: 1, hash: 'A'.repeat(43) }
  for (const [changes, member] of [
    [{ claims: { prd: 'results' }, event: { product: 'results' } }, 'product'],
    [{ claims: { pur: 'urn:x' }, event: { purpose: 'urn:x' } }, 'purpose'],
    [{ ...named, claims: { agr: 'urn:uuid:2' }, event: { agreement: 'urn:uuid:2' } }, 'agreement'],
    [{ claims: { con }, event: { consent: con } }, 'consent'],
  ] as const) {
    const bundle = exchangeEvidence(changes)
    assert.deepEqual(failures(bundle), ['request-receipt'], member)
    const { checks } = verifyEvidence(bundle, own)
    assert.equal(checks.find(({ ok }) => !ok)?.detail, `request and receipt disagree on ${member}`)
  }
  const agreed = { agreement: 'urn:uuid:1', purpose }
  assert.deepEqual(
    failures(exchangeEvidence({ ...named, claims: { agr: 'urn:uuid:1', pur: purpose }, event: agreed })),
    [],
  )
})

test("refuses a log key that the holder's document does not name", () => {
  const mine = formatVerifierKey(verifierKey(logOrigin, recipientKeyOfLog()))
  assert.deepEqual(failures({ ...whole, log: { ...whole.log, verifierKey: mine } }), ['log-key', 'log-inclusion'])
  const unnamed = { documents: [{ ...holderDocument, service: [] }, recipientDocument] }
  assert.deepEqual(failures(whole, unnamed), ['log-key'])
  assert.deepEqual(failures(whole, { ...unnamed, verifierKey: whole.log.verifierKey }), [])
})

function recipientKeyOfLog() {
  const { publicJwk } = logKey.signing
  assert.ok(publicJwk.kty === 'OKP')
  return { ...publicJwk, x: `A${publicJwk.x.slice(1)}` }
}

test('refuses what is not a bundle', () => {
  for (const bundle of [
    undefined,
    null,
    [],
    'x',
    {},
    { ...whole, version: 2 },
    { ...whole, more: 1 },
    { ...whole, receipt: 7 },
  ]) {
    assert.deepEqual(failures(bundle), ['bundle'])
  }
})

test('a bundle with any character of its proofs changed fails, and never throws', () => {
  const texts: ((bundle: WholeBundle, edit: (text: string) => string) => EvidenceBundle)[] = [
    (bundle, edit) => ({ ...bundle, request: { ...bundle.request, base: edit(bundle.request.base) } }),
    (bundle, edit) => ({ ...bundle, request: { ...bundle.request, signature: edit(bundle.request.signature ?? '') } }),
    (bundle, edit) => ({
      ...bundle,
      response: { base: edit(whole.response.base), signature: whole.response.signature },
    }),
    (bundle, edit) => ({ ...bundle, receipt: edit(bundle.receipt) }),
    (bundle, edit) => ({ ...bundle, event: { body: edit(whole.event.body), salt: whole.event.salt } }),
    (bundle, edit) => ({ ...bundle, event: { body: whole.event.body, salt: edit(whole.event.salt) } }),
    (bundle, edit) => ({ ...bundle, log: { ...whole.log, proof: edit(whole.log.proof) } }),
    (bundle, edit) => ({ ...bundle, log: { ...whole.log, verifierKey: edit(whole.log.verifierKey) } }),
  ]
  const edits = fc.record({ where: fc.constantFrom(...texts), at: fc.nat(), by: fc.string({ maxLength: 3 }) })
  fc.assert(
    fc.property(edits, ({ where, at, by }) => {
      let changed = false
      const bundle = where(whole, (text) => {
        const start = at % text.length
        const edited = text.slice(0, start) + by + text.slice(start + 1)
        changed = edited !== text
        return edited
      })
      assert.equal(failures(bundle).length > 0, changed)
    }),
    { numRuns: 200 },
  )
})

test(`the receipt is the holder's: ${holderKeyid} must be its assertion key`, () => {
  const { assertionMethod: _, ...without } = holderDocument
  assert.deepEqual(failures(whole, { documents: [without, recipientDocument] }), ['receipt-signature'])
})

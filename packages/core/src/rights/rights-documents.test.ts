import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '#crypto'
import { signDutyReceipt, type DutyReceiptClaims } from '../duties/duty-receipt.ts'
import { parseDidDocument } from '../identity/did-document.ts'
import { didKeyDocument, didKeyId, didKeyOf } from '../identity/did-key.ts'
import { checkRightsDocuments } from './rights-documents.ts'

const keyOf = () => importSigningKey(generatePrivateJwk('ed25519'))
const [holderKey, key, web] = [keyOf(), keyOf(), keyOf()]
const holder = didKeyDocument(didKeyOf(holderKey.publicJwk))
const debtor = didKeyOf(key.publicJwk)
const signer = { keyid: didKeyId(debtor), key }
const webDid = 'did:web:lab.example'
const webSigner = { keyid: `${webDid}#k`, key: web }
const webDocument = (publicKeyJwk: object = web.publicJwk) =>
  parseDidDocument(
    {
      '@context': ['https://www.w3.org/ns/did/v1'],
      id: webDid,
      verificationMethod: [{ id: `${webDid}#k`, type: 'JsonWebKey', controller: webDid, publicKeyJwk }],
      assertionMethod: [`${webDid}#k`],
    },
    webDid,
  )

const claims: DutyReceiptClaims = {
  iss: debtor,
  aud: holder.id,
  iat: 1_771_000_000,
  duty: 'd1',
  kind: 'erase',
  consent: 'urn:uuid:1',
  sub: 'ps_1',
  outcome: 'deleted',
  at: 1_771_000_000_000,
}

const signedMs = claims.at + 5_000

/** The outcome of a request as its bundle tells it. */
function check(receipt: string, told: object = {}, debtors = [] as ReturnType<typeof webDocument>[]) {
  const { iss, duty, kind, consent, outcome } = claims
  const recipients = [
    { debtor: iss, duty, kind, consent, outcome, receipt, ...told },
    { debtor: iss, duty, kind },
  ]
  return checkRightsDocuments({ 'outcome.json': JSON.stringify({ recipients }) }, { signedMs, holder, debtors })
}

test('a receipt in a bundle is verified by the key of who signed it', () => {
  const { checks, failures, cautions } = check(signDutyReceipt(claims, signer))
  assert.deepEqual([failures, cautions], [[], []])
  assert.deepEqual(checks, [`the receipt of ${debtor} for the duty d1 is signed by ${signer.keyid}: erase, deleted`])
})

test('a receipt of a DID that carries no key needs its document, and is not told as verified without', () => {
  const [receipt, told] = [signDutyReceipt({ ...claims, iss: webDid }, webSigner), { debtor: webDid }]
  const { checks, failures, cautions } = check(receipt, told)
  assert.deepEqual([checks, failures], [[], []])
  assert.match(cautions.join(), /the duty d1 is not verified: the DID document of did:web:lab.example is not given/)
  assert.equal(check(receipt, told, [webDocument()]).checks.length, 1)
  const forged = check(receipt, told, [webDocument(keyOf().publicJwk)])
  assert.deepEqual([forged.checks, forged.failures.length, forged.cautions], [[], 1, []])
})

test('a receipt that is later than its bundle, or earlier than its duty, fails', () => {
  const late = Date.UTC(2099, 0)
  for (const change of [{ at: late, iat: late / 1000 }, { iat: late / 1000 }, { iat: 1 }] as const) {
    const { checks, failures } = check(signDutyReceipt({ ...claims, ...change }, signer))
    assert.deepEqual(checks, [])
    assert.match(failures.join(), /for the duty d1: its time is impossible/)
  }
  const duty = '019c5d4e-2f00-7aa1-8e65-30b3c2d1a001'
  assert.match(check(signDutyReceipt({ ...claims, duty }, signer), { duty }).failures.join(), /dated before the duty/)
})

test('a receipt that says something else than the bundle, or of another, fails', () => {
  for (const change of [
    { duty: 'd2' },
    { kind: 'delete' },
    { outcome: 'none-held' },
    { consent: 'urn:uuid:2' },
    { aud: 'did:web:other.example' },
    { sub: 'ps_1', consent: undefined },
  ] as const) {
    const { checks, failures } = check(signDutyReceipt({ ...claims, ...change }, signer))
    assert.deepEqual(
      [checks, failures],
      [[], [`the receipt of ${debtor} for the duty d1: it says something else than the bundle`]],
    )
  }
  const receipt = signDutyReceipt(claims, signer)
  assert.equal(check(receipt, { debtor: webDid }).failures.length, 1)
  const [header, payload] = receipt.split('.')
  const other = signDutyReceipt({ ...claims, at: claims.at + 1 }, signer).split('.')[2]
  assert.equal(check(`${header}.${payload}.${other}`).failures.length, 1)
  assert.equal(check('a.b.c').failures.length, 1)
})

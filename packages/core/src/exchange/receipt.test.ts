import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compactJwsSigner } from '../jws/compact.ts'
import { keyPair } from '../http-signatures/test-messages.ts'
import { Problem } from '../problems.ts'
import { parseReceipt, receiptType, signReceipt, verifyReceipt, type ReceiptClaims } from './receipt.ts'

const kid = 'did:web:federation.example#assert-1'
const { signing, verifying } = keyPair('ed25519')
const hash = 'RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg'
const claims: ReceiptClaims = {
  iss: 'did:web:federation.example',
  aud: 'did:web:lab.example',
  jti: '0190a7b0-0000-7000-8000-000000000001',
  iat: 1_718_000_001,
  time: 1_718_000_001_234,
  req: hash,
  res: hash,
  status: 200,
  prd: 'athletes',
  ver: '1.0.0',
  log: 'federation.example/log',
  leaf: hash,
}
const full: ReceiptClaims = {
  ...claims,
  op: 'getAthlete',
  agr: 'urn:uuid:1',
  pur: 'https://w3id.org/dpv#ResearchAndDevelopment',
  con: { id: 'c1', rev: 3, hash },
  via: ['did:web:lab.example', 'did:web:firm.example'],
  pol: ['p1'],
  rel: ['/name'],
  wit: [],
  fld: hash,
}

const refused = (error: unknown) => error instanceof Problem && error.code === 'receipt-invalid'

/** A well signed receipt of the test's own making. */
const forged = (payload: unknown, header: { kid?: string; typ?: string } = { kid, typ: receiptType }) =>
  compactJwsSigner(signing, header)(typeof payload === 'string' ? payload : JSON.stringify(payload))

test('a receipt says what was signed, with either algorithm', () => {
  for (const algorithm of ['ed25519', 'ecdsa-p256-sha256'] as const) {
    const keys = keyPair(algorithm)
    for (const said of [claims, full]) {
      const receipt = signReceipt(said, keys.signing, kid)
      const asked: string[] = []
      const read = verifyReceipt(receipt, (keyid) => {
        asked.push(keyid)
        return keys.verifying
      })
      assert.deepEqual([read, asked], [said, [kid]])
    }
  }
})

test('refuses to sign for another issuer than the one of the key', () => {
  assert.throws(() => signReceipt(claims, signing, 'did:web:other.example#k'), refused)
})

test('refuses a receipt by another key or of a key that is not the issuer`s', () => {
  const receipt = signReceipt(claims, signing, kid)
  for (const key of [keyPair('ed25519').verifying, keyPair('ecdsa-p256-sha256').verifying]) {
    assert.throws(() => verifyReceipt(receipt, () => key), refused)
  }
  for (const header of [{ kid: 'did:web:other.example#k', typ: receiptType }, { typ: receiptType }]) {
    assert.throws(() => parseReceipt(forged(claims, header)), refused)
  }
  assert.throws(() => parseReceipt(forged(claims, { kid: 'k1', typ: receiptType })), refused)
})

test('refuses a token of another type', () => {
  for (const typ of ['JWT', 'secevent+jwt', 'comity-receipt']) {
    assert.throws(() => parseReceipt(forged(claims, { kid, typ })), refused)
  }
  assert.throws(() => parseReceipt(forged(claims, { kid })), refused)
})

test('refuses claims that are missing, unknown or malformed', () => {
  for (const name of Object.keys(claims)) {
    const { [name as keyof ReceiptClaims]: _, ...without } = claims
    assert.throws(() => parseReceipt(forged(without)), refused, name)
  }
  for (const change of [
    { extra: 1 },
    { req: `${hash}=` },
    { req: hash.slice(1) },
    { leaf: `${hash.slice(0, 42)}B` },
    { status: 99 },
    { status: '200' },
    { iat: 1.5 },
    { iat: -1 },
    { time: 1e300 },
    { jti: '' },
    { pol: 'p1' },
    { con: { id: 'c', rev: 1 } },
    { con: { id: 'c', rev: 1, hash, more: 1 } },
  ]) {
    assert.throws(() => parseReceipt(forged({ ...claims, ...change })), refused, JSON.stringify(change))
  }
  for (const payload of ['', '[]', 'null', '{', JSON.stringify(claims).replace('{', '{"iss":"did:web:a.example",')]) {
    assert.throws(() => parseReceipt(forged(payload)), refused, payload)
  }
})

test('a receipt with anything changed is refused as invalid', () => {
  const receipt = signReceipt(full, signing, kid)
  const edits = fc.record({ at: fc.nat(), length: fc.nat(3), by: fc.string({ maxLength: 3 }) })
  fc.assert(
    fc.property(edits, ({ at, length, by }) => {
      const start = at % (receipt.length + 1)
      const mutated = receipt.slice(0, start) + by + receipt.slice(start + length)
      if (mutated !== receipt) assert.throws(() => verifyReceipt(mutated, () => verifying), refused)
    }),
    { numRuns: 200 },
  )
  assert.throws(() => parseReceipt('a'.repeat(100_000)), refused)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import fc from 'fast-check'
import { signCompactJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import {
  dutyKinds,
  dutyOutcomes,
  dutyReceiptType,
  fulfils,
  isPossibleOutcome,
  parseDutyReceipt,
  signDutyReceipt,
  verifyDutyReceipt,
  type DutyReceiptClaims,
} from './duty-receipt.ts'

const iss = 'did:web:lab.example'
const signer = { keyid: `${iss}#key-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
const claims: DutyReceiptClaims = {
  iss,
  aud: 'did:web:federation.example',
  iat: 1_000,
  duty: '0190',
  kind: 'delete',
  consent: 'urn:uuid:1',
  sub: 'ps_1',
  outcome: 'deleted',
  at: 1_000_123,
}
const invalid = { code: 'duty-receipt-invalid' }
const sign = (payload: unknown, header: Record<string, unknown> = { typ: dutyReceiptType, kid: signer.keyid }) =>
  signCompactJws({ key: signer.key, header, payload: JSON.stringify(payload) })

test('a receipt is read as it was written, and verifies with the key of the debtor only', () => {
  const parsed = parseDutyReceipt(signDutyReceipt(claims, signer))
  assert.deepEqual(parsed.claims, claims)
  verifyDutyReceipt(parsed, importVerifyingKey(signer.key.publicJwk))
  const other = importVerifyingKey(importSigningKey(generatePrivateJwk('ed25519')).publicJwk)
  assert.throws(() => verifyDutyReceipt(parsed, other), invalid)
})

test('refuses what is not a receipt, and what contradicts itself', () => {
  const wrong = [
    '',
    'a.b.c',
    sign(claims, { typ: 'JWT', kid: signer.keyid }),
    sign(claims, { typ: dutyReceiptType }),
    sign(claims, { typ: dutyReceiptType, kid: 'did:web:other.example#key-1' }),
    sign({ ...claims, more: 1 }),
    sign({ ...claims, kind: 'forget' }),
    sign({ ...claims, outcome: 'lifted' }),
    sign({ ...claims, outcome: 'refused' }),
    sign({ ...claims, outcome: 'retained', ground: '' }),
    sign({ ...claims, sub: undefined }),
    sign({ ...claims, at: '1' }),
  ]
  for (const text of wrong) assert.throws(() => parseDutyReceipt(text), invalid, text)
})

test('a debtor that does not do what it owes says why', () => {
  const refused = { ...claims, outcome: 'retained', ground: 'medical records act, section 4' } as const
  assert.deepEqual(parseDutyReceipt(signDutyReceipt(refused, signer)).claims, refused)
  assert.equal(fulfils('delete', 'retained'), false)
  assert.throws(() => signDutyReceipt({ ...claims, outcome: 'refused' }, signer), invalid)
})

test('nobody signs for another participant', () => {
  assert.throws(() => signDutyReceipt({ ...claims, iss: 'did:web:other.example' }, signer), invalid)
})

test('every kind of duty can be fulfilled, and refused', () => {
  for (const kind of dutyKinds) {
    assert.ok(dutyOutcomes.some((outcome) => fulfils(kind, outcome)))
    assert.ok(isPossibleOutcome(kind, 'refused') && !fulfils(kind, 'refused'))
  }
})

test('no text makes the reader fail otherwise than by its problem', () => {
  const valid = signDutyReceipt(claims, signer)
  const text = fc
    .tuple(fc.nat(valid.length), fc.nat(5), fc.string({ maxLength: 4 }))
    .map(([at, drop, put]) => valid.slice(0, at) + put + valid.slice(at + drop))
  fc.assert(
    fc.property(text, (receipt) => {
      try {
        parseDutyReceipt(receipt)
      } catch (error) {
        assert.ok(error instanceof Problem && error.code === 'duty-receipt-invalid', String(error))
      }
    }),
    { numRuns: 200 },
  )
})

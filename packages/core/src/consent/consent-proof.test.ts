import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import { signCompactJws } from '../jws/compact.ts'
import { holderProof, holderProofType, proofKeyId, verifyConsentProof } from './consent-proof.ts'
import type { ConsentProof } from './consent-record.ts'
import { parseConsentRecord, recordHash } from './parse-record.ts'
import { testParties, testRecord } from './test-consent.ts'

const key = importSigningKey(generatePrivateJwk('ed25519'))
const holderKey = importVerifyingKey(key.publicJwk)
const signer = { keyid: `${testParties.holder}#key-1`, key }
const record = testRecord()
const hash = recordHash(record)
const invalid = { name: 'Problem', code: 'consent-proof-invalid' }

test('the holder’s proof is over the hash of exactly this record', () => {
  const proof = holderProof(record, signer, Date.parse('2026-03-01T10:00:05.700Z'))
  assert.deepEqual([proof.by, proof.role, proof.at], [testParties.holder, 'holder', '2026-03-01T10:00:05Z'])
  assert.equal(proofKeyId(proof), signer.keyid)
  verifyConsentProof(proof, hash, { holderKey })
  assert.deepEqual(parseConsentRecord({ ...record, proofs: [proof] }).proofs, [proof])
  assert.throws(() => verifyConsentProof(proof, recordHash({ ...record, rev: 2 }), { holderKey }), invalid)
})

test('another key, another name, another time or no key does not verify', () => {
  const proof = holderProof(record, signer)
  const other = importVerifyingKey(importSigningKey(generatePrivateJwk('ecdsa-p256-sha256')).publicJwk)
  assert.throws(() => verifyConsentProof(proof, hash, { holderKey: other }), invalid)
  assert.throws(() => verifyConsentProof(proof, hash, {}), invalid)
  assert.throws(() => verifyConsentProof({ ...proof, by: testParties.recipient }, hash, { holderKey }), invalid)
  assert.throws(() => verifyConsentProof({ ...proof, at: '2026-03-01T10:00:01Z' }, hash, { holderKey }), invalid)
})

test('a signature for something else is no proof', () => {
  const at = '2026-03-01T10:00:00Z'
  const header = { typ: holderProofType, kid: signer.keyid, iat: Date.parse(at) / 1000 }
  const proofOf = (payload: string, members: object = {}): ConsentProof => {
    const value = signCompactJws({ key, header: { ...header, ...members }, payload })
    return { by: testParties.holder, role: 'holder', type: 'jws', at, value }
  }
  verifyConsentProof(proofOf(JSON.stringify({ hash })), hash, { holderKey })
  for (const payload of [
    '{}',
    hash,
    `"${hash}"`,
    JSON.stringify({ hash, rev: 1 }),
    `{"hash":"${hash}","hash":"${hash}"}`,
    'null',
  ]) {
    assert.throws(() => verifyConsentProof(proofOf(payload), hash, { holderKey }), invalid, payload)
  }
  const payload = JSON.stringify({ hash })
  for (const members of [{ typ: 'JWT' }, { kid: 'key-1' }, { kid: `${testParties.recipient}#key-1` }, { iat: 'now' }]) {
    assert.throws(
      () => verifyConsentProof(proofOf(payload, members), hash, { holderKey }),
      invalid,
      JSON.stringify(members),
    )
  }
})

test('a link and a session are the holder’s word, of the right shape', () => {
  const by = record.subject.id
  const link: ConsentProof = { by, role: 'subject', type: 'link', at: record.createdAt, value: { channel: 'sms' } }
  const value = { channel: 'portal', acr: 'urn:example:high', amr: ['pwd', 'otp'], authTime: 1_772_359_000 }
  const session: ConsentProof = { by: 'guardian-1', role: 'grantor', type: 'session', at: record.createdAt, value }
  for (const proof of [link, session]) {
    verifyConsentProof(proof, hash, {})
    for (const members of [
      { role: 'holder' },
      { at: 'today' },
      { value: { ...proof.value, password: 'x' } },
      { note: 'x' },
    ]) {
      assert.throws(() => verifyConsentProof({ ...proof, ...members } as ConsentProof, hash, {}), invalid)
    }
  }
})

test('a passkey’s assertion is not taken where no passkeys are known', () => {
  const value = {
    credentialId: 'AAAA',
    publicKey: { ...key.publicJwk },
    rpId: 'a.example',
    origin: 'https://a.example',
    authenticatorData: 'AAAA',
    clientDataJSON: 'AAAA',
    signature: 'AAAA',
  }
  const proof: ConsentProof = { by: record.subject.id, role: 'subject', type: 'webauthn', at: record.createdAt, value }
  assert.throws(() => verifyConsentProof(proof, hash, {}), invalid)
  assert.throws(
    () => verifyConsentProof(proof, hash, { passkey: { rpId: 'a.example', origins: ['https://a.example'] } }),
    invalid,
  )
})

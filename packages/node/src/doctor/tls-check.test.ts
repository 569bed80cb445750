import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { DidDocument } from '@comity/core/identity/did-document'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { selfSignedCertificate } from '../http/self-signed-certificate.ts'
import { checkTls, type TlsFacts } from './tls-check.ts'

const nowMs = Date.parse('2026-06-01T00:00:00Z')
const did = 'did:web:node.example'
const jwk = generatePrivateJwk('ecdsa-p256-sha256')
const certificate = await selfSignedCertificate({ jwk, nowMs, hostname: 'node.example', randomBytes })
const { d: _, ...publicKeyJwk } = jwk
const document: DidDocument = {
  id: did,
  verificationMethod: [{ id: `${did}#tls`, type: 'JsonWebKey', controller: did, publicKeyJwk: { ...publicKeyJwk } }],
  service: [
    { id: `${did}#node`, type: 'ComityNode', serviceEndpoint: 'https://node.example', tlsKeys: [`${did}#tls`] },
  ],
}
const facts: TlsFacts = {
  certificate,
  configured: true,
  hostname: 'node.example',
  document,
  clock: { now: () => nowMs },
}
const at = (time: string): TlsFacts => ({ ...facts, clock: { now: () => Date.parse(time) } })
const outcomes = (given: TlsFacts) => checkTls(given).map(({ check, outcome }) => `${check} ${outcome}`)

test('a certificate that is valid, for the host, and named in the document is good', () => {
  assert.deepEqual(outcomes(facts), ['tls good', 'tls key good'])
})

test('a certificate is bad after its end and before its begin, and a caution two weeks before its end', () => {
  assert.deepEqual(outcomes(at('2099-01-01T00:00:00Z'))[0], 'tls bad')
  assert.deepEqual(outcomes(at('2020-01-01T00:00:00Z'))[0], 'tls bad')
  const until = /until (\S+)$/.exec(checkTls(facts)[0]?.detail ?? '')?.[1] ?? ''
  const shortly = new Date(Date.parse(until) - 7 * 86_400_000).toISOString()
  assert.deepEqual(outcomes(at(shortly))[0], 'tls caution')
})

test('the name is a must for a certificate of an authority, and no more than a word for one that is pinned', () => {
  const elsewhere = { ...facts, hostname: 'other.example' }
  assert.ok(outcomes(elsewhere).includes('tls bad'))
  assert.ok(outcomes({ ...elsewhere, configured: false }).includes('tls caution'))
})

test('a key that the document does not name is bad; a did:key names none', () => {
  const { service: _service, ...bare } = document
  assert.equal(outcomes({ ...facts, document: bare }).at(-1), 'tls key bad')
  assert.equal(outcomes({ ...facts, document: { id: 'did:key:z6Mk' } }).at(-1), 'tls key good')
})

test('a private key of another certificate, and text that is no certificate, are bad', async () => {
  const other = await selfSignedCertificate({
    jwk: generatePrivateJwk('ecdsa-p256-sha256'),
    nowMs,
    hostname: 'node.example',
    randomBytes,
  })
  assert.deepEqual(outcomes({ ...facts, certificate: { ...certificate, key: other.key } }), ['tls bad'])
  assert.deepEqual(outcomes({ ...facts, certificate: { cert: 'no certificate', key: 'no key' } }), ['tls bad'])
})

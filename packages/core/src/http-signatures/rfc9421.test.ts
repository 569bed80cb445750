/** RFC 9421 Appendix B.2: the six published signatures, byte for byte. */
import assert from 'node:assert/strict'
import { constants, createHmac, createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { PrivateJwk } from '../crypto/crypto.ts'
import { importSigningKey, importVerifyingKey } from '../crypto/crypto-node.ts'
import { verifyContentDigest } from './content-digest.ts'
import type { SignedMessage } from './message.ts'
import { signatureBase } from './signature-base.ts'
import { parseSignatureFields, serialiseSignature, serialiseSignatureParams } from './signature-fields.ts'

interface Vector {
  section: string
  message: 'request' | 'response'
  algorithm: string
  key: string
  label: string
  signatureInput: string
  signature: string
  base: string
}

interface VectorMessage {
  method: string
  authority: string
  target: string
  status: number
  headers: [string, string][]
  content: string
}

const path = new URL('../../../../vectors/rfc9421.json', import.meta.url)
const vectors = JSON.parse(readFileSync(path, 'utf8')) as {
  keys: Record<string, JsonWebKey & { k: string }>
  request: VectorMessage
  response: VectorMessage
  cases: Vector[]
}

const headerOf = (message: VectorMessage) => (name: string) =>
  message.headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1]

function messageOf(kind: Vector['message']): SignedMessage {
  if (kind === 'response') {
    return { response: { status: vectors.response.status, header: headerOf(vectors.response) } }
  }
  const { method, authority, target } = vectors.request
  const [pathPart = '', query = ''] = target.split('?')
  return { request: { method, authority, path: pathPart, query: `?${query}`, header: headerOf(vectors.request) } }
}

function verifies({ algorithm, key }: Vector, base: string, signature: Uint8Array): boolean {
  const jwk = vectors.keys[key]
  assert.ok(jwk)
  if (algorithm === 'rsa-pss-sha512') {
    const options = { key: createPublicKey({ key: jwk, format: 'jwk' }), padding: constants.RSA_PKCS1_PSS_PADDING }
    return verify('sha512', Buffer.from(base), { ...options, saltLength: 64 }, signature)
  }
  if (algorithm === 'hmac-sha256') return hmac(jwk.k, base).equals(signature)
  return importVerifyingKey(importSigningKey(jwk as PrivateJwk).publicJwk).verify(base, signature)
}

const hmac = (secret: string, base: string) =>
  createHmac('sha256', Buffer.from(secret, 'base64url')).update(base).digest()

for (const vector of vectors.cases) {
  const name = `RFC 9421 ${vector.section} (${vector.algorithm})`
  test(`${name}: the base is byte-equal and the signature verifies`, () => {
    const [found, ...others] = parseSignatureFields(vector.signatureInput, vector.signature)
    assert.ok(found)
    assert.equal(others.length, 0)
    assert.equal(found.label, vector.label)
    const base = signatureBase(found.components, found.signatureParams, messageOf(vector.message))
    assert.equal(base, vector.base)
    assert.ok(verifies(vector, base, found.signature))
    assert.ok(!verifies(vector, `${base} `, found.signature))
  })

  test(`${name}: the fields are written as they were read`, () => {
    const [found] = parseSignatureFields(vector.signatureInput, vector.signature)
    assert.ok(found)
    assert.equal(`${found.label}=${serialiseSignatureParams(found.components, found.params)}`, vector.signatureInput)
    assert.equal(`${found.label}=${serialiseSignature(found.signature)}`, vector.signature)
  })
}

test('RFC 9421 B.2.5 and B.2.6 are made again from their keys', () => {
  const [hmacVector, ed25519Vector] = vectors.cases.slice(4)
  assert.ok(hmacVector && ed25519Vector)
  const { k } = vectors.keys['test-shared-secret'] ?? { k: '' }
  assert.equal(`sig-b25=${serialiseSignature(hmac(k, hmacVector.base))}`, hmacVector.signature)
  const key = importSigningKey(vectors.keys['test-key-ed25519'] as PrivateJwk)
  assert.equal(`sig-b26=${serialiseSignature(key.sign(ed25519Vector.base))}`, ed25519Vector.signature)
})

test('the digests of the messages of RFC 9421 B.2 verify', () => {
  for (const message of [vectors.request, vectors.response]) {
    verifyContentDigest(headerOf(message)('content-digest'), Buffer.from(message.content))
  }
})

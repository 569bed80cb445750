import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import { signRightsBundle, verifyRightsBundle } from './rights-bundle.ts'

const iss = 'did:web:holder.example'
const signer = { keyid: `${iss}#key-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
const resolveKey = () => importVerifyingKey(signer.key.publicJwk)
const about = { iss, iat: 1_000, request: 'r1', type: 'access', status: 'fulfilled' } as const
const bundle = signRightsBundle(about, { 'consents.json': '[]', 'uses.json': '["Ünïcödé"]' }, signer)

test('a bundle verifies whole, and tells what it is', () => {
  const manifest = verifyRightsBundle(JSON.parse(JSON.stringify(bundle)), resolveKey)
  assert.deepEqual([manifest.request, Object.keys(manifest.documents)], ['r1', ['consents.json', 'uses.json']])
})

test('refuses a bundle in which anything was changed, taken away or added, or that another signed', () => {
  const { documents } = bundle
  const faulty: unknown[] = [
    { ...bundle, documents: { ...documents, 'uses.json': '[]' } },
    { ...bundle, documents: { 'consents.json': '[]' } },
    { ...bundle, documents: { ...documents, 'more.json': '[]' } },
    { ...bundle, manifest: bundle.manifest.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) },
    { ...bundle, more: 1 },
    signRightsBundle({ ...about, iss: 'did:web:other.example' }, documents, signer),
    null,
  ]
  for (const value of faulty) assert.throws(() => verifyRightsBundle(value, resolveKey), { code: 'proof-invalid' })
  const other = importVerifyingKey(importSigningKey(generatePrivateJwk('ed25519')).publicJwk)
  assert.throws(() => verifyRightsBundle(bundle, () => other), { code: 'proof-invalid' })
})

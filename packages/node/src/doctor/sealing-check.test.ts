import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidDocument } from '@comity/core/identity/did-document'
import { checkSealing } from './sealing-check.ts'

const did = 'did:web:federation.example'
const x = Buffer.alloc(32, 9).toString('base64url')
const method = {
  id: `${did}#agree-1`,
  type: 'JsonWebKey',
  controller: did,
  publicKeyJwk: { kty: 'OKP', crv: 'X25519', x },
}
const bare: DidDocument = {
  id: did,
  service: [{ id: `${did}#node`, type: 'ComityNode', serviceEndpoint: 'https://x.example' }],
}
const withKey = { ...bare, verificationMethod: [method], keyAgreement: [method.id] }
const sealing = { answers: ['HPKE-3'] }
const announcing = { ...withKey, service: bare.service?.map((service) => ({ ...service, sealing })) }
const check = (document: DidDocument, answers: 'offered' | 'required', requests: 'offered' | 'required') =>
  checkSealing(document, { alias: 'federation', sealing: { answers, requests } }, 0).map(({ outcome }) => outcome)

test('says when a partner names no key for bodies that must be sealed', () => {
  assert.deepEqual(check(bare, 'offered', 'required'), ['bad'])
  assert.deepEqual(check(withKey, 'offered', 'required'), [])
})

test('says when a partner does not announce the sealed answers that are demanded of it', () => {
  assert.deepEqual(check(withKey, 'required', 'offered'), ['caution'])
  assert.deepEqual(check(announcing, 'required', 'required'), [])
})

test('says nothing where nothing is demanded', () => {
  assert.deepEqual(check(bare, 'offered', 'offered'), [])
  assert.deepEqual(checkSealing(bare, { alias: 'federation' }, 0), [])
})

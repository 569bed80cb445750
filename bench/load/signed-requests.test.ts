import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { parseRequestSignature, verifyRequestSignature } from '@comity/core/http-signatures/profile-request'
import { SignedRequests } from './signed-requests.ts'

test('every request has a nonce of its own and a signature that a node accepts', () => {
  const privateJwk = generatePrivateJwk('ed25519')
  const { d: _, ...publicJwk } = privateJwk
  const headers = { 'comity-purpose': 'https://w3id.org/dpv#ServiceProvision' }
  const keyid = 'did:web:lab.example#k1'
  const common = { kind: 'signed', authority: 'localhost:8443', path: '/x/p/r?a=1', headers, keyid } as const
  const source = new SignedRequests({ ...common, privateJwk })
  source.prepare(3)
  const nonces = Array.from({ length: 5 }, () => {
    const [line = '', ...fields] = source.next().trimEnd().split('\r\n')
    assert.equal(line, 'GET /x/p/r?a=1 HTTP/1.1')
    const received = new Map(fields.map((field) => field.split(/: (.*)/s, 2) as [string, string]))
    const header = (name: string): string | undefined => received.get(name)
    const parts = { method: 'GET', authority: 'localhost:8443', path: '/x/p/r', query: '?a=1', header }
    const signature = parseRequestSignature(parts)
    verifyRequestSignature(signature, importVerifyingKey(publicJwk))
    return signature.nonce
  })
  assert.equal(new Set(nonces).size, 5)
})

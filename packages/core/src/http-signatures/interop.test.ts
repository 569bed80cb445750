/** The same signatures by an independent implementation, npm `http-message-signatures`, in both directions. */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'
import type { PrivateJwk, SignatureAlgorithm } from '../crypto/crypto.ts'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '../crypto/crypto-node.ts'
import { parseRequestSignature, requestTag, signRequest, verifyRequestSignature } from './profile-request.ts'
import { parseResponseSignature, responseTag, signResponse, verifyResponseSignature } from './profile-response.ts'
import {
  createdAt,
  nonce,
  requestFields,
  requestWith,
  responseFields,
  responseWith,
  type Fields,
} from './test-messages.ts'

const url = 'https://node.example/x/athletes/1?sport=rowing'
const requestCovers = ['@method', '@authority', '@path', '@query']
const requestHeaders = ['content-type', 'content-digest', 'idempotency-key', 'comity-purpose']
const responseCovers = ['@status', 'content-type', 'content-digest', 'comity-receipt']
const boundCovers = ['@method', '@authority', '@path', '@query', 'content-digest'].map((name) => `"${name}";req`)
const keyid = 'did:web:lab.example#k1'
const created = new Date(createdAt * 1000)
const expires = new Date((createdAt + 60) * 1000)

function keysFor(alg: SignatureAlgorithm) {
  const jwk: PrivateJwk = generatePrivateJwk(alg)
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const signing = importSigningKey(jwk)
  const verifier = createVerifier(createPublicKey(privateKey), alg)
  return {
    ours: { signing, verifying: importVerifyingKey(signing.publicJwk) },
    theirs: {
      signer: createSigner(privateKey, alg, keyid),
      lookup: async () => ({ id: keyid, algs: [alg], verify: verifier }),
    },
  }
}

const lowerCase = (headers: Record<string, string | string[]>): Fields =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))

const headersOf = (made: { signatureInput: string; signature: string }) => ({
  'signature-input': made.signatureInput,
  signature: made.signature,
})

for (const alg of ['ed25519', 'ecdsa-p256-sha256'] as const) {
  const { ours, theirs } = keysFor(alg)

  test(`${alg}: a request that they sign is verified by us, under whatever label`, async () => {
    for (const label of ['comity', 'sig1']) {
      const signed = await httpbis.signMessage(
        {
          key: theirs.signer,
          name: label,
          fields: [...requestCovers, ...requestHeaders],
          params: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
          paramValues: { created, expires, nonce, tag: requestTag },
        },
        { method: 'POST', url, headers: { ...requestFields } },
      )
      const signature = parseRequestSignature(requestWith(lowerCase(signed.headers)))
      assert.deepEqual([signature.label, signature.keyid, signature.alg], [label, keyid, alg])
      verifyRequestSignature(signature, ours.verifying)
    }
  })

  test(`${alg}: a request that we sign is verified by them`, async () => {
    const signing = { key: ours.signing, keyid, createdAt, expiresAt: createdAt + 60, nonce }
    const headers = { ...requestFields, ...headersOf(signRequest(requestWith(requestFields), signing)) }
    const check = (fields: Fields) =>
      httpbis.verifyMessage(
        { keyLookup: theirs.lookup, notAfter: created, tolerance: 10 ** 9 },
        { method: 'POST', url, headers: { ...fields } },
      )
    assert.equal(await check(headers), true)
    assert.equal(await check({ ...headers, 'comity-purpose': 'https://w3id.org/dpv#Marketing' }), false)
  })

  test(`${alg}: a response that they sign over our request is verified by us`, async () => {
    const request = signedRequest()
    const signed = await httpbis.signMessage(
      {
        key: theirs.signer,
        name: 'comity',
        fields: [...responseCovers, ...boundCovers, '"signature";req;key="comity"'],
        params: ['created', 'keyid', 'alg', 'tag'],
        paramValues: { created, tag: responseTag },
      },
      { status: 200, headers: { ...responseFields } },
      { method: 'POST', url, headers: { ...request.headers } },
    )
    const signature = parseResponseSignature(responseWith(lowerCase(signed.headers)), request.answered)
    verifyResponseSignature(signature, ours.verifying)
  })

  test(`${alg}: a response that we sign is verified by them, only beside the request that was sent`, async () => {
    const request = signedRequest()
    const made = signResponse(responseWith(responseFields), request.answered, { key: ours.signing, keyid, createdAt })
    const check = (sent: Fields) =>
      httpbis.verifyMessage(
        { keyLookup: theirs.lookup, notAfter: created },
        { status: 200, headers: { ...responseFields, ...headersOf(made) } },
        { method: 'POST', url, headers: { ...sent } },
      )
    assert.equal(await check(request.headers), true)
    const otherSignature = `comity=:${Buffer.alloc(64).toString('base64')}:`
    assert.equal(await check({ ...request.headers, signature: otherSignature }), false)
  })

  function signedRequest() {
    const signing = { key: ours.signing, keyid, createdAt, expiresAt: createdAt + 60, nonce }
    const made = signRequest(requestWith(requestFields), signing)
    return {
      headers: { ...requestFields, ...headersOf(made) },
      answered: { parts: requestWith(requestFields), signatureHeader: made.signature },
    }
  }
}

/** Made-up messages and keys for the tests of signatures. */
import type { SignatureAlgorithm, SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '../crypto/crypto-node.ts'
import type { RequestParts, ResponseParts } from './message.ts'
import { signRequest } from './profile-request.ts'
import { signResponse } from './profile-response.ts'

/** Header fields, names in lower case. */
export type Fields = Readonly<Record<string, string>>

export const createdAt = 1_718_000_000
export const nonce = 'mZ3vNn0zTq1bq2yQw5d7Jg'
export const labKeyid = 'did:web:lab.example#k1'
export const holderKeyid = 'did:web:federation.example#k1'

/** A fresh pair of keys. */
export function keyPair(algorithm: SignatureAlgorithm): { signing: SigningKey; verifying: VerifyingKey } {
  const signing = importSigningKey(generatePrivateJwk(algorithm))
  return { signing, verifying: importVerifyingKey(signing.publicJwk) }
}

/** A request with these fields. */
export function requestWith(fields: Fields, control: Partial<Omit<RequestParts, 'header'>> = {}): RequestParts {
  const line = { method: 'POST', authority: 'node.example', path: '/x/athletes/1', query: '?sport=rowing' }
  return { scheme: 'https', ...line, ...control, header: (name) => fields[name] }
}

/** A response with these fields. */
export function responseWith(fields: Fields, status = 200): ResponseParts {
  return { status, header: (name) => fields[name] }
}

/** Fields of a request with a body. */
export const requestFields: Fields = {
  'content-type': 'application/json',
  'content-length': '18',
  'content-digest': 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
  'idempotency-key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
  'comity-purpose': 'https://w3id.org/dpv#ResearchAndDevelopment',
}

/** Fields of a response with a body. */
export const responseFields: Fields = {
  'content-type': 'application/json',
  'content-length': '18',
  'content-digest': 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
  'comity-receipt': 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl',
}

/** The fields with a request signature beside them. */
export function signedRequestFields(key: SigningKey, fields = requestFields, control = {}): Fields {
  const signing = { key, keyid: labKeyid, createdAt, expiresAt: createdAt + 60, nonce }
  const { signatureInput, signature } = signRequest(requestWith(fields, control), signing)
  return { ...fields, 'signature-input': signatureInput, signature }
}

/** The fields with a response signature beside them, bound to the request. */
export function signedResponseFields(key: SigningKey, requestHas: Fields, fields = responseFields): Fields {
  const request = { parts: requestWith(requestHas), signatureHeader: requestHas['signature'] }
  const signing = { key, keyid: holderKeyid, createdAt: createdAt + 1 }
  const { signatureInput, signature } = signResponse(responseWith(fields), request, signing)
  return { ...fields, 'signature-input': signatureInput, signature }
}

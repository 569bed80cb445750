import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { componentOf } from './components.ts'
import type { ResponseParts } from './message.ts'
import {
  answerTrailers,
  parseResponseSignature,
  responseCoverage,
  signResponse,
  verifyResponseSignature,
  type AnsweredRequest,
} from './profile-response.ts'
import { signatureBase } from './signature-base.ts'
import { createdAt, holderKeyid, keyPair, requestWith, signedRequestFields, type Fields } from './test-messages.ts'

const lab = keyPair('ed25519')
const holder = keyPair('ed25519')
const sent = signedRequestFields(lab.signing, {}, { method: 'GET' })
const answered: AnsweredRequest = { parts: requestWith(sent, { method: 'GET' }), signatureHeader: sent['signature'] }

const head: Fields = { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' }
const tail: Fields = {
  'content-digest': 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
  'comity-receipt': 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl',
}

const streamed = (fields: Fields, trailers: Fields, status = 200): ResponseParts => ({
  status,
  header: (name) => fields[name],
  trailer: (name) => trailers[name],
})

function signedTail(fields = head, trailers = tail): Fields {
  const signing = { key: holder.signing, keyid: holderKeyid, createdAt }
  const made = signResponse(streamed(fields, trailers), answered, signing)
  return { ...trailers, 'signature-input': made.signatureInput, signature: made.signature }
}

function accept(fields: Fields, trailers: Fields, request = answered): string {
  const signature = parseResponseSignature(streamed(fields, trailers), request)
  verifyResponseSignature(signature, holder.verifying)
  return signature.base
}

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

test('of a streamed answer the signature covers digest and receipt as trailer fields', () => {
  const { list } = responseCoverage(streamed(head, tail), answered)
  const own = '"@status" "content-type" "content-digest";tr "comity-receipt";tr'
  const bound = '"@method";req "@authority";req "@path";req "@query";req "signature";req;key="comity"'
  assert.equal(list, `(${own} ${bound})`)
  accept(head, signedTail())
})

// No library at hand knows `tr`: the base is written out by hand after RFC 9421 §2.1 and §2.5, the signature is checked
// by OpenSSL.
test('the base is the one of RFC 9421, to the byte', () => {
  const trailers = signedTail()
  const requestSignature = (sent['signature'] ?? '').slice('comity='.length)
  const params = (trailers['signature-input'] ?? '').slice('comity='.length)
  const base = [
    '"@status": 200',
    '"content-type": application/x-ndjson',
    `"content-digest";tr: ${tail['content-digest']}`,
    `"comity-receipt";tr: ${tail['comity-receipt']}`,
    '"@method";req: GET',
    '"@authority";req: node.example',
    '"@path";req: /x/athletes/1',
    '"@query";req: ?sport=rowing',
    `"signature";req;key="comity": ${requestSignature}`,
    `"@signature-params": ${params}`,
  ].join('\n')
  const key = createPublicKey({ key: { ...holder.signing.publicJwk }, format: 'jwk' })
  const signature = Buffer.from((trailers['signature'] ?? '').slice('comity=:'.length, -1), 'base64')
  assert.ok(verify(null, Buffer.from(base), key, signature))
  assert.equal(accept(head, trailers), base)
})

test('the general reading of components gives the same base', () => {
  const trailers = signedTail()
  const params = (trailers['signature-input'] ?? '').slice('comity='.length)
  const components = params
    .slice(1, params.indexOf(')'))
    .split(' ')
    .map((text) => componentOf(text))
  const request = { ...answered.parts, header: (name: string) => sent[name] }
  const base = signatureBase(components, params, { request, response: streamed(head, trailers) })
  assert.equal(base, accept(head, trailers))
})

test('refuses a streamed answer of which any part was changed or taken away', () => {
  const trailers = signedTail()
  for (const name of ['content-digest', 'comity-receipt']) {
    const { [name]: _, ...without } = trailers
    assert.throws(() => accept(head, without), refused('answer-invalid'), name)
    assert.throws(() => accept(head, { ...trailers, [name]: `${trailers[name]}x` }), refused('answer-invalid'), name)
  }
  assert.throws(() => accept({ ...head, 'content-type': 'text/csv' }, trailers), refused('answer-invalid'))
  for (const name of ['signature-input', 'signature']) {
    const { [name]: _, ...without } = trailers
    assert.throws(() => accept(head, without), refused('answer-unsigned'), name)
  }
  assert.throws(() => accept(head, {}), refused('answer-unsigned'))
})

test('refuses a field in the head that belongs into the trailers: two readings of one answer', () => {
  const trailers = signedTail()
  for (const name of answerTrailers) {
    assert.throws(() => accept({ ...head, [name]: trailers[name] ?? '' }, trailers), refused('answer-invalid'), name)
  }
})

test('a signature over trailers does not count for an answer whose fields stand in its head, nor the other way', () => {
  const trailers = signedTail()
  const plain = { status: 200, header: (name: string) => ({ ...head, ...trailers })[name], hasBody: true }
  assert.throws(() => parseResponseSignature(plain, answered), refused('answer-invalid'))
  const signing = { key: holder.signing, keyid: holderKeyid, createdAt }
  const made = signResponse({ ...plain, header: (name) => ({ ...head, ...tail })[name] }, answered, signing)
  const moved = { ...tail, 'signature-input': made.signatureInput, signature: made.signature }
  assert.throws(() => accept(head, moved), refused('answer-invalid'))
})

test('a validator in the head is covered too: what the application gets of it is the holder`s word', () => {
  const tagged = { ...head, etag: '"a"' }
  const trailers = signedTail(tagged)
  assert.match(accept(tagged, trailers), /^"etag": "a"$/m)
  assert.throws(() => accept(head, trailers), refused('answer-invalid'))
  assert.throws(() => accept({ ...head, etag: '"b"' }, trailers), refused('answer-invalid'))
})

test('is not signed without a digest, an empty answer neither', () => {
  const signing = { key: holder.signing, keyid: holderKeyid, createdAt }
  const { 'content-digest': _, ...without } = tail
  assert.throws(() => signResponse(streamed(head, without), answered, signing), refused('signature-coverage'))
})

test('binds to the request that was sent', () => {
  const trailers = signedTail()
  const other = { ...answered, parts: requestWith(sent, { method: 'GET', path: '/x/athletes/2' }) }
  assert.throws(() => accept(head, trailers, other), refused('answer-invalid'))
})

test('no single changed character of the trailers is taken', () => {
  const trailers = signedTail()
  fc.assert(
    fc.property(fc.constantFrom(...answerTrailers), fc.nat(), (name, at) => {
      const text = trailers[name] ?? ''
      const index = at % text.length
      const changed = text.slice(0, index) + (text[index] === 'x' ? 'y' : 'x') + text.slice(index + 1)
      assert.throws(() => accept(head, { ...trailers, [name]: changed }), Problem)
    }),
    { numRuns: 150 },
  )
})

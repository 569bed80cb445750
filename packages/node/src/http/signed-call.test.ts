import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { verifyContentDigest } from '@comity/core/http-signatures/content-digest'
import { parseRequestSignature, verifyRequestSignature } from '@comity/core/http-signatures/profile-request'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { createAddressGuard } from './address-guard.ts'
import { createPartnerClient } from './partner-client.ts'
import { readRequest } from './received-request.ts'
import { selfSignedCertificate } from './self-signed-certificate.ts'
import { createSignedCaller } from './signed-call.ts'
import { spkiFingerprint } from './spki-fingerprint.ts'

const tlsJwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
const tls = await selfSignedCertificate({ hostname: 'localhost', jwk: tlsJwk, nowMs: Date.now(), randomBytes })
let behave: (message: IncomingMessage, response: ServerResponse, body: Buffer) => void
const server = createServer(tls, (message, response) => {
  const chunks: Buffer[] = []
  message.on('data', (chunk: Buffer) => chunks.push(chunk))
  message.on('end', () => behave(message, response, Buffer.concat(chunks)))
})
before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => void server.close().closeAllConnections())

const partner = () => ({ did: 'did:web:p.example', authority: `127.0.0.1:${(server.address() as AddressInfo).port}` })
const client = createPartnerClient({
  guard: createAddressGuard({ allowPrivateAddresses: ['127.0.0.0/8'] }),
  trustFor: () => ({ fingerprints: [spkiFingerprint(tls.cert)] }),
  connectionsPerPartner: 2,
  answerBytes: 4 * 1024 * 1024,
})
after(() => client[Symbol.asyncDispose]())

const keyid = 'did:web:lab.example#auth-1'
const key = importSigningKey(generatePrivateJwk('ed25519'))
const call = createSignedCaller({
  clock: { now: () => Date.now() },
  randomBytes,
  authenticationKey: () => ({ keyid, key }),
  client,
})
const json = (response: ServerResponse, value: unknown, { status = 200, type = 'application/json' } = {}) =>
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value))
const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const problem = 'application/problem+json'

test('a request arrives signed over method, address, body and idempotency key, and its JSON answer comes back', async () => {
  let signedBy: string | undefined
  behave = (message, response, body) => {
    const request = readRequest(message, true)
    const { method, authority, path, query, header } = request
    const signature = parseRequestSignature({ method, authority, path, query, header, hasBody: body.length > 0 })
    verifyRequestSignature(signature, importVerifyingKey(key.publicJwk))
    if (body.length > 0) verifyContentDigest(header('content-digest'), body)
    signedBy = signature.keyid
    json(
      response,
      { method, path, asked: body.length > 0 ? JSON.parse(body.toString()) : null, key: header('idempotency-key') },
      { status: 202 },
    )
  }
  const posted = await call(partner(), {
    method: 'POST',
    path: '/consents/requests',
    body: { a: 'ü' },
    handsOn: [],
    idempotencyKey: 'k1',
  })
  assert.deepEqual(posted, {
    status: 202,
    value: { method: 'POST', path: '/consents/requests', asked: { a: 'ü' }, key: '"k1"' },
    keyid,
  })
  assert.equal(signedBy, keyid)
  const read = await call(partner(), { method: 'GET', path: '/consents/urn:uuid:1/token', handsOn: [] })
  assert.deepEqual((read.value as { asked: unknown }).asked, null)
})

const get = (...handsOn: ProblemCode[]) => ({ method: 'GET', path: '/', handsOn }) as const

test('what a partner refuses a call with is handed on where the call says so; its other troubles are its own', async () => {
  const answered = { code: 'consent-inactive', detail: 'the consent is paused', state: 'paused', secret: 'x' }
  behave = (_, response) => void json(response, answered, { status: 403, type: problem })
  await assert.rejects(call(partner(), get()), refused('answer-unusable'))
  await assert.rejects(call(partner(), get('consent-unknown')), refused('answer-unusable'))
  await assert.rejects(call(partner(), get('consent-unknown', 'consent-inactive')), (error) => {
    assert.ok(error instanceof Problem && error.code === 'consent-inactive')
    assert.equal(error.message, 'the consent is paused')
    assert.deepEqual(error.members, { state: 'paused' })
    return true
  })
  for (const [status, code] of [
    [500, 'internal-error'],
    [401, 'signature-invalid'],
    [403, 'consent-of-the-future'],
    [404, undefined],
  ] as const) {
    behave = (_, response) => void json(response, { code }, { status, type: problem })
    await assert.rejects(call(partner(), get('consent-inactive')), refused('answer-unusable'), String(status))
  }
})

test('members of a refusal that are not what they should be are not handed on', async () => {
  const members = { state: 1, possible: ['a', 2], errors: 'x', lapses: 'y'.repeat(1_001), consent: null }
  const answered = { code: 'consent-inactive', detail: 'no', retryAfterSeconds: 1e300, ...members }
  behave = (_, response) => void json(response, answered, { status: 403, type: problem })
  await assert.rejects(call(partner(), get('consent-inactive')), (error) => {
    assert.deepEqual(error instanceof Problem && error.members, {})
    return true
  })
})

test('an answer that is not JSON, not whole or too large is not used', async () => {
  const asked = () => call(partner(), get())
  behave = (_, response) => void response.end('<html>')
  await assert.rejects(asked(), refused('answer-unusable'))
  behave = (_, response) => void response.setHeader('content-type', 'application/json').end('{"a":1,"a":2}')
  await assert.rejects(asked(), refused('answer-unusable'))
  behave = (_, response) => void json(response, 'x'.repeat(1024 * 1024))
  await assert.rejects(asked(), refused('answer-unusable'))
  behave = (_, response) => void response.writeHead(302, { location: 'https://elsewhere.example/' }).end()
  await assert.rejects(asked(), refused('answer-unusable'))
  behave = (_, response) => void response.writeHead(204).end()
  assert.equal((await asked()).value, undefined)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { randomBytes } from 'node:crypto'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { Problem } from '@comity/core/problems'
import { createAddressGuard } from './address-guard.ts'
import { createPartnerClient, type PartnerAnswer } from './partner-client.ts'
import { selfSignedCertificate } from './self-signed-certificate.ts'
import { spkiFingerprint } from './spki-fingerprint.ts'

const jwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
const tls = await selfSignedCertificate({ hostname: 'localhost', jwk, nowMs: Date.now(), randomBytes })
let behave: (response: ServerResponse) => void
let connections = 0
const server = createServer(tls, (_, response) => behave(response)).on('secureConnection', () => connections++)
before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => void server.close().closeAllConnections())

const answerBytes = 100_000
const partner = () => ({ did: 'did:web:p.example', authority: `127.0.0.1:${(server.address() as AddressInfo).port}` })
const client = createPartnerClient({
  guard: createAddressGuard({ allowPrivateAddresses: ['127.0.0.0/8'] }),
  trustFor: () => ({ fingerprints: [spkiFingerprint(tls.cert)] }),
  connectionsPerPartner: 2,
  answerBytes,
})
after(() => client[Symbol.asyncDispose]())

function send(method = 'GET', timeoutMs = 2_000): Promise<PartnerAnswer> {
  return client.send(partner(), { method, target: '/', headers: [], body: new Uint8Array(), timeoutMs })
}
const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

test('gives status, fields and the whole body over kept connections', async () => {
  behave = (response) => void response.setHeader('x-two', ['a', 'b']).end('x'.repeat(answerBytes))
  for (let round = 0; round < 5; round++) {
    const { status, headers, body } = await send()
    assert.deepEqual([status, headers.get('x-two'), body.length], [200, 'a, b', answerBytes])
  }
  assert.ok(connections <= 2, `${connections}`)
})

test('gives up on an answer beyond the limit, announced or not', async () => {
  behave = (response) => void response.writeHead(200, { 'content-length': answerBytes + 1 }).flushHeaders()
  await assert.rejects(send(), refused('answer-invalid'))
  behave = (response) => {
    const pour = () => {
      while (!response.destroyed) if (!response.write(Buffer.alloc(10_000))) return void response.once('drain', pour)
    }
    pour()
  }
  await assert.rejects(send(), refused('answer-invalid'))
})

test('takes the length that HEAD announces for what it is', async () => {
  behave = (response) => void response.writeHead(200, { 'content-length': answerBytes + 1 }).end()
  const { status, body } = await send('HEAD')
  assert.deepEqual([status, body.length], [200, 0])
})

test('gives up on an answer whose head is too large', async () => {
  behave = (response) => void response.writeHead(200, { 'x-more': 'x'.repeat(60_000) }).end()
  await assert.rejects(send(), refused('answer-invalid'))
})

test('gives up on an answer that does not end in time, or breaks off', async () => {
  behave = (response) => void response.writeHead(200).write('x')
  await assert.rejects(send('GET', 100), refused('partner-timeout'))
  behave = (response) => void response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy())
  await assert.rejects(send(), refused('partner-unreachable'))
})

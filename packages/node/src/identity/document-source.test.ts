import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { createAddressGuard } from '../http/address-guard.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { selfSignedCertificate } from '../http/self-signed-certificate.ts'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import { createDocumentSource, type ParticipantTrust } from './document-source.ts'

const certificate = await selfSignedCertificate({
  hostname: 'localhost',
  jwk: { ...generatePrivateJwk('ecdsa-p256-sha256') },
  nowMs: Date.now(),
  randomBytes,
})
const fingerprints = [spkiFingerprint(certificate.cert)]
let answer: string | Buffer | 302 = ''
const server: Server = createServer(certificate, (_, response) => {
  if (answer === 302) response.writeHead(302, { location: 'https://127.0.0.1/' }).end()
  else response.end(answer)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
after(() => server.close().closeAllConnections())
const { port } = server.address() as AddressInfo
const did = `did:web:localhost%3A${port}`

function sourceWith(
  trust: ParticipantTrust | undefined,
  network = ['127.0.0.0/8'],
  authorities: readonly string[] = [],
) {
  const guard = createAddressGuard({ allowPrivateAddresses: network })
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }]
  const fetch = createGuardedFetch({ guard, lookup, authorities })
  return createDocumentSource({ fetch, trustFor: () => trust, timeoutMs: 1000 })
}

const unresolvable = { code: 'did-unresolvable', message: `the document of \`${did}\` cannot be had` }

test('fetches the document of a partner from a host that holds the pinned key', async () => {
  answer = JSON.stringify({ id: did, extra: true })
  assert.equal((await sourceWith({ fingerprints })(did))['extra'], true)
})

test("fetches a pinned partner's document from the address that was agreed", async () => {
  const elsewhere = 'did:web:node.partner.example'
  answer = JSON.stringify({ id: elsewhere })
  const source = sourceWith({ url: `https://localhost:${port}/ignored`, fingerprints })
  assert.equal((await source(elsewhere)).id, elsewhere)
})

test('without a pin the address that was agreed counts for nothing: the host of the DID is asked', async () => {
  const elsewhere = 'did:web:node.partner.example%3A1027'
  answer = JSON.stringify({ id: elsewhere })
  const source = sourceWith({ url: `https://localhost:${port}` }, ['127.0.0.0/8'], [certificate.cert])
  await assert.rejects(source(elsewhere), { code: 'did-unresolvable' })
})

test('believes a stranger only if a public authority vouches for its host', async () => {
  answer = JSON.stringify({ id: did })
  await assert.rejects(sourceWith(undefined)(did), unresolvable)
  assert.equal((await sourceWith(undefined, ['127.0.0.0/8'], [certificate.cert])(did)).id, did)
})

test('tells a stranger nothing about why a document cannot be had', async () => {
  answer = JSON.stringify({ id: did })
  const other = ['sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']
  await assert.rejects(sourceWith({ fingerprints: other })(did), unresolvable)
  await assert.rejects(sourceWith({ fingerprints }, [])(did), unresolvable)
  for (const bad of [302, Buffer.alloc(65_537, ' '), '{', Buffer.from([0xff])] as const) {
    answer = bad
    await assert.rejects(sourceWith({ fingerprints })(did), unresolvable)
  }
})

test('refuses a document of another DID or another shape', async () => {
  for (const document of [{ id: 'did:web:other.example' }, { id: `${did}:sub` }, [], 'x', { id: did, service: {} }]) {
    answer = JSON.stringify(document)
    await assert.rejects(sourceWith({ fingerprints })(did), { code: 'did-invalid' })
  }
})

test('a flood of unknown names does not keep partners waiting', async () => {
  let waiting = 0
  const partner = 'did:web:partner.example'
  const source = createDocumentSource({
    maxStrangers: 4,
    trustFor: (asked) => (asked === partner ? { fingerprints } : undefined),
    fetch: ({ url }) => {
      if (!url.includes('stranger')) return Promise.resolve(answerOf({ id: partner }))
      waiting += 1
      return new Promise(() => {})
    },
  })
  for (let n = 0; n < 4; n++) void source(`did:web:stranger${n}.example`)
  await assert.rejects(source('did:web:stranger9.example'), { code: 'did-unresolvable' })
  assert.equal((await source(partner)).id, partner)
  assert.equal(waiting, 4)
})

function answerOf(value: object) {
  return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(value)) }
}

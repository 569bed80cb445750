/** Two participants over real TLS while keys of all purposes are rotated; the clock is moved by hand. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { Agent } from 'undici'
import { createAddressGuard } from '../http/address-guard.ts'
import { guardedConnector } from '../http/connector.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import { createDocumentSource } from './document-source.ts'
import { generateWebKeys } from './key-generation.ts'
import { createKeyStore } from './key-store.ts'
import { openOwnIdentity, type OwnIdentity } from './own-identity.ts'
import { createIdentityResolver } from './resolver.ts'
import { participantTlsFingerprints, tlsFingerprints } from './tls-keys.ts'

const world = { nowMs: Date.UTC(2026, 0, 1) }
const clock = { now: () => world.nowMs }
const guard = createAddressGuard({ allowPrivateAddresses: ['127.0.0.0/8'] })
const lookup = async () => [{ address: '127.0.0.1', family: 4 }]

interface Participant {
  readonly origin: string
  readonly identity: OwnIdentity
  readonly tick: () => Promise<void>
}

async function startParticipant(
  name: string,
  directory: string,
  use: { answer: RequestListener; stack: AsyncDisposableStack },
): Promise<Participant> {
  const keys = await generateWebKeys({ nowMs: world.nowMs, hostname: 'localhost', randomBytes })
  const secret = { kind: 'key-file', bytes: new Uint8Array(32) } as const
  const store = await createKeyStore({ directory: join(directory, name), secret, randomBytes }, keys)
  const server = createServer({ requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, use.answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  use.stack.defer(() => void server.close().closeAllConnections())
  const authority = `localhost:${(server.address() as AddressInfo).port}`
  const origin = `https://${authority}`
  const did = `did:web:${authority.replace(':', '%3A')}`
  const identity = await openOwnIdentity({ did, url: origin, store, clock, randomBytes })
  server.setSecureContext(identity.tls())
  let { cert } = identity.tls()
  const follow = setInterval(() => {
    const next = identity.tls()
    if (next.cert === cert) return
    server.setSecureContext({ ...next, minVersion: 'TLSv1.3' })
    cert = next.cert
  }, 1)
  use.stack.defer(() => clearInterval(follow))
  const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 5))
  return { origin, identity, tick }
}

test('no call fails while a partner rotates its TLS, authentication and assertion keys', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'comity-rotation-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(directory, { recursive: true, force: true }))

  // The holder knows callers by the client certificate and by the signature in `x-signature`.
  const holder: Participant = await startParticipant('holder', directory, {
    stack,
    answer: async (request, response) => {
      if (request.url === '/.well-known/did.json') return response.end(JSON.stringify(holder.identity.document()))
      const presented = spkiFingerprint((request.socket as TLSSocket).getPeerX509Certificate()?.raw ?? '')
      const known = await participantTlsFingerprints(ofHolder, lab.identity.did, { presented })
      const [keyid = '', signature = ''] = String(request.headers['x-signature']).split(' ')
      const key = ofHolder.peek(keyid) ?? (await ofHolder.resolveKey(keyid, 'authentication'))
      const good = known.includes(presented) && key.verify('call', Buffer.from(signature, 'base64url'))
      const answer = holder.identity.assertionKey()
      response.writeHead(good ? 200 : 401, { 'x-signature': `${answer.keyid} ${encode(answer.key.sign('answer'))}` })
      return response.end()
    },
  })
  const lab: Participant = await startParticipant('lab', directory, {
    stack,
    answer: (_, response) => response.end(JSON.stringify(lab.identity.document())),
  })

  // What each agreed on out of band, following what the other's document names later.
  const pins = new Map(
    [holder, lab].map(({ identity }) => [identity.did, tlsFingerprints(identity.document())] as const),
  )
  const resolverOf = (self: OwnIdentity) =>
    createIdentityResolver({
      clock,
      onDocument: (document) => void pins.set(document.id, tlsFingerprints(document)),
      source: createDocumentSource({
        fetch: createGuardedFetch({ guard, lookup, clientCertificate: self.tls }),
        trustFor: (did) => ({ fingerprints: pins.get(did) }),
      }),
    })
  const ofHolder = resolverOf(holder.identity)
  const ofLab = resolverOf(lab.identity)

  const call = async () => {
    // A connection of its own for each call, so that every call makes a handshake.
    const trust = () => ({ fingerprints: pins.get(holder.identity.did) ?? [] })
    const connect = guardedConnector({ guard, lookup, trust, clientCertificate: lab.identity.tls })
    const agent = new Agent({ connect })
    const { keyid, key } = lab.identity.authenticationKey()
    const headers = { 'x-signature': `${keyid} ${encode(key.sign('call'))}` }
    const response = await agent.request({ origin: holder.origin, path: '/x', method: 'GET', headers })
    await response.body.dump()
    await agent.close()
    assert.equal(response.statusCode, 200)
    const [answerKeyid = '', signature = ''] = String(response.headers['x-signature']).split(' ')
    const answerKey = await ofLab.resolveKey(answerKeyid, 'assertionMethod')
    assert.ok(answerKey.verify('answer', Buffer.from(signature, 'base64url')))
  }

  await call()
  const first = tlsFingerprints(holder.identity.document())
  const plan = {
    purposes: ['tls', 'authentication', 'assertionMethod'],
    publishForMs: 400_000,
    overlapMs: 400_000,
  } as const
  await Promise.all([holder, lab].map(({ identity }) => identity.rotate(plan)))
  for (let step = 0; step < 60; step++) {
    await Promise.all([holder, lab].map(({ tick }) => tick()))
    await Promise.all([call(), call()])
    world.nowMs += 20_000
  }
  for (const { identity } of [holder, lab]) {
    assert.equal(identity.nextChangeAtMs(), undefined)
    assert.deepEqual(pins.get(identity.did), tlsFingerprints(identity.document()))
  }
  assert.ok(!pins.get(holder.identity.did)?.includes(String(first[0])))
})

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

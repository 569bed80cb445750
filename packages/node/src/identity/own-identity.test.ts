import assert from 'node:assert/strict'
import { X509Certificate, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { findVerificationMethod, parseDidDocument } from '@comity/core/identity/did-document'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import { generateDidKeyKeys, generateWebKeys } from './key-generation.ts'
import { createKeyStore } from './key-store.ts'
import { agreementKeysOf } from '@comity/core/sealing/agreement-key'
import { decideKeyState, decideKeyStates, secretOf, signingKey, type NodeKey, type PublicPurpose } from './node-keys.ts'
import { openOwnIdentity } from './own-identity.ts'
import { createIdentityResolver } from './resolver.ts'
import { planRotation } from './rotation.ts'
import { tlsFingerprints } from './tls-keys.ts'

const root = await mkdtemp(join(tmpdir(), 'comity-identity-'))
after(() => rm(root, { recursive: true, force: true }))
const secret = { kind: 'key-file', bytes: new Uint8Array(32).fill(1) } as const
const did = 'did:web:a.example'
const url = 'https://a.example'
const startMs = Date.UTC(2026, 0, 1)
let count = 0

async function open(options: { did?: string; keys?: NodeKey[] } = {}) {
  const world = { nowMs: startMs }
  const clock = { now: () => world.nowMs }
  const keys = options.keys ?? (await generateWebKeys({ nowMs: startMs, hostname: 'a.example', randomBytes }))
  const store = await createKeyStore({ directory: join(root, String(count++)), secret, randomBytes }, keys)
  const identityOptions = { did: options.did ?? did, url, store, clock, randomBytes }
  return { world, clock, store, identityOptions, identity: await openOwnIdentity(identityOptions) }
}

const rotation = { publishForMs: 60_000, overlapMs: 3_600_000 }

test('the document names the keys that sign, by purpose, and passes its own reader', async () => {
  const { identity } = await open()
  const document = parseDidDocument(JSON.parse(JSON.stringify(identity.document())), did)
  for (const [named, purpose] of [
    [identity.authenticationKey(), 'authentication'],
    [identity.assertionKey(), 'assertionMethod'],
  ] as const) {
    const { jwk } = findVerificationMethod(document, named.keyid, { purpose, atMs: startMs })
    assert.ok(importVerifyingKey(jwk).verify('data', named.key.sign('data')))
  }
  assert.notEqual(identity.authenticationKey().keyid, identity.assertionKey().keyid)
  assert.equal(document.keyAgreement?.length, 2)
  assert.ok(!JSON.stringify(document).includes('"d"') && !JSON.stringify(document).includes('"priv"'))
})

test('the document names the TLS key, the node and the log', async () => {
  const { identity } = await open()
  const { cert } = identity.tls()
  assert.deepEqual(tlsFingerprints(identity.document()), [spkiFingerprint(cert)])
  assert.equal(new X509Certificate(cert).subjectAltName, 'DNS:a.example')
  const [node, log] = identity.document().service ?? []
  assert.equal(node?.serviceEndpoint, url)
  assert.equal(log?.['verifierKey'], identity.logVerifierKey)
  assert.match(identity.logVerifierKey, /^a\.example\/log\+[0-9a-f]{8}\+/)
  assert.equal(identity.logKey().algorithm, 'ed25519')
})

test('a successor is published first, then signs while both are accepted, then the predecessor is retired', async () => {
  const { identity, world } = await open()
  const before = identity.authenticationKey().keyid
  await identity.rotate({ ...rotation, purposes: ['authentication'] })
  const names = () => identity.document().authentication
  const successor = String(names()?.[1])

  assert.equal(names()?.length, 2)
  world.nowMs = startMs + 59_999
  assert.equal(identity.authenticationKey().keyid, before)
  world.nowMs = startMs + 60_000
  assert.equal(identity.authenticationKey().keyid, successor)
  world.nowMs = startMs + 3_659_999
  assert.equal(names()?.length, 2)
  world.nowMs = startMs + 3_660_000
  assert.deepEqual(names(), [successor])
})

test('a retired key keeps verifying what it signed in its time, and nothing after', async () => {
  const { identity, world } = await open()
  const { keyid } = identity.assertionKey()
  await identity.rotate({ ...rotation, purposes: ['assertionMethod'] })
  world.nowMs = startMs + 10 * 86_400_000
  const document = parseDidDocument(identity.document(), did)
  const find = (purpose: 'assertionMethod' | 'authentication', atMs: number) => () =>
    findVerificationMethod(document, keyid, { purpose, atMs })
  assert.ok(find('assertionMethod', startMs)())
  assert.throws(find('assertionMethod', world.nowMs), { code: 'key-unknown' })
  assert.throws(find('authentication', startMs), { code: 'key-unknown' })
})

test('a new TLS key is named before its certificate is used, and the old one until the overlap ends', async () => {
  const { identity, world } = await open()
  const old = spkiFingerprint(identity.tls().cert)
  await identity.rotate({ ...rotation, purposes: ['tls'] })
  assert.equal(spkiFingerprint(identity.tls().cert), old)
  const next = tlsFingerprints(identity.document()).find((fingerprint) => fingerprint !== old)
  assert.equal(identity.nextChangeAtMs(), startMs + 60_000)
  world.nowMs += 60_000
  assert.equal(spkiFingerprint(identity.tls().cert), next)
  assert.deepEqual(new Set(tlsFingerprints(identity.document())), new Set([old, next]))
  world.nowMs += 3_600_000
  assert.deepEqual(tlsFingerprints(identity.document()), [next])
})

test('a rotation goes on through a restart, and destroys the private part of what was retired', async () => {
  const { identity, world, store, identityOptions } = await open()
  const old = identity.authenticationKey().keyid
  await identity.rotate({ ...rotation, purposes: ['authentication', 'tls'] })
  world.nowMs += 4_000_000
  const restarted = await openOwnIdentity(identityOptions)
  assert.notEqual(restarted.authenticationKey().keyid, old)
  assert.equal(restarted.authenticationKey().keyid, identity.authenticationKey().keyid)
  const stored = (await store.load()).find(({ id }) => old.endsWith(id))
  assert.equal(stored && secretOf(stored.jwk), undefined)
  assert.equal(decideKeyState(stored as NodeKey, world.nowMs), 'retired')
})

test('sees what another process rotated after a reload', async () => {
  const { identity, identityOptions } = await open()
  const other = await openOwnIdentity(identityOptions)
  await other.rotate({ ...rotation, publishForMs: 0, purposes: ['authentication'] })
  await identity.reload()
  assert.equal(identity.authenticationKey().keyid, other.authenticationKey().keyid)
})

test('one rotation ends before the next begins, also when both are asked for at once', async () => {
  const { identity, world } = await open()
  const asked = [1, 2].map(() => identity.rotate({ ...rotation, purposes: ['authentication'] }))
  const results = await Promise.allSettled(asked)
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  const again = () => identity.rotate({ ...rotation, purposes: ['authentication'] })
  await assert.rejects(again, { code: 'key-rotation-refused', message: /`comity keys list` tells when/ })
  await identity.rotate({ ...rotation, purposes: ['assertionMethod'] })
  world.nowMs += 4_000_000
  await again()
})

test('refuses to rotate the log key, nothing at all, or with impossible times', async () => {
  const { identity } = await open()
  const refused = { code: 'key-rotation-refused' }
  await assert.rejects(identity.rotate({ ...rotation, purposes: ['log'] }), refused)
  await assert.rejects(identity.rotate({ ...rotation, purposes: [] }), refused)
  await assert.rejects(identity.rotate({ ...rotation, overlapMs: -1, purposes: ['tls'] }), refused)
  await assert.rejects(identity.rotate({ ...rotation, publishForMs: NaN, purposes: ['tls'] }), refused)
})

test('signs with the algorithm that was asked for, at first and after a rotation', async () => {
  const keys = await generateWebKeys({ nowMs: startMs, hostname: 'localhost', randomBytes, algorithm: 'ed25519' })
  const algorithms = (made: readonly NodeKey[]) =>
    Object.fromEntries(made.map(({ purpose, jwk }) => [purpose, 'crv' in jwk ? jwk.crv : jwk.alg]))
  const expected = {
    authentication: 'Ed25519',
    assertionMethod: 'Ed25519',
    keyAgreement: 'X25519',
    hybridKeyAgreement: 'HPKE-9',
    tls: 'P-256',
    log: 'Ed25519',
  }
  assert.deepEqual(algorithms(keys), expected)
})

test('the key of a did:key signs everything and cannot be rotated; its TLS key can', async () => {
  for (const algorithm of ['ecdsa-p256-sha256', 'ed25519'] as const) {
    const made = await generateDidKeyKeys({ nowMs: startMs, hostname: 'localhost', randomBytes, algorithm })
    const { identity } = await open(made)
    const { keyid, key } = identity.authenticationKey()
    assert.equal(identity.assertionKey().keyid, keyid)
    const found = findVerificationMethod(identity.document(), keyid, { purpose: 'authentication', atMs: startMs })
    assert.ok(importVerifyingKey(found.jwk).verify('data', key.sign('data')))
    const refused = { code: 'key-rotation-refused' }
    await assert.rejects(identity.rotate({ ...rotation, purposes: ['authentication'] }), refused)
    await identity.rotate({ ...rotation, purposes: ['tls'] })
    assert.equal(identity.logOrigin, `${made.did}/log`)
  }
})

test('a certificate of a public authority is served instead, and its key is named', async () => {
  const { identityOptions, identity } = await open()
  const { identity: authority } = await open()
  const certificate = authority.tls()
  const served = await openOwnIdentity({ ...identityOptions, certificate })
  assert.deepEqual(served.tls(), certificate)
  const expected = [certificate.cert, identity.tls().cert].map((cert) => spkiFingerprint(cert))
  assert.deepEqual(tlsFingerprints(served.document()), expected)
})

test('no signature fails at a partner during rotations under load', async () => {
  const { identity, world, clock } = await open()
  const resolver = createIdentityResolver({
    clock,
    source: async () => JSON.parse(JSON.stringify(identity.document())),
  })
  let asked = 0
  const call = async () => {
    const { keyid, key } = identity.authenticationKey()
    const signature = key.sign('request')
    const found = resolver.peek(keyid) ?? (asked++, await resolver.resolveKey(keyid, 'authentication'))
    assert.ok(found.verify('request', signature))
  }
  const keyids = new Set<string>()
  for (let round = 0; round < 5; round++) {
    await identity.rotate({ purposes: ['authentication'], publishForMs: 15_000, overlapMs: 30_000 })
    for (let second = 0; second < 60; second++) {
      await Promise.all(Array.from({ length: 20 }, call))
      await resolver.resolveKey(`${did}#bogus-${round}-${second}`, 'authentication').catch(() => {})
      keyids.add(identity.authenticationKey().keyid)
      world.nowMs += 1000
    }
  }
  assert.equal(keyids.size, 6)
  assert.ok(asked < 20 * 12, `${asked} calls had to wait`)
})

test('whatever the times, exactly one key signs, and it is accepted', () => {
  const purposes: PublicPurpose[] = ['authentication']
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'd' } as const
  const make = (id: number, activeAtMs: number): NodeKey => {
    return { id: String(id), purpose: 'authentication', jwk, createdAtMs: 0, activeAtMs }
  }
  const steps = fc.array(fc.record({ wait: fc.nat(50), publish: fc.nat(50), overlap: fc.nat(50) }), { maxLength: 6 })
  fc.assert(
    fc.property(steps, fc.nat(1000), (rotations, probeMs) => {
      let keys: NodeKey[] = [make(0, 0)]
      let nowMs = 0
      for (const [index, { wait, publish, overlap }] of rotations.entries()) {
        nowMs += wait
        const next = make(index + 1, nowMs + publish)
        keys = planRotation(keys, [next], { overlapMs: overlap, nowMs })
        nowMs += publish + overlap
      }
      for (const purpose of purposes) {
        const states = decideKeyStates(keys, probeMs).map(({ state }) => state)
        assert.equal(states.filter((state) => state === 'active').length, 1)
        assert.equal(decideKeyState(signingKey(keys, purpose, probeMs), probeMs), 'active')
      }
    }),
    { numRuns: 200 },
  )
})

test('key agreement keys of both kinds are published without their secrets, and rotate together', async () => {
  const { identity, world } = await open()
  const before = identity.agreementKeys()
  assert.deepEqual(
    before.map(({ kind, isActive }) => [kind, isActive]),
    [
      ['X25519', true],
      ['MLKEM768-X25519', true],
    ],
  )
  await identity.rotate({ ...rotation, purposes: ['keyAgreement'] })
  const text = JSON.stringify(identity.document())
  for (const key of identity.agreementKeys()) assert.ok(!text.includes(key.secret))
  assert.equal(agreementKeysOf(identity.document(), world.nowMs).length, 4)
  world.nowMs += rotation.publishForMs
  const during = identity.agreementKeys()
  assert.equal(during.length, 4)
  for (const { keyid } of before) assert.equal(during.find((key) => key.keyid === keyid)?.isActive, false)
  const [first] = agreementKeysOf(identity.document(), world.nowMs)
  assert.ok(
    during.some(({ keyid, isActive }) => keyid === first?.keyid && isActive),
    'others seal to the newest',
  )
  world.nowMs += rotation.overlapMs
  assert.equal(identity.agreementKeys().length, 2)
  for (const { keyid } of before) assert.ok(!JSON.stringify(identity.document()).includes(keyid))
})

test('keys of an earlier version are given a hybrid key, once', async () => {
  const { store, identityOptions } = await open()
  await store.save((await store.load()).filter(({ purpose }) => purpose !== 'hybridKeyAgreement'))
  const first = (await openOwnIdentity(identityOptions)).agreementKeys()
  assert.equal(first.length, 2)
  assert.deepEqual((await openOwnIdentity(identityOptions)).agreementKeys(), first)
})

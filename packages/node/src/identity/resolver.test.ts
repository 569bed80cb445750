import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import type { PublicJwk } from '@comity/core/crypto/crypto'
import type { DidDocument } from '@comity/core/identity/did-document'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { Problem } from '@comity/core/problems'
import { createIdentityResolver, unknownKeyIntervalMs } from './resolver.ts'

const did = 'did:web:a.example'
const keyid = (id: string) => `${did}#${id}`
const newJwk = (): PublicJwk => {
  const { d: _, ...jwk } = generatePrivateJwk('ecdsa-p256-sha256')
  return jwk as PublicJwk
}

interface PublishedKey {
  readonly jwk: PublicJwk
  readonly expires?: string
}

/** A partner whose document can be changed, on a clock that is moved by hand. */
function startPartner(extra: { ttlMs?: number } = {}) {
  const published = new Map<string, PublishedKey>([['k1', { jwk: newJwk() }]])
  const partner = { fetches: 0, failing: false, delayMs: 0, nowMs: 1_000_000, published, asked: [] as string[] }
  const document = (): DidDocument => ({
    id: did,
    authentication: [...published].map(([id, { jwk, ...rest }]) => ({
      id: keyid(id),
      type: 'JsonWebKey',
      controller: did,
      publicKeyJwk: { ...jwk },
      ...rest,
    })),
  })
  const resolver = createIdentityResolver({
    ...extra,
    clock: { now: () => partner.nowMs },
    async source(asked) {
      partner.fetches += 1
      partner.asked.push(asked)
      const answer = document()
      await new Promise((resolve) => setTimeout(resolve, partner.delayMs))
      if (partner.failing) throw new Problem('did-unresolvable', 'down')
      return answer
    },
  })
  return { partner, resolver }
}

const unknown = { code: 'key-unknown' }

test('asks once and then answers from memory, also synchronously', async () => {
  const { partner, resolver } = startPartner()
  assert.equal(resolver.peek(keyid('k1')), undefined)
  const key = await resolver.resolveKey(keyid('k1'), 'authentication')
  assert.equal(resolver.peek(keyid('k1')), key)
  assert.equal(await resolver.resolveKey(keyid('k1'), 'authentication'), key)
  assert.equal(partner.fetches, 1)
})

test('a key that was found for one purpose is not handed out for another', async () => {
  const { resolver } = startPartner()
  await resolver.resolveKey(keyid('k1'), 'authentication')
  assert.equal(resolver.peek(keyid('k1'), 'assertionMethod'), undefined)
  await assert.rejects(resolver.resolveKey(keyid('k1'), 'assertionMethod'), unknown)
})

test('callers at the same time share one fetch', async () => {
  const { partner, resolver } = startPartner()
  partner.delayMs = 10
  await Promise.all(Array.from({ length: 50 }, () => resolver.resolveKey(keyid('k1'), 'authentication')))
  assert.equal(partner.fetches, 1)
})

test('forgets a document when its time is over, and a key when it expires', async () => {
  const { partner, resolver } = startPartner({ ttlMs: 60_000 })
  partner.published.set('k2', { jwk: newJwk(), expires: new Date(partner.nowMs + 10_000).toISOString() })
  await resolver.resolveKey(keyid('k1'), 'authentication')
  await resolver.resolveKey(keyid('k2'), 'authentication')
  partner.nowMs += 10_000
  assert.equal(resolver.peek(keyid('k2')), undefined)
  await assert.rejects(resolver.resolveKey(keyid('k2'), 'authentication'), unknown)
  assert.ok(resolver.peek(keyid('k1')))
  partner.nowMs += 60_000
  assert.equal(resolver.peek(keyid('k1')), undefined)
})

test('a key that was rotated in is found at its first use, with one fetch for all who wait', async () => {
  const { partner, resolver } = startPartner()
  await resolver.resolveKey(keyid('k1'), 'authentication')
  partner.published.set('k2', { jwk: newJwk() })
  partner.delayMs = 10
  await Promise.all(Array.from({ length: 50 }, () => resolver.resolveKey(keyid('k2'), 'authentication')))
  assert.equal(partner.fetches, 2)
  assert.ok(resolver.peek(keyid('k1')))
})

test('unknown keys cause one fetch in ten seconds, however many are named', async () => {
  const { partner, resolver } = startPartner()
  await resolver.resolveKey(keyid('k1'), 'authentication')
  for (let second = 0; second < 30; second++) {
    for (let n = 0; n < 5; n++) {
      await assert.rejects(resolver.resolveKey(keyid(`x${second}-${n}`), 'authentication'), unknown)
    }
    partner.nowMs += 1000
  }
  assert.equal(partner.fetches, 1 + 3)
})

test('a rotation is not missed while a stranger names unknown keys all the time', async () => {
  const { partner, resolver } = startPartner()
  await resolver.resolveKey(keyid('k1'), 'authentication')
  for (let round = 0; round < 40; round++) {
    // Published for as long as the interval, at every phase of it, then used.
    const id = `next-${round}`
    partner.published.set(id, { jwk: newJwk() })
    for (let step = 0; step < 10; step++) {
      await resolver.resolveKey(keyid(`bogus-${round}-${step}`), 'authentication').catch(() => {})
      partner.nowMs += unknownKeyIntervalMs / 10
    }
    await resolver.resolveKey(keyid(id), 'authentication')
    partner.nowMs += 733
  }
})

test('a partner that cannot be reached while it is asked for a new key keeps its known keys', async () => {
  const { partner, resolver } = startPartner()
  await resolver.resolveKey(keyid('k1'), 'authentication')
  partner.published.set('k2', { jwk: newJwk() })
  partner.failing = true
  await assert.rejects(resolver.resolveKey(keyid('k2'), 'authentication'), { code: 'did-unresolvable' })
  assert.ok(resolver.peek(keyid('k1')))
  partner.failing = false
  partner.nowMs += 3000
  await resolver.resolveKey(keyid('k2'), 'authentication')
})

test('a failure is remembered for a short while', async () => {
  const { partner, resolver } = startPartner()
  partner.failing = true
  for (let n = 0; n < 5; n++) await assert.rejects(resolver.resolveDocument(did), { code: 'did-unresolvable' })
  assert.equal(partner.fetches, 1)
  partner.failing = false
  partner.nowMs += 3000
  assert.equal((await resolver.resolveDocument(did)).id, did)
})

test('a document in use is renewed before it ends, so that nobody waits', async () => {
  const { partner, resolver } = startPartner({ ttlMs: 100_000 })
  await resolver.resolveKey(keyid('k1'), 'authentication')
  partner.nowMs += 80_000
  assert.ok(resolver.peek(keyid('k1')))
  assert.equal(partner.fetches, 2)
  await new Promise((resolve) => setTimeout(resolve, 5))
  partner.nowMs += 20_000
  await resolver.resolveKey(keyid('k1'), 'authentication')
  assert.equal(partner.fetches, 2)
})

test('what was forgotten is fetched anew, and a fetch from before does not bring it back', async () => {
  const { partner, resolver } = startPartner()
  partner.delayMs = 10
  const early = resolver.resolveKey(keyid('k1'), 'authentication')
  partner.published.delete('k1')
  resolver.invalidate(did)
  await early
  await assert.rejects(resolver.resolveKey(keyid('k1'), 'authentication'), unknown)
})

test('fetches anew for a document that does not name what was presented', async () => {
  const { partner, resolver } = startPartner()
  await resolver.resolveDocument(did)
  const names = (count: number) => (document: DidDocument) => document.authentication?.length === count
  assert.equal(await resolver.resolveWhere(did, names(2)), undefined)
  partner.nowMs += unknownKeyIntervalMs
  partner.published.set('k2', { jwk: newJwk() })
  assert.ok(await resolver.resolveWhere(did, names(2)))
})

test('a key id that is no DID URL of a key is refused before anybody is asked', async () => {
  const { partner, resolver } = startPartner()
  for (const bad of ['', 'k1', did, `${did}#`, 'https://a.example#k1', `${did}/path#k1`]) {
    assert.equal(resolver.peek(bad), undefined)
    await assert.rejects(resolver.resolveKey(bad, 'authentication'), { code: 'did-invalid' }, bad)
  }
  assert.equal(partner.fetches, 0)
})

test('an old signature is verified with the key of its time', async () => {
  const { partner, resolver } = startPartner()
  const endMs = partner.nowMs + 5000
  partner.published.set('k2', { jwk: newJwk(), expires: new Date(endMs).toISOString() })
  partner.nowMs = endMs + 1000
  assert.ok(await resolver.resolveKey(keyid('k2'), 'authentication', endMs - 1))
  await assert.rejects(resolver.resolveKey(keyid('k2'), 'authentication'), unknown)
  assert.equal(resolver.peek(keyid('k2')), undefined)
})

test('resolves the one key of a did:key', async () => {
  const jwk = newJwk()
  const self = didKeyOf(jwk)
  const { createDocumentSource } = await import('./document-source.ts')
  const source = createDocumentSource({ fetch: () => assert.fail('fetched'), trustFor: () => undefined })
  const resolver = createIdentityResolver({ source, clock: { now: () => 0 } })
  assert.deepEqual((await resolver.resolveKey(didKeyId(self), 'assertionMethod')).jwk, jwk)
  await assert.rejects(resolver.resolveKey(`${self}#other`, 'authentication'), unknown)
})

/** What the holder refuses because it does not know for certain who asks for what, and when. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { didKeyOf } from '@comity/core/identity/did-key'
import { assertRefused, freshNonce, isSigned, send, signCall, withField } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const post = { method: 'POST', path: '/x/items/items', body: '{"name":"new"}' }

describe('the holder refuses', () => {
  let network: TestNetwork
  const nowSeconds = () => Math.floor(network.clock.now() / 1000)
  before(async () => {
    network = await startTestNetwork({
      holder: (config) => Object.assign(config['limits'] as object, { failures: { requests: 10_000, perSeconds: 1 } }),
    })
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test('nothing of a call that is signed as the profile says', async () => {
    for (const call of [signCall(network), signCall(network, post), signCall(network, { query: '?' })]) {
      const answer = await send(network.holder, call)
      assert.ok(answer.status < 300, answer.body.toString())
      assert.ok(isSigned(network.holder, call, answer))
    }
  })

  test('a request that was received before', async () => {
    for (const call of [signCall(network), signCall(network, post)]) {
      assert.ok((await send(network.holder, call)).status < 300)
      await assertRefused(network, call, { code: 'nonce-replayed' })
      await assertRefused(network, call, { code: 'nonce-replayed' })
    }
  })

  test('a nonce that is used again in another request of the same key', async () => {
    const nonce = freshNonce()
    const createdAt = nowSeconds()
    assert.equal((await send(network.holder, signCall(network, { nonce, createdAt }))).status, 200)
    const other = signCall(network, { nonce, createdAt, path: '/x/items/items/8' })
    await assertRefused(network, other, { code: 'nonce-replayed' })
  })

  test('a body that is not the one that was signed', async () => {
    const call = signCall(network, post)
    const changed = { ...call, body: '{"name":"old"}' }
    await assertRefused(network, changed, { code: 'digest-mismatch', signed: false })
    const digest = contentDigest(Buffer.from(changed.body))
    const redigested = withField(changed, 'content-digest', digest)
    await assertRefused(network, redigested, { code: 'signature-invalid', signed: false })
  })

  test('another path, query, method or signed field than was signed', async () => {
    const call = signCall(network, { headers: { 'comity-purpose': testPurpose, 'comity-agreement': 'urn:uuid:1' } })
    for (const changed of [
      { ...call, target: '/x/items/items/8' },
      { ...call, target: '/x/items/items/%37' },
      { ...call, target: '/x/items/items/7?limit=1' },
      { ...call, method: 'DELETE' },
      withField(call, 'comity-purpose', 'https://w3id.org/dpv#Marketing'),
      withField(call, 'comity-agreement', 'urn:uuid:2'),
    ]) {
      await assertRefused(network, changed, { code: 'signature-invalid', signed: false })
    }
  })

  test('a field of the profile that was added after signing or that was taken away', async () => {
    const call = signCall(network)
    for (const name of ['authorization', 'idempotency-key', 'comity-agreement', 'comity-subject', 'content-type']) {
      const { problem } = await assertRefused(network, withField(call, name, 'x'), {
        code: 'signature-coverage',
        signed: false,
      })
      assert.deepEqual(problem['missing'], [`"${name}"`])
    }
    await assertRefused(network, withField(call, 'comity-purpose'), { code: 'signature-malformed', signed: false })
  })

  test('a stale request, and one of the future, and says what time it is', async () => {
    for (const createdAt of [nowSeconds() - 95, nowSeconds() + 35, nowSeconds() - 86_400]) {
      const { problem } = await assertRefused(network, signCall(network, { createdAt }), { code: 'signature-stale' })
      assert.ok(Math.abs(Number(problem['serverTime']) - nowSeconds()) <= 2)
    }
  })

  test('a request of yesterday when its sender sends it today', async () => {
    const call = signCall(network)
    network.clock.offsetMs += 86_400_000
    await assertRefused(network, call, { code: 'signature-stale' })
    network.clock.offsetMs -= 86_400_000
  })

  test('a request that claims to live longer than a minute', async () => {
    const call = signCall(network)
    const input = call.headers.find(([name]) => name === 'signature-input')?.[1] ?? ''
    const longer = input.replace(/expires=\d+/, `expires=${nowSeconds() + 3600}`)
    const changed = withField(call, 'signature-input', longer)
    await assertRefused(network, changed, { code: 'signature-malformed', signed: false })
  })

  test("a request under a partner's name with a key of somebody else", async () => {
    const { keyid } = network.recipient.running.parts.foundation.identity.authenticationKey()
    const key = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
    const call = signCall(network, { as: { keyid, key } })
    await assertRefused(network, call, { code: 'signature-invalid', signed: false })
    const ed25519 = importSigningKey(generatePrivateJwk('ed25519'))
    const other = signCall(network, { as: { keyid, key: ed25519 } })
    await assertRefused(network, other, { code: 'signature-algorithm', signed: false })
  })

  test('a key that the partner does not have, or not for this purpose', async () => {
    const { did, running } = network.recipient
    const { identity } = running.parts.foundation
    const { key } = identity.authenticationKey()
    const unknown = signCall(network, { as: { keyid: `${did}#nobody`, key } })
    await assertRefused(network, unknown, { code: 'key-unknown', signed: false })
    const assertion = signCall(network, { as: identity.assertionKey() })
    await assertRefused(network, assertion, { code: 'key-unknown', signed: false })
  })

  test('a participant that is no partner, without asking its node for anything', async () => {
    const key = importSigningKey(generatePrivateJwk('ed25519'))
    for (const did of ['did:web:stranger.example', 'did:web:localhost%3A1', 'did:web:169.254.169.254']) {
      const call = signCall(network, { as: { keyid: `${did}#key-1`, key } })
      const startedMs = performance.now()
      await assertRefused(network, call, { code: 'participant-unknown', signed: false })
      assert.ok(performance.now() - startedMs < 4_000)
    }
  })

  test('a did:key without an agreement, though its signature is good', async () => {
    const key = importSigningKey(generatePrivateJwk('ed25519'))
    const did = didKeyOf(key.publicJwk)
    const call = signCall(network, { as: { keyid: `${did}#${did.slice('did:key:'.length)}`, key } })
    const { answer } = await assertRefused(network, call, { code: 'agreement-required' })
    assert.ok(answer.headers.has('comity-receipt'), 'a denial of a known product has a receipt')
  })

  test('a request that was meant for another node', async () => {
    const other = signCall(network, { authority: new URL(network.recipient.url).host })
    await assertRefused(network, other, { code: 'misdirected', signed: false, record: 'counted' })
    const readdressed = withField(other, 'host', new URL(network.holder.url).host)
    await assertRefused(network, readdressed, { code: 'signature-invalid', signed: false })
  })

  test('a partner product without a signature, and half a signature', async () => {
    const call = signCall(network)
    const bare = withField(withField(call, 'signature'), 'signature-input')
    await assertRefused(network, bare, { code: 'signature-missing', signed: false })
    await assertRefused(network, withField(call, 'signature'), { code: 'signature-malformed', signed: false })
    await assertRefused(network, withField(call, 'signature-input'), { code: 'signature-malformed', signed: false })
  })

  test('a signature that leaves out what it must cover', async () => {
    const call = signCall(network)
    const input = call.headers.find(([name]) => name === 'signature-input')?.[1] ?? ''
    for (const left of ['"@method" ', '"@authority" ', '"@query" ', ' "comity-purpose"']) {
      const changed = withField(call, 'signature-input', input.replace(left, ''))
      await assertRefused(network, changed, { code: 'signature-coverage', signed: false })
    }
  })

  test('a body without a digest, and a digest of another kind', async () => {
    const call = signCall(network, post)
    const { problem } = await assertRefused(network, withField(call, 'content-digest'), {
      code: 'signature-coverage',
      signed: false,
    })
    assert.deepEqual(problem['missing'], ['"content-digest"'])
    const smuggled = { ...signCall(network, { method: 'POST', path: post.path }), body: post.body }
    await assertRefused(network, smuggled, { code: 'signature-coverage', signed: false })
  })
})

/** What the holder refuses to a caller that it knows: calls outside the product, the agreement and the limits. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { selfSignedCertificate } from '../src/http/self-signed-certificate.ts'
import { pooledRandomBytes } from '../src/assembly/world.ts'
import { assertRefused, isSigned, send, signCall, withField, type SignedCall } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

type Products = Record<string, unknown>[]

/** Beside the usual products: `tight` with low limits, `sealed` that demands a client certificate. */
function moreProducts(config: Record<string, unknown>): void {
  const products = config['products'] as Products
  const [items, open] = products as [Products[0], Products[0]]
  const rate = { requests: 2, perSeconds: 3_600, burst: 2 }
  products.push({ ...open, id: 'tight', limits: { rate, requestBytes: 64 } })
  products.push({ ...structuredClone(items), id: 'sealed', requireClientCertificate: true })
  Object.assign(config['limits'] as object, { failures: { requests: 10_000, perSeconds: 1 } })
}

const json = (value: unknown) => JSON.stringify(value)
const post = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  path: '/x/items/items',
  body,
  headers: { 'comity-purpose': testPurpose, ...headers },
})

describe('the holder refuses to a known caller', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({ holder: moreProducts })
    await network.agree({ operations: ['getItem', 'createItem'] })
  })
  after(() => network[Symbol.asyncDispose]())

  test('a route that is not declared, or not in one reading only', async () => {
    for (const path of [
      '/x/items/other',
      '/x/items/items/7/more',
      '/x/items',
      '/x/nothing/items',
      '/x/Items/items/7',
    ]) {
      await assertRefused(network, signCall(network, { path }), { code: 'not-found' })
    }
    for (const path of [
      '/x/items/items/../items/7',
      '/x/items/%2e%2e/items/7',
      '/x/items//items/7',
      '/x/items/items%2f7',
    ]) {
      await assertRefused(network, signCall(network, { path }), { code: 'malformed-request' })
    }
  })

  test('says the same of a product that does not exist and of a route that does not', async () => {
    const ofProduct = await assertRefused(network, signCall(network, { path: '/x/nothing/a' }), { code: 'not-found' })
    assert.ok(!ofProduct.answer.headers.has('comity-receipt'))
  })

  test('a method that is not declared, and names those that are', async () => {
    const call = signCall(network, { method: 'DELETE' })
    const { answer } = await assertRefused(network, call, { code: 'method-not-allowed' })
    assert.match(answer.headers.get('allow') ?? '', /GET/)
  })

  test('query parameters that are not declared, repeated or not valid', async () => {
    for (const query of ['?limit=1&more=2', '?limit=1&limit=2', '?limit=0', '?limit=x', '?Limit=1']) {
      const call = signCall(network, { path: '/x/items/items', query })
      const { problem } = await assertRefused(network, call, { code: 'invalid-parameters' })
      assert.ok(Array.isArray(problem['errors']), query)
    }
    const path = signCall(network, { path: '/x/items/items/seven' })
    await assertRefused(network, path, { code: 'invalid-parameters' })
  })

  test('body members that are not declared, and bodies that are not what the schema says', async () => {
    for (const body of [{ name: 'a', admin: true }, { name: 7 }, {}, [], 'text', null]) {
      const { problem } = await assertRefused(network, signCall(network, post(json(body))), { code: 'invalid-body' })
      assert.ok(Array.isArray(problem['errors']), json(body))
    }
    for (const body of ['{"name":"a","name":"b"}', '{"name":', '{"name":"a"} ']) {
      const answer = await send(network.holder, signCall(network, post(body)))
      assert.equal(answer.status < 500, true)
    }
  })

  test('a content type that is not declared', async () => {
    const charsets = ['charset=utf-16', 'charset =utf-7', "charset*=utf-8''utf-7", 'charset*0=utf-7']
    const foreign = charsets.map((charset) => `application/json; ${charset}`)
    for (const type of ['text/plain', 'application/xml', ...foreign, 'nonsense']) {
      const call = signCall(network, post('{"name":"a"}', { 'content-type': type }))
      await assertRefused(network, call, { code: 'unsupported-media-type' })
    }
  })

  test('a body over the limit of the product, and one over the limit of the node before it was read', async () => {
    const path = '/x/tight/items'
    const large = signCall(network, { method: 'POST', path, body: json({ name: 'x'.repeat(100) }) })
    const { problem } = await assertRefused(network, large, { code: 'body-too-large' })
    assert.equal(problem['limitBytes'], 64)
    const huge = signCall(network, {
      method: 'POST',
      path: '/x/items/items',
      body: json({ name: 'x'.repeat(2 ** 21) }),
    })
    await assertRefused(
      network,
      { ...huge, headers: [...huge.headers, ['content-length', String(2 ** 21 + 11)]], body: '' },
      {
        code: 'body-too-large',
        signed: false,
      },
    )
  })

  test('repeated header fields of which one message may have one', async () => {
    const call = signCall(network, post('{"name":"a"}', { 'idempotency-key': '"k"' }))
    for (const name of ['content-type', 'content-digest', 'comity-purpose', 'idempotency-key', 'host']) {
      const line = call.headers.find(([known]) => known === name) as readonly [string, string]
      const repeated: SignedCall = { ...call, headers: [...call.headers, line] }
      const answer = await send(network.holder, repeated)
      assert.equal(answer.status, 400, name)
      const { code } = JSON.parse(answer.body.toString()) as { code: string }
      assert.ok(['header-duplicated', 'malformed-request'].includes(code), code)
    }
    const inputs = call.headers.filter(([name]) => name.startsWith('signature'))
    const twice = { ...call, headers: [...call.headers, ...inputs] }
    await assertRefused(network, twice, { code: 'signature-malformed', signed: false })
  })

  test('a purpose or an operation that the agreement does not allow, and a call without a purpose', async () => {
    const other = signCall(network, { headers: { 'comity-purpose': 'https://w3id.org/dpv#Marketing' } })
    await assertRefused(network, other, { code: 'agreement-purpose' })
    await assertRefused(network, signCall(network, { headers: {} }), { code: 'purpose-required' })
    const list = signCall(network, { path: '/x/items/items' })
    await assertRefused(network, list, { code: 'agreement-operation' })
  })

  test('an agreement that is not known, or not between these two, or not for this product', async () => {
    const named = { 'comity-purpose': testPurpose, 'comity-agreement': 'urn:uuid:0190a7b0-0000-7000-8000-000000000001' }
    await assertRefused(network, signCall(network, { headers: named }), { code: 'agreement-required' })
    const [agreement] = network.holder.running.parts.counterparts.agreements.list()
    const key = importSigningKey(generatePrivateJwk('ed25519'))
    const did = didKeyOf(key.publicJwk)
    const stolen = signCall(network, {
      as: { keyid: didKeyId(did), key },
      headers: { 'comity-purpose': testPurpose, 'comity-agreement': agreement?.id ?? '' },
    })
    await assertRefused(network, stolen, { code: 'agreement-required' })
    const cert = network.recipient.running.parts.foundation.identity.tls()
    const elsewhere = signCall(network, { path: '/x/sealed/items/7' })
    await assertRefused(network, elsewhere, { code: 'agreement-required', ...cert })
  })

  test('calls over the rate of the product, and says when to come back', async () => {
    const path = '/x/tight/items/7'
    const key = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
    const as = { keyid: didKeyId(didKeyOf(key.publicJwk)), key }
    for (const left of ['1', '0']) {
      const call = signCall(network, { path, as, headers: {} })
      const answer = await send(network.holder, call)
      assert.equal(answer.status, 200, answer.body.toString())
      assert.equal(answer.headers.get('x-ratelimit-remaining'), left)
      assert.ok(isSigned(network.holder, call, answer))
    }
    const { answer } = await assertRefused(network, signCall(network, { path, as, headers: {} }), {
      code: 'rate-limited',
    })
    const retryAfter = Number(answer.headers.get('retry-after'))
    assert.ok(retryAfter > 1_000 && retryAfter <= 1_800, `${retryAfter}`)
    assert.equal(answer.headers.get('ratelimit-policy'), '"tight";q=2;w=3600')
    assert.equal(answer.headers.get('ratelimit'), `"tight";r=0;t=${retryAfter}`)
    assert.equal(answer.headers.get('x-ratelimit-limit'), '2')
    assert.equal(answer.headers.get('x-ratelimit-reset'), String(retryAfter))
    network.clock.offsetMs += retryAfter * 1_000
    const later = signCall(network, { path, as, headers: {} })
    assert.equal((await send(network.holder, later)).status, 200)
  })

  test('a call without the client certificate that the product demands, or with another one', async () => {
    const path = '/x/sealed/items/7'
    await assertRefused(network, signCall(network, { path }), { code: 'client-certificate-required' })
    const { keyid: _, ...made } = { keyid: '', ...(await foreignCertificate()) }
    await assertRefused(network, signCall(network, { path }), { code: 'client-certificate-required', ...made })
  })

  test('a call without a client certificate of a partner that must always show one', async () => {
    const { partners } = network.holder.running.parts.counterparts
    const { alias, did, url, tlsFingerprints } = await partners.remove('recipient')
    await partners.add({ alias, did, url, fingerprints: tlsFingerprints, requireClientCertificate: true })
    await assertRefused(network, signCall(network), { code: 'client-certificate-required' })
    await assertRefused(network, signCall(network), {
      code: 'client-certificate-required',
      ...(await foreignCertificate()),
    })
    const call = signCall(network)
    const own = network.recipient.running.parts.foundation.identity.tls()
    const answer = await send(network.holder, call, own)
    assert.equal(answer.status, 200, answer.body.toString())
    const byItsNode = await fetch(network.recipient.local('/holder/items/items/7'), {
      headers: { 'comity-purpose': testPurpose },
    })
    assert.equal(byItsNode.status, 200)
    await partners.remove('recipient')
    await partners.add({ alias, did, url, fingerprints: tlsFingerprints })
  })

  test('a field that is not signed changes nothing of what the upstream reads', async () => {
    const call = signCall(network)
    const answer = await send(network.holder, withField(call, 'x-more', 'planted'))
    assert.equal(answer.status, 200)
    assert.equal(network.upstream.seen.at(-1)?.headers['x-more'], undefined)
  })
})

async function foreignCertificate(): Promise<{ cert: string; key: string }> {
  const jwk = generatePrivateJwk('ecdsa-p256-sha256')
  return selfSignedCertificate({
    hostname: 'localhost',
    jwk: { ...jwk },
    nowMs: Date.now(),
    randomBytes: pooledRandomBytes(),
  })
}

/** A caller that knows nothing of this code signs with npm `http-message-signatures`, calls a real holder and verifies
 *  its signed answer. */
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { send, type Answer } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

type Fields = Record<string, string>

describe('an independent implementation of RFC 9421', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  interface Caller {
    readonly sign: (request: { method: string; url: string; headers: Fields }, label?: string) => Promise<Fields>
  }

  function callerWith(alg: 'ed25519' | 'ecdsa-p256-sha256'): Caller {
    const jwk = generatePrivateJwk(alg)
    const did = didKeyOf(importSigningKey(jwk).publicJwk)
    const key = createSigner(createPrivateKey({ key: { ...jwk }, format: 'jwk' }), alg, didKeyId(did))
    const order = ['content-type', 'content-digest', 'idempotency-key', 'comity-agreement', 'comity-purpose']
    return {
      async sign(request, label = 'comity') {
        const nowMs = network.clock.now()
        const signed = await httpbis.signMessage(
          {
            key,
            name: label,
            fields: ['@method', '@authority', '@path', '@query', ...order.filter((name) => name in request.headers)],
            params: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
            paramValues: {
              created: new Date(nowMs),
              expires: new Date(nowMs + 30_000),
              nonce: randomBytes(16).toString('base64url'),
              tag: 'comity-req',
            },
          },
          request,
        )
        return Object.fromEntries(
          Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
        )
      },
    }
  }

  const holderKey = () => {
    const document = network.holder.running.parts.foundation.identity.document()
    const { keyid } = network.holder.running.parts.foundation.identity.authenticationKey()
    const method = document.verificationMethod?.find(({ id }) => id === keyid)
    return { keyid, key: createPublicKey({ key: { ...method?.publicKeyJwk }, format: 'jwk' }) }
  }

  async function verifies(answer: Answer, sent: { method: string; url: string; headers: Fields }): Promise<boolean> {
    const { keyid, key } = holderKey()
    const algs = ['ecdsa-p256-sha256' as const]
    const lookup = async () => ({ id: keyid, algs, verify: createVerifier(key, 'ecdsa-p256-sha256') })
    const verdict = await httpbis.verifyMessage(
      { keyLookup: lookup, requiredParams: ['created', 'keyid', 'alg', 'tag'] },
      { status: answer.status, headers: Object.fromEntries(answer.headers) },
      sent,
    )
    return verdict === true
  }

  const bare = (line: string, headers: Fields, body = '') => ({
    method: line.split(' ')[0] ?? '',
    target: line.split(' ')[1] ?? '',
    headers: [['host', new URL(network.holder.url).host] as const, ...Object.entries(headers)],
    body,
  })

  for (const alg of ['ed25519', 'ecdsa-p256-sha256'] as const) {
    for (const label of ['comity', 'sig1']) {
      test(`${alg}, label ${label}: reads with a query, and verifies the answer beside its own request only`, async () => {
        const { sign } = callerWith(alg)
        const url = `${network.holder.url}/x/open-items/items?limit=5`
        const headers = await sign({ method: 'GET', url, headers: { 'comity-purpose': testPurpose } }, label)
        const answer = await send(network.holder, bare('GET /x/open-items/items?limit=5', headers))
        assert.equal(answer.status, 200, answer.body.toString())
        assert.ok(answer.headers.has('comity-receipt'))
        const sent = { method: 'GET', url, headers }
        assert.ok(await verifies(answer, sent))
        const other = url.replace('limit=5', 'limit=6')
        assert.equal(await verifies(answer, { ...sent, url: other }), false)
        const digest = createHash('sha256').update(answer.body).digest('base64')
        assert.equal(answer.headers.get('content-digest'), `sha-256=:${digest}:`)
      })
    }

    test(`${alg}: writes with a body, once per signature`, async () => {
      const { sign } = callerWith(alg)
      const body = '{"name":"made elsewhere"}'
      const url = `${network.holder.url}/x/open-items/items`
      const fields = {
        'content-type': 'application/json',
        'content-digest': `sha-512=:${createHash('sha512').update(body).digest('base64')}:`,
        'idempotency-key': `"${randomBytes(8).toString('hex')}"`,
      }
      const headers = await sign({ method: 'POST', url, headers: fields })
      const call = bare('POST /x/open-items/items', headers, body)
      const answer = await send(network.holder, call)
      assert.equal(answer.status, 201, answer.body.toString())
      assert.ok(await verifies(answer, { method: 'POST', url, headers }))
      const again = await send(network.holder, call)
      assert.match(again.body.toString(), /"code":"nonce-replayed"/)
      assert.ok(await verifies(again, { method: 'POST', url, headers }), 'the refusal is signed too')
    })
  }

  test('reads a signed refusal of a product that it has no agreement for', async () => {
    const { sign } = callerWith('ed25519')
    const url = `${network.holder.url}/x/items/items/7`
    const headers = await sign({ method: 'GET', url, headers: { 'comity-purpose': testPurpose } })
    const answer = await send(network.holder, bare('GET /x/items/items/7', headers))
    assert.equal(answer.status, 403)
    assert.ok(await verifies(answer, { method: 'GET', url, headers }))
  })
})

/** OWASP API2:2023. Who is not known for certain does nothing, and guessing is stopped early. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { adminOf } from '../admin-call.ts'
import { addClient, issueKey, presentKey, signWithKey } from '../key-network.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall, withField, type Answer } from '../signed-call.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

const someId = '0190a7f0-0000-7000-8000-000000000000'

describe('who is not identified', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({
      holder: (config) => Object.assign(config['limits'] as object, { failures: { requests: 10_000, perSeconds: 1 } }),
    })
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  const bare = (method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const fields = Object.entries({ host: new URL(network.holder.url).host, ...headers })
    return send(network.holder, { method, target: path, headers: fields, body: '' })
  }

  for (const [method, path] of [
    ['GET', '/x/items/items/7'],
    ['POST', '/x/items/items'],
    ['POST', '/composites'],
    ['POST', '/consents/requests'],
    ['GET', `/consents/requests/${someId}`],
    ['GET', `/consents/${someId}`],
    ['GET', `/consents/${someId}/token`],
    ['POST', `/consents/${someId}/revoke`],
    ['GET', `/receipts/${someId}/proof`],
  ] as const) {
    test(`is refused at ${method} ${path}, whatever else it shows`, async () => {
      const shown: Record<string, string>[] = [
        {},
        { authorization: `Bearer ${(await adminOf(network.holder)).token}` },
        { authorization: 'Basic YWRtaW46YWRtaW4=' },
        { cookie: 'session=1', 'x-forwarded-for': '127.0.0.1', 'x-client-did': network.recipient.did },
      ]
      for (const headers of shown) {
        const answer = await bare(method, path, headers)
        assert.equal(answer.status, 401, answer.body.toString())
        assert.ok(!answer.headers.has('comity-receipt'))
      }
      assert.equal(network.upstream.seen.length, 0)
    })
  }

  test('an event that nobody signed is not taken', async () => {
    const answer = await send(network.holder, {
      method: 'POST',
      target: '/events',
      headers: [
        ['host', new URL(network.holder.url).host],
        ['content-type', 'application/secevent+jwt'],
      ],
      body: `${Buffer.from('{"alg":"none","typ":"secevent+jwt"}').toString('base64url')}.e30.`,
    })
    assert.equal(answer.status, 400)
  })

  test('the admin token counts in its field only, and only whole', async () => {
    const { call, token } = await adminOf(network.holder)
    assert.equal((await call({ path: '/v1/status' })).status, 200)
    for (const question of [
      { path: `/v1/status?token=${token}`, headers: { authorization: undefined } },
      { path: '/v1/status', headers: { authorization: undefined, cookie: `token=${token}` } },
      { path: '/v1/status', headers: { authorization: undefined, 'x-api-key': token } },
      { path: '/v1/status', headers: { authorization: `Bearer ${token.slice(0, -1)}` } },
      { path: '/v1/status', headers: { authorization: `Bearer ${token}x` } },
      { path: '/v1/status', headers: { authorization: `Bearer ${token.toUpperCase()}` } },
      { path: '/v1/status', headers: { authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` } },
    ])
      assert.equal((await call(question)).status, 401, JSON.stringify(question).replaceAll(token, '…'))
  })
})

function strangerKey() {
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  return { keyid: didKeyId(didKeyOf(key.publicJwk)), key }
}

describe('guessing', () => {
  test('costs whoever guesses, and keeps out neither the genuine partner nor the genuine key', async () => {
    await using network = await startTestNetwork({
      holder: (config) => {
        Object.assign(config['limits'] as object, { failures: { requests: 5, perSeconds: 3_600 } })
        for (const product of config['products'] as Record<string, unknown>[]) product['keys'] = 'plain'
      },
    })
    await network.agree()
    const { holder } = network
    await addClient(holder)
    const [issued, signing] = [await issueKey(holder), await issueKey(holder, { use: 'hmac' })]
    const { keyid } = network.recipient.running.parts.foundation.identity.authenticationKey()
    const key = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
    const codes: string[] = []
    for (let guess = 0; guess < 8; guess++) {
      codes.push(codeOf(await send(network.holder, signCall(network, { as: { keyid, key } }))))
    }
    assert.deepEqual(
      codes.slice(0, 5),
      Array.from({ length: 5 }, () => 'signature-invalid'),
    )
    assert.deepEqual(new Set(codes.slice(5)), new Set(['rate-limited']))
    const refused = await send(holder, signCall(network, { as: { keyid, key } }))
    assert.ok(Number(refused.headers.get('retry-after')) >= 1)
    assert.equal((await send(holder, signCall(network))).status, 200, 'the partner whose key was guessed')

    const told = async (text: string) => codeOf(await send(holder, presentKey(holder, text)))
    for (let guess = 0; guess < 8; guess++) await told(`cmty_live_${issued.id}_${guess}`)
    for (let guess = 0; guess < 50; guess++) await told(`cmty_live_${String(guess).padStart(8, '0')}_x`)
    assert.equal(await told(`cmty_live_${issued.id}_x`), 'rate-limited')
    for (const good of [signCall(network), presentKey(holder, issued.text), signWithKey(network, signing)])
      assert.equal((await send(holder, good)).status, 200, 'behind the address that everybody has')
    const stranger = strangerKey()
    const verified = await send(holder, signCall(network, { as: stranger }))
    assert.equal(codeOf(verified), 'rate-limited', 'a stranger’s signature is not even looked at')
    const hidden = withField(signCall(network, { as: stranger }), 'signature-input')
    const [, input = ''] =
      signCall(network, { as: stranger }).headers.find(([name]) => name === 'signature-input') ?? []
    const disguised = withField(hidden, 'signature-input', `a=();keyid="${keyid}", ${input}`)
    assert.equal(codeOf(await send(holder, disguised)), 'rate-limited', 'nor under a partner’s name')
  })

  test('a signature that is good does not count as a guess', async () => {
    await using network = await startTestNetwork({
      holder: (config) => Object.assign(config['limits'] as object, { failures: { requests: 2, perSeconds: 3_600 } }),
    })
    await network.agree()
    for (let call = 0; call < 6; call++) assert.equal((await send(network.holder, signCall(network))).status, 200)
    assert.equal((await send(network.holder, withField(signCall(network), 'signature', 'comity=:AA==:'))).status, 401)
  })
})

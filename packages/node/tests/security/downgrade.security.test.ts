/** Nobody on the way makes two nodes use less than they both can: older TLS, weaker digests, no signature, no consent, no
 *  sealing. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { connect, createServer, type SecureVersion } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { call, codeOf, giveConsent, startPersonalNetwork, tokenFor, type PersonalNetwork } from '../personal-network.ts'
import { startSealingNetwork } from '../sealing-network.ts'
import { send, signCall, withField, type SignedCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose } from '../test-network.ts'

describe('a holder', () => {
  let network: PersonalNetwork
  before(async () => {
    network = await startPersonalNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  /** The protocol agreed on, or why there was none. */
  async function handshake(options: { maxVersion?: SecureVersion; minVersion?: SecureVersion; ciphers?: string }) {
    const { port } = network.holder
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    const outcome = await new Promise((resolve) => {
      socket.on('secureConnect', () => resolve(socket.getProtocol()))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(`refused: ${error.code}`))
    })
    socket.destroy()
    return outcome
  }

  test('speaks TLS 1.3 only', async () => {
    assert.equal(await handshake({}), 'TLSv1.3')
    for (const maxVersion of ['TLSv1.2', 'TLSv1.1', 'TLSv1'] as const) {
      const outcome = await handshake({ maxVersion, minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' })
      assert.match(String(outcome), /^refused/, maxVersion)
    }
  })

  /** With its signature fields replaced or left out. */
  const stripped = (of: SignedCall) => withField(withField(of, 'signature'), 'signature-input')

  test('takes no call for partners from which the signature was taken', async () => {
    const earlier = network.upstream.seen.length
    assert.equal(codeOf(await send(network.holder, stripped(signCall(network)))), 'signature-missing')
    assert.equal(network.upstream.seen.length, earlier)
  })

  test('takes no call from which the consent was taken, nor one that was signed again without it', async () => {
    const authorization = await tokenFor(network, await giveConsent(network))
    assert.equal((await call(network, { authorization })).status, 200)
    network.api.called.length = 0
    const path = '/x/athletes/athletes/736041664'
    const signed = signCall(network, {
      path,
      headers: { 'comity-purpose': 'https://w3id.org/dpv#ResearchAndDevelopment', authorization },
    })
    const without = await send(network.holder, withField(signed, 'authorization'))
    assert.equal(codeOf(without), 'signature-malformed')
    assert.equal(codeOf(await call(network)), 'consent-required')
    assert.deepEqual(network.api.called, [])
  })

  test('takes no weaker digest, and none beside a strong one that is not right', async () => {
    const body = '{"name":"new"}'
    const post = (digest: string) =>
      signCall(network, {
        method: 'POST',
        path: '/x/items/items',
        body,
        headers: { 'comity-purpose': testPurpose, 'content-type': 'application/json', 'content-digest': digest },
      })
    const digestOf = (name: string) => createHash(name).update(body).digest('base64')
    assert.equal((await send(network.holder, post(`sha-256=:${digestOf('sha256')}:`))).status, 201)
    for (const digest of [
      `md5=:${digestOf('md5')}:`,
      `sha=:${digestOf('sha1')}:`,
      'unixsum=42',
      'crc32c=:AAAAAA==:',
      `sha-256=:${Buffer.alloc(32).toString('base64')}:, md5=:${digestOf('md5')}:`,
      `md5=:${digestOf('md5')}:, sha-256=:${Buffer.alloc(32).toString('base64')}:`,
      'sha-256=:AA==:',
      '',
    ]) {
      const answer = await send(network.holder, post(digest))
      assert.ok(answer.status >= 400 && answer.status < 500, `${digest}: ${answer.status}`)
    }
  })

  test('takes no signature that covers less than the profile says', async () => {
    const signed = signCall(network)
    const input = signed.headers.find(([name]) => name === 'signature-input')?.[1] ?? ''
    for (const changed of [
      input.replace(/\([^)]*\)/, '()'),
      input.replace(/\([^)]*\)/, '("@method")'),
      input.replace(/;nonce="[^"]*"/, ''),
      input.replace(/;expires=\d+/, ''),
      input.replace(/;created=\d+/, ''),
      input.replace('tag="comity-req"', 'tag="other"'),
      input.replace(/^comity=/, 'other='),
    ]) {
      const answer = await send(network.holder, withField(signed, 'signature-input', changed))
      assert.match(codeOf(answer), /^signature-/, changed)
    }
  })
})

test('a recipient talks to no partner that has only older TLS', async () => {
  await using network = await startTestNetwork()
  await network.agree()
  const tls = network.holder.running.parts.foundation.identity.tls()
  const { port } = network.holder
  await network.holder.stop()
  let bytes = 0
  const server = createServer({ ...tls, maxVersion: 'TLSv1.2' }, (socket) => {
    socket.on('data', (data) => (bytes += data.length)).on('error', () => {})
  })
  server.on('tlsClientError', () => {})
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  assert.equal((server.address() as AddressInfo).port, port)
  const answer = await fetch(network.recipient.local('/holder/items/items/7'), {
    headers: { 'comity-purpose': testPurpose },
  })
  server.close()
  assert.equal(answer.status, 502)
  assert.equal(bytes, 0)
})

test('sealing that a holder requires is not talked away by whoever ends TLS in between', async () => {
  await using network = await startSealingNetwork({ answers: 'required' })
  assert.equal((await network.call('/holder/items/items/7')).status, 200)
  assert.ok(!network.proxy.text().includes('"item 7"'))
  const earlier = network.upstream.seen.length
  network.proxy.change = (message, direction) => {
    if (direction === 'answer' || !message.line.includes('/x/')) return message
    const at = message.headers.findIndex((text, index) => index % 2 === 0 && /^comity-accept-sealing$/i.test(text))
    return at < 0 ? message : { ...message, headers: message.headers.toSpliced(at, 2) }
  }
  const answer = await network.call('/holder/items/items/7')
  assert.ok(answer.status >= 400)
  assert.equal(network.upstream.seen.length, earlier)
})

/** OWASP API7:2023. No address that somebody else names makes the node connect to where only the node can reach. */
import assert from 'node:assert/strict'
import { createServer as createPlain, type Server } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { startLyingHolder } from '../lying-holder.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from '../test-network.ts'

describe('a node that may not call private networks', () => {
  let network: TestNetwork
  let guarded: TestNode
  let inner: Server
  let connections = 0
  let port: number
  before(async () => {
    inner = createPlain((socket) => {
      connections += 1
      socket.destroy()
    })
    inner.listen(0, '127.0.0.1')
    await once(inner, 'listening')
    port = (inner.address() as AddressInfo).port
    network = await startTestNetwork({
      others: { guarded: (config) => void (config['network'] = { allowPrivateAddresses: [] }) },
    })
    guarded = network.others['guarded'] as TestNode
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    inner.close()
  })

  test('connects to none of them, however a partner’s address is written', async () => {
    const { partners } = guarded.running.parts.counterparts
    const hosts = [
      '127.0.0.1',
      'localhost',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0.0.0.0',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
      '169.254.169.254',
      '10.0.0.1',
      '[fe80::1]',
      '[fd00::1]',
    ]
    const codes = new Map<string, string>()
    for (const [index, host] of hosts.entries()) {
      const alias = `inner-${index}`
      const code = await partners
        .add({ alias, did: `did:web:inner-${index}.example`, url: `https://${host}:${port}`, fingerprints: [] })
        .then(async () => {
          const answer = await fetch(guarded.local(`/${alias}/items/items/7`), {
            headers: { 'comity-purpose': testPurpose },
          })
          return ((await answer.json()) as { code: string }).code
        })
        .catch((error: { code?: string }) => `refused: ${error.code}`)
      codes.set(host, code)
    }
    for (const [host, code] of codes) {
      assert.ok(code === 'address-forbidden' || code.startsWith('refused: '), `${host}: ${code}`)
    }
    assert.equal(connections, 0)
  })

  test('resolves no DID there, neither of who calls nor of whom it is told about', async () => {
    const { partners } = guarded.running.parts.counterparts
    const did = `did:web:localhost%3A${port}`
    await partners.add({ alias: 'self-hosted', did, fingerprints: [network.recipient.fingerprint] })
    const as = { keyid: `${did}#auth-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
    const authority = new URL(guarded.url).host
    const answer = await send(guarded, signCall(network, { as, authority, path: '/x/items/items/7' }))
    assert.ok(answer.status >= 400 && answer.status < 500, codeOf(answer))
    assert.equal(connections, 0)
  })

  test('is found to be able to connect at all when it may, so that the tests above can fail', async () => {
    const { partners } = network.recipient.running.parts.counterparts
    const url = `https://127.0.0.1:${port}`
    await partners.add({ alias: 'reachable', did: 'did:web:reachable.example', url, fingerprints: [] })
    const answer = await fetch(network.recipient.local('/reachable/items/items/7'), {
      headers: { 'comity-purpose': testPurpose },
    })
    assert.ok(answer.status >= 500)
    assert.ok(connections > 0)
  })
})

test('a partner’s redirect is not followed, signed or not', async () => {
  await using network = await startTestNetwork()
  const agreement = await network.agree()
  let followed = 0
  const elsewhere = createPlain((socket) => {
    followed += 1
    socket.destroy()
  })
  elsewhere.listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/latest/meta-data`
  {
    await using liar = await startLyingHolder(network, agreement)
    for (const status of [301, 302, 307, 308]) {
      liar.behave = (_, response) => void response.writeHead(status, { location, refresh: `0;url=${location}` }).end()
      const answer = await fetch(network.recipient.local('/holder/items/items/7'), {
        headers: { 'comity-purpose': testPurpose },
        redirect: 'manual',
      })
      assert.equal(answer.headers.get('location'), null)
      await answer.body?.cancel()
    }
  }
  elsewhere.close()
  assert.equal(followed, 0)
})

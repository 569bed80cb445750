/** Keys of both sides are rotated while calls run: none may fail, and what was signed before stays provable. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { verifyReceipt } from '@comity/core/exchange/receipt'
import { findVerificationMethod, parseDidDocument } from '@comity/core/identity/did-document'
import type { KeyPurpose } from '../src/identity/node-keys.ts'
import { loggedExchange, send, signCall } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

const callers = 50

describe('a rotation under load', () => {
  let network: TestNetwork
  let firstReceipt: string
  let firstKey: { readonly keyid: string; readonly key: SigningKey }
  before(async () => {
    const rememberShortly = (config: Record<string, unknown>) =>
      Object.assign(config['network'] as object, { didCacheSeconds: 10 })
    network = await startTestNetwork({ holder: rememberShortly, recipient: rememberShortly })
    await demandClientCertificate(network)
    await network.agree()
    firstKey = network.recipient.running.parts.foundation.identity.authenticationKey()
    firstReceipt = (await call()).headers.get('comity-receipt') ?? ''
  })
  after(() => network[Symbol.asyncDispose]())

  const call = () =>
    fetch(network.recipient.local('/holder/items/items/7'), { headers: { 'comity-purpose': testPurpose } })

  interface Load {
    /** Resolves when every call that runs now has ended, and as many more. */
    turnOver(): Promise<void>
    /** Gives how many succeeded; throws what the first failure said. */
    stop(): Promise<number>
  }

  /** Calls by `callers` at once until told to stop. */
  function startLoad(): Load {
    const load = { stopped: false, succeeded: 0 }
    const run = async () => {
      while (!load.stopped) {
        const answer = await call()
        const text = await answer.text()
        assert.equal(answer.status, 200, text)
        load.succeeded++
      }
    }
    const running = Promise.all(Array.from({ length: callers }, run))
    running.catch(() => (load.stopped = true))
    return {
      async turnOver() {
        const enough = load.succeeded + 2 * callers
        while (load.succeeded < enough && !load.stopped) await sleep(20)
      },
      async stop() {
        load.stopped = true
        await running
        return load.succeeded
      },
    }
  }

  /** Rotates the keys as the command does, and moves the clock on until the predecessors are retired, slower than
   *  any call takes. */
  async function rotate(node: TestNode, purposes: readonly KeyPurpose[], load: Load): Promise<void> {
    const token = (await readFile(join(node.directory, 'keys/admin.token'), 'utf8')).trim()
    const answer = await fetch(`http://127.0.0.1:${node.running.ports.admin}/v1/keys/rotate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ purposes, publishForMs: 20_000, overlapMs: 20_000 }),
    })
    assert.equal(answer.status, 200, await answer.text())
    const { foundation, keysChanged } = node.running.parts
    while (foundation.identity.nextChangeAtMs() !== undefined) {
      await load.turnOver()
      network.clock.offsetMs += 8_000
      // Its timers do not see that the clock was moved.
      for (const listener of keysChanged.listeners) listener()
    }
    await load.turnOver()
  }

  const signingKeys = (node: TestNode) => {
    const { identity } = node.running.parts.foundation
    return [identity.authenticationKey().keyid, identity.assertionKey().keyid]
  }

  for (const side of ['holder', 'recipient'] as const) {
    test(`of all keys of the ${side} fails no call`, async () => {
      const { identity } = network[side].running.parts.foundation
      const earlier = [...signingKeys(network[side]), identity.tls().cert]
      const load = startLoad()
      await rotate(network[side], ['authentication', 'assertionMethod', 'tls'], load)
      const succeeded = await load.stop()
      assert.ok(succeeded > callers, `${succeeded}`)
      for (const key of [...signingKeys(network[side]), identity.tls().cert]) assert.ok(!earlier.includes(key))
    })
  }

  test('leaves a retired key that signs no more, and proves what it signed', async () => {
    const document = parseDidDocument(
      JSON.parse((await send(network.holder, documentRequest(network))).body.toString()),
      network.holder.did,
    )
    const claims = verifyReceipt(firstReceipt, (kid) => {
      const atMs = network.clock.now()
      assert.throws(() => findVerificationMethod(document, kid, { purpose: 'assertionMethod', atMs }))
      const use = { purpose: 'assertionMethod', atMs: timeOf(firstReceipt) } as const
      return importVerifyingKey(findVerificationMethod(document, kid, use).jwk)
    })
    assert.equal(claims.aud, network.recipient.did)
    const { counterparts } = network.recipient.running.parts
    const resolved = await counterparts.resolver.resolveDocument(network.holder.did)
    assert.deepEqual(resolved.verificationMethod, document.verificationMethod)
  })

  test('leaves both logs with every call allowed', async () => {
    for (const node of [network.holder, network.recipient]) {
      const events = await node.running.parts.auditLog.readEvents({ limit: 100_000 })
      const exchanges = events.filter(({ type }) => type === 'exchange')
      assert.ok(exchanges.length > callers)
      const other = exchanges.filter(({ body }) => body?.includes('"outcome":"allowed"') !== true)
      assert.deepEqual(other, [], node.name)
    }
  })

  test('refuses the retired key of the recipient', async () => {
    const own = network.recipient.running.parts.foundation.identity.tls()
    const answer = await send(network.holder, signCall(network, { as: firstKey }), own)
    const { code, requestId } = JSON.parse(answer.body.toString()) as { code: string; requestId: string }
    assert.equal(code, 'key-unknown')
    assert.equal((await loggedExchange(network.holder, requestId))?.problem, 'key-unknown')
  })
})

async function demandClientCertificate({ holder, recipient }: TestNetwork): Promise<void> {
  const { partners } = holder.running.parts.counterparts
  const { alias, did, url } = await partners.remove(recipient.name)
  await partners.add({ alias, did, url, fingerprints: [recipient.fingerprint], requireClientCertificate: true })
}

function documentRequest(network: TestNetwork) {
  return {
    method: 'GET',
    target: '/.well-known/did.json',
    headers: [['host', new URL(network.holder.url).host]] as const,
    body: '',
  }
}

function timeOf(receipt: string): number {
  const [, payload = ''] = receipt.split('.')
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { time: number }).time
}

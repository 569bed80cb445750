/** A holder whose certificate is an authority's: partners that were told no fingerprint trust it by that authority alone. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { pooledRandomBytes } from '../src/assembly/world.ts'
import { selfSignedCertificate } from '../src/http/self-signed-certificate.ts'
import { spkiFingerprint } from '../src/http/spki-fingerprint.ts'
import { startProcess } from './start-process.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

describe('a holder with a certificate of an authority, and a recipient that was told no fingerprint', () => {
  let network: TestNetwork
  let authority: string
  before(async () => {
    const jwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
    const randomBytes = pooledRandomBytes()
    // It vouches for itself: to who counts it among the authorities it is one.
    const made = await selfSignedCertificate({ hostname: 'localhost', jwk, nowMs: Date.now(), randomBytes })
    network = await startTestNetwork({
      holder: (config, root) => {
        authority = join(root, 'authority.pem')
        const tls = { cert: authority, key: join(root, 'authority.key') }
        writeFileSync(tls.cert, made.cert)
        writeFileSync(tls.key, made.key, { mode: 0o600 })
        Object.assign((config['listen'] as { public: object }).public, { tls })
      },
    })
    const { partners } = network.recipient.running.parts.counterparts
    const trustBy = async (fingerprints: readonly string[]) => {
      const { alias, did, url } = await partners.remove('holder')
      await partners.add({ alias, did, url, fingerprints })
    }
    await trustBy([spkiFingerprint(made.cert)])
    await network.agree()
    await trustBy([])
    await network.recipient.stop()
  })
  after(() => network[Symbol.asyncDispose]())

  /** A call by the recipient's node, run with these variables. */
  async function call(environment: Record<string, string>) {
    await using recipient = await startProcess(network.recipient.configFile, { environment })
    const answer = await fetch(`http://127.0.0.1:${recipient.ports.local}/holder/items/items/7`, {
      headers: { 'comity-purpose': testPurpose },
    })
    const body = (await answer.json()) as { name?: string; code?: string }
    return { status: answer.status, receipt: answer.headers.has('comity-receipt'), ...body }
  }

  test('calls it, document and answer, where the authority is one of the machine’s', async () => {
    const { status, receipt, name } = await call({ NODE_EXTRA_CA_CERTS: authority })
    assert.deepEqual([status, receipt, name], [200, true, 'item 7'])
  })

  test('sends it nothing where no authority vouches for it', async () => {
    const seenBefore = network.upstream.seen.length
    const { status, code } = await call({})
    assert.deepEqual([status, code], [502, 'tls-untrusted'])
    assert.equal(network.upstream.seen.length, seenBefore)
  })
})

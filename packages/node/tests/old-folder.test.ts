/** The folder of a node of the first version (its configuration, its keys, its database) starts the node of today. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { deriveKey, newDerivation } from '../src/identity/key-derivation.ts'
import { sealEnvelope } from '../src/identity/key-envelope.ts'
import { generateWebKeys } from '../src/identity/key-generation.ts'
import { keyFilePath } from '../src/identity/key-file-path.ts'
import type { KeySecret } from '../src/identity/key-secret.ts'
import { loadConfig } from '../src/config/config.ts'
import { pooledRandomBytes } from '../src/assembly/world.ts'
import { startNode, type RunningNode } from '../src/node.ts'
import { createLogger } from '../src/telemetry/logger.ts'
import { freePort } from './free-port.ts'
import { startTestUpstream, testOpenApi, type TestUpstream } from './test-upstream.ts'

const fixture = (name: string) => readFile(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')

/** Without the secret of the node and the hybrid key, which came later. */
async function oldKeyFile(secret: KeySecret): Promise<string> {
  const made = await generateWebKeys({ nowMs: Date.now(), hostname: 'localhost', randomBytes })
  const keys = made.filter(({ purpose }) => purpose !== 'hybridKeyAgreement')
  const kdf = newDerivation(secret, randomBytes)
  return sealEnvelope(JSON.stringify({ keys }), { kdf, key: await deriveKey(secret, kdf), randomBytes })
}

describe('a folder of the first version', () => {
  let folder: string
  let upstream: TestUpstream
  let port: number
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comity-old-'))
    upstream = await startTestUpstream()
    port = await freePort()
    for (const name of ['keys', 'data']) await mkdir(join(folder, name), { mode: 0o700 })
    const bytes = randomBytes(32)
    const secrets: Record<string, string | Uint8Array> = {
      'keys/key-file': bytes,
      'keys/admin.token': 'an-old-token-of-the-operator-0123456789',
      'upstream.key': 'upstream',
      'collector.key': 'collector',
    }
    for (const [name, secret] of Object.entries(secrets)) await writeFile(join(folder, name), secret, { mode: 0o600 })
    await writeFile(keyFilePath(join(folder, 'keys')), await oldKeyFile({ kind: 'key-file', bytes }), { mode: 0o600 })
    await writeFile(join(folder, 'items.json'), JSON.stringify(testOpenApi))
    const config = await fixture('comity-version-1.yaml')
    const filled = config.replaceAll('PORT', String(port)).replaceAll('UPSTREAM', upstream.url)
    await writeFile(join(folder, 'comity.yaml'), filled)
    const database = new DatabaseSync(join(folder, 'data', 'comity.db'))
    database.exec(await fixture('schema-version-1.sql'))
    database.close()
  })
  after(async () => {
    await upstream[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  async function start(): Promise<RunningNode> {
    const config = await loadConfig(join(folder, 'comity.yaml'), {})
    const world = { clock: Date, randomBytes: pooledRandomBytes() }
    const logger = createLogger({ level: 'silent', clock: Date, output: { write: () => undefined } })
    return startNode({ config, environment: {}, version: 'test', world, logger })
  }

  async function ask(path: string): Promise<{ status: number | undefined; body: string }> {
    const asked = request({ host: 'localhost', port, path, rejectUnauthorized: false, agent: false }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    return { status: answer.statusCode, body: await text(answer) }
  }

  const entriesOf = async ({ parts: { auditLog } }: RunningNode) =>
    (await auditLog.readEvents()).map(({ id, type }) => ({ id, type }))

  test('starts as it is, with its products and partners, and goes on with its log, again and again', async () => {
    const old = ['0199aaaa-0000-7000-8000-000000000000', '0199aaaa-0000-7000-8000-000000000001']
    let first: string | undefined
    for (const calls of [1, 2]) {
      await using node = await start()
      const { catalogue, counterparts, auditLog, foundation } = node.parts
      assert.equal((await ask('/readyz')).status, 200)
      assert.deepEqual(
        catalogue.list().map(({ product }) => [product.id, product.productClass]),
        [
          ['items', 'partner'],
          ['open-items', 'public'],
        ],
      )
      assert.deepEqual(
        counterparts.partners.list().map(({ alias }) => alias),
        ['lab'],
      )
      const { keyid } = foundation.identity.authenticationKey()
      assert.equal((first ??= keyid), keyid, 'the keys stay')
      assert.deepEqual(await ask('/x/open-items/items/7'), { status: 200, body: '{"id":7,"name":"item 7"}' })
      assert.equal(JSON.parse((await ask('/x/items/items/7')).body).code, 'signature-missing')
      await auditLog.integrate()
      const entries = await entriesOf(node)
      assert.deepEqual(
        entries.slice(0, 2),
        old.map((id) => ({ id, type: 'agreement-signed' })),
      )
      assert.equal(entries.filter(({ type }) => type === 'exchange').length, 2 * calls)
      for (const id of old) {
        const proof = await auditLog.proof(id)
        assert.ok(proof !== undefined && proof !== 'pending', 'its entries are provable')
      }
    }
  })
})

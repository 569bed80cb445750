/** A leaked API key, from the find to its end: the scan says whether the node knows it, and the command that it prints ends
 *  it before the next call. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { formatApiKey, newKeyId, newKeySecret } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import type { IssuedKeyView } from '../src/admin/client-api.ts'
import { freePort } from './free-port.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

let network: TestNetwork
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'comity-leaked-'))
  const port = await freePort()
  network = await startTestNetwork({
    holder: (config) => Object.assign(config['listen'] as object, { admin: { port } }),
  })
})
after(async () => {
  await network[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const comity = (...args: string[]) => runQuietly('-c', network.holder.configFile, ...args)

function ask(key: string): string {
  try {
    const at = { address: '192.0.2.1', environment: 'live' } as const
    return network.holder.running.parts.apiKeys.port.authenticate(key, at, Date.now()).client
  } catch (error) {
    assert.ok(error instanceof Problem)
    return error.code
  }
}

test('a leaked key is found with what the node knows of it, and revoked by the command that is printed', async () => {
  assert.equal((await comity('clients', 'add', 'portal')).code, 0)
  const { key, id } = JSON.parse((await comity('--json', 'api-keys', 'issue', 'portal')).out) as IssuedKeyView
  assert.equal(ask(key), 'portal')
  const random = (count: number) => new Uint8Array(randomBytes(count))
  const foreign = { environment: 'live', id: newKeyId(random), secret: newKeySecret(random) } as const
  await writeFile(join(folder, 'job.yaml'), `env:\n  KEY: ${key}\n  OTHER: ${formatApiKey(foreign)}\n`)

  const found = await comity('scan', folder)
  assert.equal(found.code, 1)
  assert.match(found.out, new RegExp(`job\\.yaml:2:8 {2}comity-api-key {2}cmty_live_${id}_…`))
  assert.match(found.out, /the node that is configured here does not know it/)
  assert.ok(!found.out.includes(key.slice(20)))
  const [, command = ''] = /known to the node, and active: comity (.+)$/m.exec(found.out) ?? []
  assert.equal(command, `-c ${network.holder.configFile} api-keys revoke ${id}`)

  assert.equal((await runQuietly(...command.split(' '))).code, 0)
  assert.equal(ask(key), 'key-revoked')
  const again = await comity('scan', folder)
  assert.match(again.out, /known to the node, and revoked/)
  const { findings } = JSON.parse((await comity('--json', 'scan', folder)).out) as { findings: { apiKey: object }[] }
  assert.deepEqual(
    findings.map(({ apiKey }) => apiKey),
    [
      { id, state: 'revoked' },
      { id: foreign.id, state: 'unknown' },
    ],
  )
})

/** `comity doctor` at a node whose limits are shared: what else replicas would have to share, and do not. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { freePort } from './free-port.ts'
import { addClient } from './key-network.ts'
import { startTestNetwork } from './test-network.ts'

test('the doctor says that keys are each node’s own, once there are clients', async () => {
  const [port, redis] = [await freePort(), await freePort()]
  await using network = await startTestNetwork({
    holder(config, root) {
      const url = join(root, 'limits.url')
      // No server needs to answer: a node whose own has not come up yet works without it.
      writeFileSync(url, `redis://127.0.0.1:${redis}`, { mode: 0o600 })
      Object.assign(config['listen'] as object, { admin: { port } })
      Object.assign(config['limits'] as object, { store: { redis: { url: { file: url } } } })
    },
  })
  const limitsTold = async () => {
    const { out } = await runQuietly('-c', network.holder.configFile, '--json', 'doctor')
    const { findings } = JSON.parse(out) as { findings: { check: string; outcome: string; detail: string }[] }
    return findings.filter(({ check }) => check === 'limits').map(({ outcome, detail }) => `${outcome}: ${detail}`)
  }
  assert.deepEqual(
    (await limitsTold()).map((told) => told.replace(/:.*/, '')),
    ['bad'],
  )
  await addClient(network.holder)
  assert.match((await limitsTold())[1] ?? '', /^caution: 1 client may hold API keys, and replicas share limits only: /)
})

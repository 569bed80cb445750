import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startConsentNetwork } from './consent-network.ts'
import { decideWhileFailing } from './consent-storage.ts'

test('a holder refuses decisions and reads while its data directory is gone, and takes them when it is back', async () => {
  await using network = await startConsentNetwork()
  const data = join(network.holder.directory, 'data')
  await decideWhileFailing(network, data, {
    begin: () => renameSync(data, `${data}.away`),
    end: () => renameSync(`${data}.away`, data),
  })
  assert.ok(network.holder.logged.some((line) => line.includes('storage.failed')))
})

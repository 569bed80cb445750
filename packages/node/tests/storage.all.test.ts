import assert from 'node:assert/strict'
import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startAndEnd } from './start-process.ts'
import { mountMemory, smallDisk, withoutMounts } from './storage-kit.ts'
import { openScene, refuseWhileFull } from './storage-scene.ts'
import { startTestNetwork } from './test-network.ts'

describe('a holder whose storage fails', () => {
  test('refuses clearly while the disk is full, and goes on when there is space', { skip: withoutMounts }, async () => {
    using disk = smallDisk()
    await refuseWhileFull(disk)
  })

  test('refuses when its log cannot be published for seconds, and publishes all when it can', async () => {
    await using scene = await openScene()
    assert.equal((await scene.read()).status, 200)
    const log = join(scene.directory, 'log')
    await scene.waitFor('published', () => readdirSync(log).includes('checkpoint'))
    renameSync(log, `${log}.away`)
    writeFileSync(log, 'a file where the directory was')
    await scene.read()
    await scene.waitFor('not ready', async () => (await scene.status('/readyz')) === 503)
    const refused = await scene.assertRefuses()
    renameSync(log, `${log}.file`)
    renameSync(`${log}.away`, log)
    await scene.assertRecovers()
    await scene.assertWhole(refused)
  })

  test(
    'does not start on a storage that is read-only, nor where its log cannot be',
    { skip: withoutMounts },
    async () => {
      using disk = mountMemory(16 * 1024)
      await using network = await startTestNetwork({
        holder: (config) => {
          config['storage'] = { directory: join(disk.directory, 'data') }
        },
      })
      await network.holder.stop()
      const refused = async (): Promise<void> => {
        const { code, stderr } = await startAndEnd(network.holder.configFile)
        assert.equal(code, 1)
        assert.match(stderr, /\(storage-failed\)/)
        assert.doesNotMatch(stderr, /^\s+at /m)
      }
      const log = join(network.holder.directory, 'log')
      renameSync(log, `${log}.away`)
      writeFileSync(log, 'a file where the directory was')
      await refused()
      renameSync(log, `${log}.file`)
      renameSync(`${log}.away`, log)
      disk.seal()
      await refused()
    },
  )
})

import assert from 'node:assert/strict'
import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { smallDisk, withoutMounts } from './storage-kit.ts'
import { openScene, refuseWhileFull } from './storage-scene.ts'

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
})

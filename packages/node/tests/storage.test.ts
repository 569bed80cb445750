import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { limitedFiles, withoutLimits } from './storage-kit.ts'
import { openScene, refuseWhileFull } from './storage-scene.ts'

describe('a holder whose storage fails', () => {
  test('refuses clearly while files may not grow, and goes on when they may', { skip: withoutLimits }, async () => {
    using disk = limitedFiles()
    await refuseWhileFull(disk)
  })

  test('refuses while its data directory is gone, and goes on when it is back', async () => {
    await using scene = await openScene()
    assert.equal((await scene.read()).status, 200)
    const data = join(scene.directory, 'data')
    renameSync(data, `${data}.away`)
    const refused = await scene.assertRefuses()
    renameSync(`${data}.away`, data)
    await scene.assertRecovers()
    await scene.assertWhole(refused)
  })
})

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openLogFiles } from './log-files.ts'

const directory = await mkdtemp(join(tmpdir(), 'comity-log-files-'))
after(() => rm(directory, { recursive: true }))

test('log files are written whole, replaced and removed, and nothing temporary is left', async () => {
  const files = openLogFiles(join(directory, 'deep', 'log'))
  assert.equal(await files.read('a/b'), undefined)
  await files.write([
    { path: 'a/b', bytes: Buffer.from('one') },
    { path: 'a/c/d', bytes: Buffer.from('two') },
    { path: 'e', bytes: Buffer.from('three') },
  ])
  await files.write([{ path: 'a/b', bytes: Buffer.from('four') }])
  await files.sync()
  assert.equal(Buffer.from((await files.read('a/b'))!).toString(), 'four')
  assert.deepEqual((await readdir(join(directory, 'deep', 'log'), { recursive: true })).toSorted(), [
    'a',
    'a/b',
    'a/c',
    'a/c/d',
    'e',
  ])
  await files.remove('a/c')
  await files.remove('a/none')
  assert.equal(await files.read('a/c/d'), undefined)
  await files.write([{ path: 'a/c/d', bytes: Buffer.from('five') }])
  await files.sync()
  assert.equal(Buffer.from((await files.read('a/c/d'))!).toString(), 'five')
})

test('log files that cannot be written are a storage fault, and can be written once the fault is gone', async () => {
  const blocked = join(directory, 'blocked')
  await writeFile(blocked, '')
  const files = openLogFiles(join(blocked, 'log'))
  await assert.rejects(files.write([{ path: 'a', bytes: Buffer.from('x') }]), { code: 'storage-failed' })
  assert.equal(await files.read('a'), undefined)
  await rm(blocked)
  await files.write([{ path: 'a', bytes: Buffer.from('x') }])
  await files.sync()
  assert.equal((await files.read('a'))?.length, 1)
})

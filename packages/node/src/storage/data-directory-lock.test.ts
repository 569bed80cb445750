import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { lockDataDirectory } from './data-directory-lock.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-lock-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const inUse = { code: 'data-in-use' }

test('refuses a second holder in the same process, and lets it in after release', () => {
  const path = join(directory, 'same')
  const lock = lockDataDirectory(path)
  assert.throws(() => lockDataDirectory(path), inUse)
  lock[Symbol.dispose]()
  lock[Symbol.dispose]()
  lockDataDirectory(path)[Symbol.dispose]()
})

test('refuses while another process has the directory, and not after that process was killed', async () => {
  const path = join(directory, 'other')
  const module = new URL('./data-directory-lock.ts', import.meta.url).href
  const script = `globalThis.lock = (await import(${JSON.stringify(module)})).lockDataDirectory(${JSON.stringify(path)})
    console.log('locked'); setInterval(() => globalThis.lock, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(child.stdout, 'data')
    assert.throws(() => lockDataDirectory(path), inUse)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  lockDataDirectory(path)[Symbol.dispose]()
})

test('says so when the directory cannot be made or written', () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  assert.throws(() => lockDataDirectory(join(file, 'below')), { code: 'storage-failed' })
  if (process.getuid?.() === 0) return
  const readOnly = mkdtempSync(join(directory, 'read-only-'))
  chmodSync(readOnly, 0o500)
  assert.throws(() => lockDataDirectory(readOnly), { code: 'storage-failed' })
})

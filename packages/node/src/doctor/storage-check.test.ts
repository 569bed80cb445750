import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Config } from '../config/config.ts'
import { lockDataDirectory } from '../storage/data-directory-lock.ts'
import { checkStorage, decideSpace, writeRemedy } from './storage-check.ts'

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'comity-doctor-'))
})
after(() => rm(root, { recursive: true, force: true }))

const running = { ports: { public: 1, local: 2, admin: 3 }, partners: [], addedProducts: 0 }
const configAt = (data: string, log = data) =>
  ({ storage: { directory: data }, log: { directory: log }, receipts: { directory: data } }) as unknown as Config

async function check(config: Config, isRunning = false) {
  const findings = await checkStorage({ config, randomBytes, running: isRunning ? running : undefined })
  return Object.fromEntries(findings.map(({ check: name, outcome }) => [name, outcome]))
}

test('directories that can be made, or written, are good, and nothing is left behind', async () => {
  const fresh = await check(configAt(join(root, 'new', 'data')))
  assert.deepEqual([fresh['storage data'], fresh['storage log']], ['good', 'good'])
  assert.equal(fresh['storage lock'], undefined)
  const data = await mkdtemp(join(root, 'data-'))
  const found = await check(configAt(data))
  assert.deepEqual([found['storage data'], found['storage lock']], ['good', 'good'])
  assert.deepEqual(await readdir(data), ['node.lock'])
})

test('a file in the way of a directory is bad', async () => {
  const file = join(root, 'file')
  await writeFile(file, '')
  for (const directory of [file, join(file, 'below')]) {
    assert.equal((await check(configAt(root, directory)))['storage log'], 'bad', directory)
  }
})

test('a place where nothing can be made is bad, also for root', async () => {
  assert.equal((await check(configAt(root, '/proc/comity')))['storage log'], 'bad')
})

test('data that another process has is bad, unless that is the running node', async () => {
  const data = await mkdtemp(join(root, 'data-'))
  const lock = lockDataDirectory(data)
  assert.equal((await check(configAt(data)))['storage lock'], 'bad')
  assert.equal((await check(configAt(data), true))['storage lock'], 'good')
  lock[Symbol.dispose]()
})

test('a running node that left its data free has other data', async () => {
  const data = await mkdtemp(join(root, 'data-'))
  assert.equal((await check(configAt(data), true))['storage lock'], 'caution')
})

test('little room is a caution, hardly any is bad', () => {
  const gibibyte = 1024 ** 3
  assert.deepEqual(
    [5 * gibibyte, gibibyte / 2, gibibyte / 64, 0].map((free) => decideSpace(free).outcome),
    ['good', 'caution', 'bad', 'bad'],
  )
})

test('a full disk is no matter of rights', () => {
  assert.match(writeRemedy(Object.assign(new Error(), { code: 'ENOSPC' })), /^free space/)
  assert.match(writeRemedy(Object.assign(new Error(), { code: 'EROFS' })), /read-only$/)
})

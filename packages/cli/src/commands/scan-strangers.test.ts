/** `comity scan` on repositories that somebody else has made. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatApiKey, newKeyId, newKeySecret } from '@comity/core/api-keys/api-key'
import { runQuietly } from '../test-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'comity-scan-'))
after(() => rmSync(root, { recursive: true }))

const skip = spawnSync('git', ['--version']).status === 0 ? false : 'needs git'
const random = (count: number) => new Uint8Array(randomBytes(count))
const key = formatApiKey({ environment: 'live', id: newKeyId(random), secret: newKeySecret(random) })

const git = (at: string, ...args: string[]) =>
  execFileSync('git', ['-C', at, '-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], { stdio: 'pipe' })

test('a configuration that lies in the repository is asked nothing, and sends no secret anywhere', async () => {
  const asked: string[] = []
  const server = createServer((message, response) => {
    asked.push(`${message.url} ${message.headers.authorization}`)
    response.end('{"state":"active"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const evil = join(root, 'evil')
  mkdirSync(evil)
  const { code, error } = await runQuietly(
    'init',
    '--url',
    'https://localhost:9443',
    '--dir',
    evil,
    '--admin-port',
    String(port),
  )
  assert.equal(code, 0, error)
  writeFileSync(join(evil, 'settings.js'), `export const key = '${key}'\n`)
  const before = process.cwd()
  process.chdir(evil)
  try {
    const { out } = await runQuietly('scan', '.')
    assert.match(out, /settings\.js:1:\d+/)
    assert.match(out, /no node was asked/)
    assert.deepEqual(asked, [])
    await runQuietly('-c', 'comity.yaml', 'scan', '.')
    assert.equal(asked.length, 1, 'who names it means it')
  } finally {
    process.chdir(before)
    server.close()
  }
})

test('ends where a submodule was not fetched, and looks at what is there', { skip, timeout: 20_000 }, async () => {
  const [library, project, clone] = ['library', 'project', 'clone'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  for (const made of [library, project]) {
    mkdirSync(made)
    git(made, 'init', '-q', '-b', 'main')
  }
  writeFileSync(join(library, 'a.txt'), 'a\n')
  writeFileSync(join(project, 'settings.js'), `export const key = '${key}'\n`)
  git(library, 'add', '-A')
  git(library, 'commit', '-q', '-m', 'a')
  git(project, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'sub')
  git(project, 'add', '-A')
  git(project, 'commit', '-q', '-m', 'a')
  git(root, 'clone', '-q', project, clone)
  const { code, out } = await runQuietly('--json', 'scan', clone)
  const { findings } = JSON.parse(out) as { findings: { path: string }[] }
  assert.deepEqual([code, findings.map(({ path }) => path)], [1, ['settings.js']])
})

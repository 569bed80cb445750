/** `comity scan --staged`, by hand and as a hook of git. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { formatApiKey, newKeyId, newKeySecret } from '@comity/core/api-keys/api-key'
import { runQuietly } from '../test-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'comity-scan-'))
after(() => rmSync(root, { recursive: true }))

const skip = spawnSync('git', ['--version']).status === 0 ? false : 'needs git'
const random = (count: number) => new Uint8Array(randomBytes(count))
const freshKey = () => formatApiKey({ environment: 'live', id: newKeyId(random), secret: newKeySecret(random) })

function git(at: string, ...args: string[]): { code: number; text: string } {
  const author = ['-c', 'user.name=T', '-c', 'user.email=t@example.org']
  const { status, stdout, stderr } = spawnSync('git', ['-C', at, ...author, ...args], { encoding: 'utf8' })
  return { code: status ?? -1, text: stdout + stderr }
}

function repository(): string {
  const made = mkdtempSync(join(root, 'r-'))
  assert.equal(git(made, 'init', '-q', '-b', 'main').code, 0)
  return made
}

async function stagedIn(at: string): Promise<[number, string[]]> {
  const { code, out } = await runQuietly('--json', 'scan', '--staged', at)
  const { findings } = JSON.parse(out) as { findings: { path: string; line: number }[] }
  return [code, findings.map(({ path, line }) => `${path}:${line}`)]
}

describe('what is staged', { skip }, () => {
  test('is looked into as it will be committed, whatever the file says by now', async () => {
    const at = repository()
    writeFileSync(join(at, 'a é.txt'), `x\n${freshKey()}\n`)
    assert.deepEqual(await stagedIn(at), [0, []], 'nothing is staged')
    git(at, 'add', '-A')
    writeFileSync(join(at, 'a é.txt'), 'clean\n')
    assert.deepEqual(await stagedIn(at), [1, ['a é.txt:2']], 'before the first commit')
    git(at, 'commit', '-q', '-m', 'one')
    assert.deepEqual(await stagedIn(at), [0, []], 'what is committed is the history’s')
    git(at, 'add', '-A')
    writeFileSync(join(at, 'a é.txt'), freshKey())
    assert.deepEqual(await stagedIn(at), [0, []], 'what is not staged is not committed')
    git(at, 'rm', '-q', '--cached', 'a é.txt')
    assert.deepEqual(await stagedIn(at), [0, []])
  })

  test('is what the hook is given to commit: of all files, of some, of the index', () => {
    const at = repository()
    const command = join(import.meta.dirname, '..', '..', 'bin', 'comity.js')
    const hook = `#!/bin/sh\nexec '${process.execPath}' '${command}' scan --staged\n`
    writeFileSync(join(at, '.git', 'hooks', 'pre-commit'), hook, { mode: 0o755 })
    for (const name of ['a', 'b']) writeFileSync(join(at, name), 'clean\n')
    git(at, 'add', '-A')
    const first = git(at, 'commit', '-m', 'clean')
    assert.equal(first.code, 0, first.text)
    for (const name of ['a', 'b']) writeFileSync(join(at, name), `${freshKey()}\n`)
    for (const args of [['-a'], ['b'], ['--include', 'b']]) {
      const { code, text } = git(at, 'commit', '-m', 'leak', ...args)
      assert.equal(code, 1, text)
      assert.match(text, args[0] === '-a' ? /^a:1:1 {2}comity-api-key/m : /^b:1:1 {2}comity-api-key/m)
    }
    git(at, 'add', 'a')
    writeFileSync(join(at, 'a'), 'clean\n')
    assert.equal(git(at, 'commit', '-m', 'leak').code, 1)
    git(at, 'reset', '-q')
    writeFileSync(join(at, 'a'), 'clean too\n')
    assert.equal(git(at, 'commit', '-m', 'clean', 'a').code, 0)
  })

  test('is that of the repository that was named, also where another’s index stands in the environment', async () => {
    const [at, other] = [repository(), repository()]
    writeFileSync(join(at, 'a'), freshKey())
    git(at, 'add', '-A')
    process.env['GIT_INDEX_FILE'] = join(other, '.git', 'index')
    try {
      assert.deepEqual(await stagedIn(at), [1, ['a:1']])
    } finally {
      delete process.env['GIT_INDEX_FILE']
    }
  })

  test('is not looked for together with the history, nor outside of a repository', async () => {
    assert.equal((await runQuietly('scan', '--staged', '--history', repository())).code, 2)
    const { code, error } = await runQuietly('scan', '--staged', root)
    assert.equal(code, 3)
    assert.match(error, /not a git repository/)
  })
})

/** `comity scan` on real directories and real git repositories. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { formatApiKey, newKeyId, newKeySecret } from '@comity/core/api-keys/api-key'
import { runQuietly } from '../test-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'comity-scan-'))
after(() => rmSync(root, { recursive: true }))

const skip = spawnSync('git', ['--version']).status === 0 ? false : 'needs git'

const random = (count: number) => new Uint8Array(randomBytes(count))
const freshKey = () => formatApiKey({ environment: 'live', id: newKeyId(random), secret: newKeySecret(random) })

/** A directory with these files. */
function directory(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const made = mkdtempSync(join(root, 'd-'))
  put(made, files)
  return made
}

function put(into: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    writeFileSync(join(into, path), content)
  }
}

const git = (at: string, ...args: string[]): string =>
  execFileSync('git', ['-C', at, '-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim()

function repository(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const made = directory(files)
  git(made, 'init', '-q', '-b', 'main')
  return made
}

function commit(at: string, message: string): string {
  git(at, 'add', '-A')
  git(at, 'commit', '-q', '--allow-empty', '-m', message)
  return git(at, 'rev-parse', 'HEAD')
}

interface Report {
  readonly findings: readonly {
    path: string
    commit?: string
    line: number
    rule: string
    excerpt: string
    apiKey?: { id: string; state: string }
  }[]
  readonly totals: {
    looked: number
    binary: number
    ignored: number
    allowed: number
    more: number
    passed: { place: string; why: string }[]
  }
  readonly unused: readonly string[]
}

async function scan(...args: string[]): Promise<Report & { code: number; text: string }> {
  const { code, out, error } = await runQuietly('-c', join(root, 'none.yaml'), '--json', 'scan', ...args)
  assert.equal(error, '')
  return { code, text: out, ...(JSON.parse(out) as Report) }
}

const paths = ({ findings }: Report): string[] => findings.map(({ path }) => path).toSorted()

describe('files', () => {
  test('a key is named with file, line and rule, never whole; the exit code is 1 when there is one, else 0', async () => {
    const key = freshKey()
    const at = directory({ 'src/a.ts': `one\n  key = '${key}'\n`, 'b.txt': 'nothing' })
    const { code, out } = await runQuietly('scan', at)
    assert.equal(code, 1)
    assert.deepEqual(out.split('\n'), [
      `src/a.ts:2:10  comity-api-key  ${key.slice(0, 19)}…`,
      `    no node was asked (\`-c comity.yaml\` asks one); where it is from: comity api-keys revoke ${key.slice(10, 18)}`,
      'secrets at 1 place (2 texts looked at)',
    ])
    const report = await scan(at)
    assert.deepEqual(report.findings[0]?.apiKey, { id: key.slice(10, 18), state: 'not-asked' })
    assert.ok(!(out + report.text).includes(key.slice(20, 30)))
    put(at, { 'src/a.ts': 'clean' })
    assert.equal((await scan(at)).code, 0)
    assert.deepEqual((await runQuietly('scan', at)).out, 'no secrets found (2 texts looked at)')
  })

  test('a key that stands encoded is named at its place, and said to be so', async () => {
    const key = freshKey()
    const at = directory({ 'secret.yaml': `kind: Secret\ndata:\n  key: ${Buffer.from(key).toString('base64')}\n` })
    const { code, out } = await runQuietly('-c', join(root, 'none.yaml'), 'scan', at)
    assert.equal(code, 1)
    assert.equal(out.split('\n')[0], `secret.yaml:3:8  comity-api-key  ${key.slice(0, 19)}… (in base64)`)
    assert.ok(out.includes(`: comity -c ${join(root, 'none.yaml')} api-keys revoke ${key.slice(10, 18)}\n`), out)
  })

  test('the configuration that was given is in the command to revoke a key, as a shell takes it', async () => {
    const at = directory({ a: freshKey() })
    const { out } = await runQuietly('-c', "the node's.yaml", 'scan', at)
    assert.ok(out.includes(String.raw`comity -c 'the node'\''s.yaml' api-keys revoke `), out)
  })

  test('in a work tree what git ignores is not looked at; tracked, new and forced files are', { skip }, async () => {
    const at = repository({ '.gitignore': 'ignored/\n*.log\n', 'ignored/a': freshKey(), 'x.log': freshKey() })
    put(at, { tracked: freshKey(), 'forced.log': freshKey() })
    git(at, 'add', '-f', 'forced.log')
    commit(at, 'one')
    put(at, { 'new/file é.txt': freshKey() })
    assert.deepEqual(paths(await scan(at)), ['forced.log', 'new/file é.txt', 'tracked'])
    assert.deepEqual(paths(await scan(join(at, 'new'))), ['file é.txt'])
  })

  test(
    'a directory that was named is looked into though git ignores it; nothing to look at is no clean bill',
    { skip },
    async () => {
      const at = repository({
        '.gitignore': 'dist/\nout/*\n',
        'dist/deep/a': freshKey(),
        'out/b': freshKey(),
        'c.txt': 'x',
      })
      assert.deepEqual(paths(await scan(join(at, 'dist'))), ['deep/a'])
      assert.deepEqual(paths(await scan(join(at, 'dist', 'deep'))), ['a'])
      assert.equal((await scan(at)).code, 0)
      assert.equal((await scan(join(at, 'out'))).code, 1)
      assert.equal((await scan(directory())).code, 3)
    },
  )

  test('outside of git all is looked at but installed packages', async () => {
    const at = directory({ '.hidden': freshKey(), 'deep/er/a': freshKey(), 'node_modules/x/a.js': freshKey() })
    assert.deepEqual(paths(await scan(at)), ['.hidden', 'deep/er/a'])
  })

  test('a repository within another is looked into by its own rules', { skip }, async () => {
    const at = repository({ 'a.txt': 'x' })
    const inner = join(at, 'inner')
    put(inner, { 'b.txt': freshKey(), '.gitignore': 'c.txt', 'c.txt': freshKey() })
    git(inner, 'init', '-q')
    assert.deepEqual(paths(await scan(at)), ['inner/b.txt'])
  })

  test('links are not followed: a circle ends, what lies outside stays outside', async () => {
    const outside = directory({ secret: freshKey() })
    const at = directory({ 'a/b.txt': 'x' })
    symlinkSync('..', join(at, 'a', 'up'))
    symlinkSync(outside, join(at, 'out'))
    symlinkSync(join(outside, 'secret'), join(at, 'file'))
    const report = await scan(at)
    assert.deepEqual([paths(report), report.totals.looked, report.code], [[], 1, 0])
  })

  test('what waits for a reader is passed over, not waited for', async () => {
    const at = directory({ 'a.txt': freshKey() })
    execFileSync('mkfifo', [join(at, 'pipe')])
    assert.deepEqual(paths(await scan(at)), ['a.txt'])
  })

  test('a file over the limit is named as not looked into, bytes that are no text are counted', async () => {
    const at = directory({ 'large.txt': `${'x'.repeat(1_048_576)}${freshKey()}`, 'bin.dat': '\0' })
    const small = await scan(at, '--max-size', '1')
    const large = [{ place: 'large.txt', why: 'large' }]
    assert.deepEqual([paths(small), small.totals.passed, small.totals.binary, small.code], [[], large, 1, 0])
    assert.deepEqual(paths(await scan(at)), ['large.txt'])
  })

  test('what is too large passes no scan that was not told how large is too large', async () => {
    const at = directory({ 'server.log': `${'x'.repeat(8 * 1_048_576)}\n${freshKey()}\n` })
    const { code, out } = await runQuietly('scan', at)
    assert.deepEqual(
      [code, out.split('\n')],
      [3, ['not looked into: server.log (large)', 'no secrets found in what was looked into (0 texts looked at)']],
    )
    assert.equal((await scan(at, '--max-size', '8')).code, 0)
    assert.deepEqual(paths(await scan(at, '--max-size', '9')), ['server.log'])
    put(at, { 'a.txt': freshKey() })
    assert.equal((await scan(at)).code, 1, 'a secret counts for more')
  })

  test('the help says the size in the unit that the option takes', async () => {
    const { out } = await runQuietly('scan', '--help')
    assert.match(out, /--max-size <MiB>\s+size of the largest file to look into, 8 unless given/)
    assert.doesNotMatch(out, /8388608/)
  })

  test('keys are found in what is no text: databases, dumps, logs of two encodings, UTF-16 without a mark', async () => {
    const wide = (text: string) => Buffer.from(text, 'utf16le')
    const files = {
      'app.db': Buffer.from(`SQLite format 3\0${'\0'.repeat(99)}${freshKey()}`),
      core: Buffer.concat([Buffer.from('\u007fELF\0'), wide(freshKey()), Buffer.from([7, 0])]),
      'big.txt': wide(`key = ${freshKey()}`).swap16(),
      'little.txt': wide(`key = ${freshKey()}`),
      'two.log': Buffer.concat([Buffer.from(`${'a line of text\n'.repeat(600)}`), wide(`${freshKey()}\n`)]),
      'marked.log': Buffer.concat([Buffer.from([0xff, 0xfe]), wide('a line\n'), Buffer.from(freshKey())]),
    }
    assert.deepEqual(paths(await scan(directory(files))), Object.keys(files).toSorted())
  })

  test(
    'a file that cannot be read is named, and the scan does not pass',
    { skip: process.getuid?.() === 0 },
    async () => {
      const at = directory({ 'a.txt': 'x' })
      chmodSync(join(at, 'a.txt'), 0)
      const report = await scan(at)
      assert.deepEqual([report.code, report.totals.passed], [3, [{ place: 'a.txt', why: 'unreadable' }]])
    },
  )

  test('one file may be named; what is not there is an error', async () => {
    const at = directory({ 'a.txt': freshKey(), 'b.txt': freshKey() })
    assert.deepEqual(paths(await scan(join(at, 'a.txt'))), ['a.txt'])
    const missing = await runQuietly('scan', join(at, 'c.txt'))
    assert.match(missing.error, /`.*c\.txt` cannot be read/)
    assert.equal(missing.code, 3, 'not 1: nothing was found')
  })

  test('the places are counted, not the files', async () => {
    const key = freshKey()
    const { out } = await runQuietly('scan', directory({ 'a.txt': `${key}\n${key}\n`, 'b.txt': key }))
    assert.match(out, /^secrets at 3 places \(2 texts looked at\)$/m)
  })

  test('of more findings than anybody reads the rest is counted', async () => {
    const key = freshKey()
    const half = `${key}\n`.repeat(5_005)
    const report = await scan(directory({ a: half, b: half }))
    assert.deepEqual([report.findings.length, report.totals.more, report.code], [10_000, 10, 1])
  })

  test('names of files cannot steer the terminal', async () => {
    const at = directory({ 'a\u001b[2Jb': freshKey() })
    assert.ok(!(await runQuietly('scan', at)).out.includes('\u001b[2J'))
  })
})

describe('known findings', () => {
  test('are allowed by path, line and rule; an entry that allows nothing is told', async () => {
    const at = directory({
      'tests/deep/a.ts': freshKey(),
      'docs/b.md': `${freshKey()}\n${freshKey()}`,
      'c.env': freshKey(),
    })
    const list = join(directory(), 'allow')
    writeFileSync(list, '# known\ntests/**  # all of them\ndocs/*.md:2 comity-api-key\nc.env github\nnone/**\n')
    const report = await scan(at, '--allow', list)
    assert.deepEqual(report.findings.map(({ path, line }) => [path, line]).toSorted(), [
      ['c.env', 1],
      ['docs/b.md', 1],
    ])
    assert.equal(report.totals.allowed, 2)
    assert.deepEqual(report.unused, ['c.env github', 'none/**'])
  })

  test('a list that cannot be understood is refused, not passed over', async () => {
    const list = join(directory({ allow: 'a b c\n' }), 'allow')
    const { code, error } = await runQuietly('scan', directory(), '--allow', list)
    assert.equal(code, 1)
    assert.match(error, /line 1 of the allow-list/)
  })
})

describe('a git history', { skip }, () => {
  test('is looked through on every branch, tag and stash: what was deleted is found, once, where it came in', async () => {
    const [deleted, branch, tagged, stashed, merged] = [freshKey(), freshKey(), freshKey(), freshKey(), freshKey()]
    const at = repository({ 'a/secret é.txt': `x\n${deleted}\n` })
    const first = commit(at, 'one')
    git(at, 'mv', 'a/secret é.txt', 'moved.txt')
    commit(at, 'moved')
    rmSync(join(at, 'moved.txt'))
    commit(at, 'gone')
    git(at, 'switch', '-q', '-c', 'side')
    put(at, { side: branch })
    const second = commit(at, 'side')
    git(at, 'switch', '-q', 'main')
    put(at, { t: tagged })
    const third = commit(at, 'tagged')
    git(at, 'tag', '-a', 'v1', '-m', 'v1')
    git(at, 'reset', '-q', '--hard', 'HEAD~1')
    // A merge that brings what neither side had.
    git(at, 'merge', '-q', '--no-ff', '--no-commit', 'side')
    put(at, { side: 'clean', evil: merged })
    const merge = commit(at, 'merge')
    put(at, { evil: 'clean', kept: 'x' })
    commit(at, 'clean')
    put(at, { kept: stashed })
    git(at, 'stash', '-q')
    assert.deepEqual(paths(await scan(at)), [])
    const report = await scan(at, '--history')
    const stash = git(at, 'rev-list', 'refs/stash', '^main').split('\n')
    const found = report.findings.map(({ path, commit: by = '', line, apiKey }) => {
      return [path, stash.includes(by) ? 'stash' : by, line, apiKey?.id]
    })
    assert.deepEqual(found.toSorted(), [
      ['a/secret é.txt', first, 2, deleted.slice(10, 18)],
      ['evil', merge, 1, merged.slice(10, 18)],
      ['kept', 'stash', 1, stashed.slice(10, 18)],
      ['side', second, 1, branch.slice(10, 18)],
      ['t', third, 1, tagged.slice(10, 18)],
    ])
    assert.equal(report.code, 1)
    const { out } = await runQuietly('-c', join(root, 'none.yaml'), 'scan', '--history', at)
    assert.match(out, new RegExp(`^${first.slice(0, 12)}:a/secret é\\.txt:2:1  comity-api-key  cmty_live_`, 'm'))
  })

  test('holds messages too, and names that look like what git writes itself', async () => {
    const [message, odd] = [freshKey(), freshKey()]
    const at = repository({ ':100644 100644 0 0 A': odd, '\u0001x\ny': 'text' })
    const id = commit(at, `one\n\nthe key is ${message}`)
    const report = await scan(at, '--history')
    assert.deepEqual(
      report.findings.map(({ path, commit: by, line }) => [path, by, line]),
      [
        ['(message)', id, 3],
        [':100644 100644 0 0 A', id, 1],
      ],
    )
  })

  test('an object over the limit is named and passes by, what comes behind it is read', async () => {
    const at = repository({ 'a.txt': `${'x'.repeat(3_000_000)}${freshKey()}`, 'b.txt': freshKey(), 'c.bin': '\0' })
    commit(at, 'one')
    const report = await scan(at, '--history', '--max-size', '1')
    assert.deepEqual([paths(report), report.totals.binary], [['b.txt'], 1])
    assert.deepEqual(
      report.totals.passed.map(({ place, why }) => [place.replace(/^[0-9a-f]{12}:/, ''), why]),
      [['a.txt', 'large']],
    )
  })

  test('every stash is looked into, the older ones and what they hold of untracked files too', async () => {
    const at = repository({ 'a.txt': 'x' })
    commit(at, 'one')
    const keys = [freshKey(), freshKey(), freshKey()]
    for (const [index, key] of keys.entries()) {
      put(at, index === 0 ? { new: key } : { 'a.txt': key })
      git(at, 'stash', '-q', '--include-untracked')
    }
    const { findings } = await scan(at, '--history')
    assert.deepEqual(
      findings.map(({ apiKey }) => apiKey?.id).toSorted(),
      keys.map((key) => key.slice(10, 18)).toSorted(),
    )
  })

  test('messages of tags are looked into: of tags of tags, of merged ones that are gone, and of files tagged alone', async () => {
    const [tag, outer, merged, note, blob, tree] = [1, 2, 3, 4, 5, 6].map(freshKey) as [string, ...string[]]
    const at = repository({ 'a.txt': 'x' })
    commit(at, 'one')
    git(at, 'tag', '-a', 'v1', '-m', `one\n\n${tag}`)
    git(at, 'tag', '-a', 'v1-signed', 'v1', '-m', `${outer}`)
    git(at, 'notes', 'add', '-m', `${note}`)
    git(at, 'switch', '-q', '-c', 'side')
    commit(at, 'side')
    // What looks signed is kept in the commit that merges it.
    git(at, 'tag', '-a', 'gone', '-m', `${merged}\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n`)
    git(at, 'switch', '-q', 'main')
    git(at, 'merge', '-q', '--no-ff', '-m', 'merge', 'gone')
    git(at, 'tag', '-d', 'gone')
    put(at, { blob: `${blob}`, 'sub/tree': `${tree}` })
    git(at, 'tag', 'only-blob', git(at, 'hash-object', '-w', 'blob'))
    git(at, 'add', 'sub')
    git(at, 'tag', '-a', 'only-tree', '-m', 'a tree', git(at, 'write-tree'))
    git(at, 'rm', '-q', '--cached', 'sub/tree')
    const { findings } = await scan(at, '--history')
    assert.deepEqual(
      findings.map(({ path, apiKey }) => [path, apiKey?.id]).toSorted(),
      [
        ['(merged tag)', merged],
        ['(only-blob)', blob],
        ['(only-tree)/sub/tree', tree],
        ['(tag v1)', tag],
        ['(tag v1-signed)', outer],
        [git(at, 'ls-tree', '-r', '--name-only', 'refs/notes/commits'), note],
      ]
        .map(([path, key]) => [path, key?.slice(10, 18)])
        .toSorted(),
    )
  })

  test('a clone without the whole history does not pass for one with it', async () => {
    const at = repository({ 'a.txt': freshKey() })
    commit(at, 'one')
    put(at, { 'a.txt': 'x' })
    commit(at, 'two')
    const clone = join(root, 'shallow')
    git(root, 'clone', '-q', '--depth', '1', `file://${at}`, clone)
    const report = await scan(clone, '--history')
    assert.deepEqual(
      [report.code, paths(report), report.totals.passed],
      [3, [], [{ place: '(history before this clone begins)', why: 'missing' }]],
    )
  })

  test('a message over the limit is named like a file', async () => {
    const at = repository({ 'a.txt': 'x' })
    const text = join(directory({ message: `${'x'.repeat(3_000_000)}\n` }), 'message')
    git(at, 'add', '-A')
    git(at, 'commit', '-q', '-F', text)
    const { totals, code } = await scan(at, '--history', '--max-size', '1')
    assert.deepEqual([totals.passed.map(({ place }) => place.slice(13)), code], [['(message)'], 0])
  })

  test('allowed paths count in it as well', async () => {
    const at = repository({ 'tests/a': freshKey() })
    commit(at, 'one')
    const list = join(directory({ allow: 'tests/**' }), 'allow')
    const report = await scan(at, '--history', '--allow', list)
    assert.deepEqual([report.code, report.totals.allowed], [0, 1])
  })

  test('an empty repository has no secrets; outside of one the command says so', async () => {
    assert.equal((await scan(repository(), '--history')).code, 0)
    const { code, error } = await runQuietly('scan', '--history', directory())
    assert.equal(code, 3)
    assert.match(error, /not a git repository/)
  })

  test('a strange repository starts no program of its own', async () => {
    const at = repository({ 'a.txt': 'x', '.gitattributes': '* diff=evil filter=evil\n' })
    const proof = join(root, 'started')
    commit(at, 'one')
    for (const entry of ['core.fsmonitor', 'diff.evil.textconv', 'diff.evil.command', 'diff.external', 'gpg.program'])
      git(at, 'config', entry, `touch ${proof}; true`)
    git(at, 'config', 'log.showSignature', 'true')
    assert.equal((await scan(at)).code, 0)
    assert.equal((await scan(at, '--history')).code, 0)
    assert.throws(() => execFileSync('ls', [proof], { stdio: 'ignore' }))
  })

  test('a surrounding git, as of a hook, does not lead elsewhere', async () => {
    const other = repository({ 'b.txt': freshKey() })
    commit(other, 'other')
    const at = repository({ 'a.txt': freshKey() })
    commit(at, 'one')
    process.env['GIT_DIR'] = join(other, '.git')
    try {
      assert.deepEqual(paths(await scan(at, '--history')), ['a.txt'])
      assert.deepEqual(paths(await scan(at)), ['a.txt'])
    } finally {
      delete process.env['GIT_DIR']
    }
  })
})

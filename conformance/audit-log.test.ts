/** Our log, checked by other people's code: `golang.org/x/mod/sumdb/note` and `tlog` (see audit-log-go/verify.go)
 *  verify signatures, tiles, the inclusion of every entry and the consistency of two sizes. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { auditLogTables } from '@comity/node/audit-log/audit-log-schema'
import { openAuditLog } from '@comity/node/audit-log/audit-log'
import { openSqlite } from '@comity/node/storage/sqlite'

const olderSize = 30_123
const size = 70_000
const sources = join(import.meta.dirname, 'audit-log-go')
/** Where Debian's golang-golang-x-mod-dev puts the packages. */
const debianGopath = '/usr/share/gocode'

const directory = await mkdtemp(join(tmpdir(), 'comity-conformance-'))
const log = join(directory, 'log')
const older = join(directory, 'checkpoint.older')
const program = join(directory, 'verify')
let verifierKey = ''

after(() => rm(directory, { recursive: true }))

/** Writes the log as a node does: many appends at once, two checkpoints asked for. */
async function writeLog(): Promise<void> {
  await using database = await openSqlite(join(directory, 'comity.db'))
  await database.execute(auditLogTables.map((sql) => ({ sql })))
  const signingKey = importSigningKey(generatePrivateJwk('ed25519'))
  const options = { database, directory: log, origin: 'node.example.org/log', signingKey, randomBytes }
  await using auditLog = await openAuditLog(options)
  verifierKey = auditLog.verifierKey
  const appendUpTo = async (from: number, to: number) => {
    const event = (i: number) => ({ id: `e${i}`, type: 'exchange', timeMs: i, body: `{"number":${i}}` })
    const numbers = Array.from({ length: to - from }, (_, i) => from + i)
    await Promise.all(numbers.map((i) => auditLog.append(auditLog.prepare(event(i)))))
    await auditLog.integrate()
  }
  await appendUpTo(0, olderSize)
  await copyFile(join(log, 'checkpoint'), older)
  await appendUpTo(olderSize, size)
}

/** Builds the verifier with the module proxy, or without network on Debian's packages. Gives what went wrong. */
function buildVerifier(): string | undefined {
  const path = [process.env['PATH'] ?? '', '/usr/local/go/bin', '/usr/lib/go/bin'].join(delimiter)
  const run = (environment: Record<string, string>, what: string) =>
    spawnSync('go', ['build', '-o', program, what], {
      cwd: sources,
      env: { ...process.env, PATH: path, ...environment },
      encoding: 'utf8',
      timeout: 300_000,
    })
  const byModule = run({ GOFLAGS: '-buildvcs=false' }, '.')
  if (byModule.status === 0) return undefined
  if (byModule.error !== undefined) return `no Go on this machine: ${byModule.error.message}`
  if (!existsSync(join(debianGopath, 'src/golang.org/x/mod/sumdb'))) return byModule.stderr
  const byPackage = run({ GO111MODULE: 'off', GOPATH: debianGopath }, 'verify.go')
  return byPackage.status === 0 ? undefined : byPackage.stderr
}

function verify(): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, [log, verifierKey, older], { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

/** Runs the verifier with one byte of a file changed. */
async function verifyWithChange(path: string, at: number): Promise<{ status: number | null; output: string }> {
  const bytes = await readFile(path)
  try {
    await writeFile(path, bytes.with(at, bytes[at]! ^ 1))
    return verify()
  } finally {
    await writeFile(path, bytes)
  }
}

describe('golang.org/x/mod/sumdb on our log', () => {
  before(async () => {
    const fault = buildVerifier()
    assert.equal(
      fault,
      undefined,
      `the Go verifier cannot be built; install Go, or Debian's golang-go and golang-golang-x-mod-dev`,
    )
    await writeLog()
  })

  test(`verifies both signatures, all tiles, the inclusion of all ${size} entries, and growth from ${olderSize}`, () => {
    const { status, output } = verify()
    assert.equal(status, 0, output)
    assert.match(output, new RegExp(`verified ${size} entries, consistent with ${olderSize}`))
  })

  test('refuses the log with one bit of any kind of file changed', async () => {
    const files = [
      'tile/entries/100',
      'tile/entries/273.p/112',
      'tile/0/050',
      'tile/0/273.p/112',
      'tile/1/000',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
      'checkpoint',
    ]
    for (const file of files) {
      const { status, output } = await verifyWithChange(join(log, file), 30)
      assert.equal(status, 1, `${file}: ${output}`)
    }
    assert.equal((await verifyWithChange(older, 30)).status, 1)
  })
})

/** The demo as a whole, as its users start it: real processes, real files. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseOptions } from './options.ts'

const program = fileURLToPath(new URL('main.ts', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'comity-demo-test-'))
after(() => rmSync(root, { recursive: true, force: true }))

interface Line {
  readonly step: string
  readonly ok: boolean
  readonly ms: number
  readonly detail: string
}

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { out: '', error: '' }
  child.stdout.on('data', (text: Buffer) => (output.out += text.toString()))
  child.stderr.on('data', (text: Buffer) => (output.error += text.toString()))
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, ...output }))
  return { child, output, ended }
}

const linesOf = (out: string): Line[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

const participants = ['federation', 'lab', 'statistics']

/** What must fail, and the code that its caller must read. */
const refusals: Record<string, string> = {
  'replayed request': '401 nonce-replayed',
  'changed body': '400 digest-mismatch',
  'stale timestamp': '401 signature-stale',
  "another participant's key": '401 signature-invalid',
  'undeclared route': '404 not-found',
  'answer changed on the way': '502 answer-invalid',
  'another purpose': '403 consent-purpose',
  'an athlete without consent': '403 consent-required',
  'the firm asks for sport': '403 consent-scope',
  'lab, past its own node': '403 consent-inactive',
  'statistics, past its own node': '403 consent-inactive',
  "lab's next call": '403 consent-inactive',
  "statistics' next call": '403 consent-inactive',
  'from overseas': '403 policy-denied',
  'an unknown service': '403 policy-denied',
  'the same link again': '404 reference-invalid',
  'the old key': '401 key-expired',
  "the thief's next call": '401 key-revoked',
  'what they are told': '429 rate-limited',
  'agreement terminated': '403 agreement-terminated',
}

test('every step does what it must, twice at the same time, and all of it is kept where it was told', async () => {
  const directories = ['one', 'two'].map((name) => join(root, name))
  const runs = directories.map((directory) => start('--once', '--json', '--dir', directory).ended)
  for (const { exitCode, out, error } of await Promise.all(runs)) {
    assert.equal(error, '')
    const lines = linesOf(out)
    for (const line of lines) {
      assert.deepEqual(Object.keys(line), ['step', 'ok', 'ms', 'detail'])
      assert.ok(line.ok, `${line.step}: ${line.detail}`)
    }
    assert.equal(exitCode, 0)
    for (const [step, code] of Object.entries(refusals)) {
      assert.ok(lines.find((line) => line.step === step)?.detail.startsWith(code), `${step} is ${code}`)
    }
  }
  for (const directory of directories) participants.forEach((name) => checkFiles(join(directory, name)))
  for (const directory of directories) {
    checkNames(directory)
    checkConsent(directory)
  }
})

/** The layout of C2SP tlog-tiles, read with nothing but the file system. */
function checkFiles(directory: string): void {
  const log = join(directory, 'log')
  const [origin = '', sizeText = ''] = readFileSync(join(log, 'checkpoint'), 'utf8').split('\n')
  const size = Number(sizeText)
  assert.match(origin, /^localhost:\d+\/log$/)
  assert.ok(size > 5 && size < 10_000, sizeText)
  // Tiles of 256 hashes and, of the last ones, a part; the same of entries.
  for (let index = 0; index * 256 < size; index++) {
    const width = Math.min(256, size - index * 256)
    const name = `${String(index).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`
    assert.equal(readFileSync(join(log, 'tile/0', name)).length, 32 * width)
    assert.ok(existsSync(join(log, 'tile/entries', name)))
  }
  assert.ok(readFileSync(join(log, 'log.vkey'), 'utf8').startsWith(`${origin}+`))
  const receipts = readdirSync(join(directory, 'receipts'))
  assert.ok(receipts.some((name) => name.endsWith('.jws')) && receipts.some((name) => name.endsWith('.json')))
}

const athlete = 736041664

/** Nothing that a participant keeps beside its API names an athlete, and nothing that the athlete was given does. */
function checkNames(directory: string): void {
  const { athletes } = JSON.parse(readFileSync(join(directory, 'federation/api/athletes.json'), 'utf8')) as {
    athletes: { id: number; name: string }[]
  }
  const { name } = athletes.find(({ id }) => id === athlete) ?? { name: '' }
  assert.notEqual(name, '')
  const folders = ['person', 'lab', 'statistics', 'federation/receipts', 'federation/data', 'federation/log']
  const files = [...folders.flatMap((folder) => filesBelow(join(directory, folder))), join(directory, 'consent.json')]
  assert.ok(files.length > 20)
  for (const file of [...files, join(directory, 'federation/node.log')]) {
    assert.ok(!readFileSync(file).includes(name), file)
  }
}

/** The proofs that the athlete has are those of the three reads, both readers have deleted, and the firm never learned the federation's reference. */
function checkConsent(directory: string): void {
  assert.equal(readdirSync(join(directory, 'person')).length, 3)
  for (const debtor of ['lab', 'statistics']) {
    assert.ok(existsSync(join(directory, `federation/deletion-${debtor}.jws`)))
    assert.ok(!existsSync(join(directory, debtor, 'study.json')), 'what was read is deleted')
  }
  const files = filesBelow(join(directory, 'statistics'))
  assert.ok(files.some((file) => file.includes('/data/')))
  for (const file of files) assert.ok(!readFileSync(file).includes(String(athlete)), file)
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

test('leaves what it did not make alone, and says so', async () => {
  const directory = join(root, 'foreign')
  mkdirSync(join(directory, 'lab'), { recursive: true })
  const { exitCode, out } = await start('--once', '--json', '--dir', directory).ended
  assert.equal(exitCode, 1)
  const [line] = linesOf(out)
  assert.equal(line?.ok, false)
  assert.deepEqual(readdirSync(directory), ['lab'])
})

test('keeps running until it is told to end, and leaves no process behind', async () => {
  const directory = join(root, 'interrupted')
  const { child, output, ended } = start('--json', '--dir', directory)
  while (!output.out.includes('"left running"') && child.exitCode === null) await sleep(50)
  assert.ok((await processesOf(directory)) > 0)
  child.kill('SIGINT')
  const { exitCode } = await ended
  assert.equal(exitCode, 0)
  assert.equal(await processesOf(directory), 0)
})

test('an interruption in the middle leaves no process behind', async () => {
  const directory = join(root, 'cut-short')
  const { child, output, ended } = start('--once', '--json', '--dir', directory)
  while (!output.out.includes('"keys and configuration"') && child.exitCode === null) await sleep(20)
  child.kill('SIGTERM')
  assert.equal((await ended).exitCode, 130)
  assert.equal(await processesOf(directory), 0)
})

async function processesOf(directory: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
  return stdout.split('\n').filter((line) => line.includes(directory) && !line.includes('--json')).length
}

test('refuses options that it does not have', () => {
  assert.throws(() => parseOptions(['--onse']), TypeError)
  assert.throws(() => parseOptions(['--dir', '']), TypeError)
  assert.deepEqual(parseOptions(['--once']), { once: true, json: false, directory: undefined, help: false })
})

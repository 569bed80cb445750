/** The README's walk with two nodes works as printed: every block of it, in one shell, in the order of the page. */
import { freePort } from './free-port.ts'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** Ports as the README prints them; other programs of this machine may have them. */
const printed = ['8443', '9443', '9001', '8081', '8082', '9081', '9082']

async function freePorts(count: number): Promise<string[]> {
  return (await Promise.all(Array.from({ length: count }, freePort))).map(String)
}

/** The blocks between a heading and the next. */
function blocksUnder(heading: string): string[] {
  const from = readme.indexOf(`\n## ${heading}\n`)
  const section = readme.slice(from, readme.indexOf('\n## ', from + 1))
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
}

/** The walk with free ports; those that the README leaves to their defaults are named. */
async function walk(): Promise<string> {
  const ports = await freePorts(printed.length)
  const named = blocksUnder('Two nodes by hand')
    .join('\n')
    .replace('--dir federation ', '--dir federation --local-port 8081 --admin-port 8082 ')
  return printed.reduce((script, port, at) => script.replaceAll(port, ports[at] ?? port), named)
}

async function runShell(script: string, folder: string): Promise<{ code: number | null; out: string; error: string }> {
  const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const said = { out: '', error: '' }
  child.stdout.on('data', (data: Buffer) => (said.out += data.toString('utf8')))
  child.stderr.on('data', (data: Buffer) => (said.error += data.toString('utf8')))
  const [code] = (await once(child, 'exit')) as [number | null]
  // A block that failed leaves what the earlier ones started.
  if (code !== 0 && child.pid !== undefined) process.kill(-child.pid)
  return { code, ...said }
}

test('the walk of the README ends as it says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'comity-readme-'))
  try {
    const { code, out, error } = await runShell(await walk(), folder)
    assert.equal(code, 0, `${out}\n${error}`)
    assert.match(out, /ready\nready\n/)
    assert.equal(out.match(/ is in-force: stations$/gm)?.length, 2)
    assert.match(out, /\{"id":7,"name":"Harbour","celsius":11\.4\}/)
    assert.match(out, /^comity-receipt: ey/m)
    assert.match(out, /✓ the exchange is entry \d+ of the log's \d+, under a signed checkpoint/)
    assert.match(out, /exchange +holder allowed did:web:localhost%3A\d+ stations getStation 200/)
    assert.match(out, /✓ every entry, every tile and the root hash belong together/)
    assert.match(out, /"code":"agreement-terminated"/)
    assert.ok(!out.includes('✗'), out)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
})

test('every block of the README is told as shell, so that none goes untested', () => {
  const kinds = [...readme.matchAll(/^```(\w*)/gm)].map((match) => match[1]).filter((kind) => kind !== '')
  assert.deepEqual(new Set(kinds), new Set(['sh', 'mermaid']))
  assert.deepEqual(
    blocksUnder('See it').map((block) => block.trim()),
    ['npm ci\nnpm run demo -- --once'],
  )
})

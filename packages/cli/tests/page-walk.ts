/** Runs the shell blocks of a page as a reader would: one after the other in one shell, on ports that are free. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

export const root = join(import.meta.dirname, '../../..')

export const readPage = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The shell blocks of a page or a part of it, in order. */
export function shellBlocks(page: string): string[] {
  return [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '')
}

/** What stands between a heading and the next. */
export function section(page: string, heading: string): string {
  const from = page.indexOf(`\n## ${heading}\n`)
  return page.slice(from, page.indexOf('\n## ', from + 1))
}

/** Kinds of the blocks of a page. */
export function blockKinds(page: string): Set<string> {
  return new Set([...page.matchAll(/^```(\w+)/gm)].map((match) => match[1] ?? ''))
}

/** Ports as the pages print them; other programs of this machine may have them. */
const printed = ['8443', '9443', '9001', '9002', '9003', '8081', '8082', '8083', '9081', '9082']

/** The script of the README's walk with ports that are free; those that it leaves to their defaults are named. */
async function onFreePorts(blocks: readonly string[]): Promise<string> {
  const ports = new Set<string>()
  while (ports.size < printed.length) ports.add(String(await freePort()))
  const instead = new Map([...ports].map((port, index) => [printed[index] ?? '', port]))
  return blocks
    .join('\n')
    .replace('--dir federation ', '--dir federation --local-port 8081 --admin-port 8082 ')
    .replaceAll(new RegExp(`(?<![0-9])(${printed.join('|')})(?![0-9])`, 'g'), (port) => instead.get(port) ?? port)
}

export interface Walked {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** Runs the blocks; nothing that they started or wrote stays. */
export async function walk(blocks: readonly string[]): Promise<Walked> {
  const folder = await mkdtemp(join(tmpdir(), 'comity-walk-'))
  try {
    return await runShell(await onFreePorts(blocks), folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

async function runShell(script: string, folder: string): Promise<Walked> {
  const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const said = { out: '', error: '' }
  child.stdout.on('data', (data: Buffer) => (said.out += data.toString('utf8')))
  child.stderr.on('data', (data: Buffer) => (said.error += data.toString('utf8')))
  const end = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid)
  }
  const tooLong = setTimeout(end, 300_000)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(tooLong)
  // A block that failed leaves what the earlier ones started.
  if (code !== 0) end()
  return { code, ...said }
}

/** Programs from outside npm that the long tests use: found in PATH, or installed with apt-get when run as root. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Tool {
  readonly name: string
  readonly neededFor: string
  /** Debian packages that bring it. */
  readonly packages: readonly string[]
  isThere(): boolean
}

const tools: readonly Tool[] = [
  {
    name: 'go',
    neededFor: 'the check of our log by golang.org/x/mod/sumdb',
    packages: ['golang-go', 'golang-golang-x-mod-dev'],
    isThere: () => isInPath('go'),
  },
  {
    name: 'nginx',
    neededFor: 'the bench against a proxy written in C',
    packages: ['nginx-light'],
    isThere: () => isInPath('nginx'),
  },
  {
    name: 'redis-server',
    neededFor: 'the check of limits that replicas share, on a real server',
    packages: ['redis-server'],
    isThere: () => ['redis-server', 'valkey-server'].some(isInPath),
  },
  {
    name: 'chromium',
    neededFor: "the check of the people's pages, with a passkey, in a browser",
    packages: ['chromium'],
    isThere: () => ['chromium', 'chromium-browser', 'google-chrome'].some(isInPath),
  },
]

/** Installs what is missing, if it may. Gives one line for each program that is still not there. */
export async function ensureTools(): Promise<string[]> {
  const missing = tools.filter((tool) => !tool.isThere())
  if (missing.length > 0 && process.getuid?.() === 0 && isInPath('apt-get')) install(missing)
  return missing
    .filter((tool) => !tool.isThere())
    .map((tool) => `${tool.name} is not here: ${tool.neededFor} cannot run (Debian: ${tool.packages.join(' ')})`)
}

function install(missing: readonly Tool[]): void {
  const packages = missing.flatMap((tool) => tool.packages)
  console.error(`installing ${packages.join(' ')}`)
  aptGet(['update', '-q'])
  aptGet(['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...packages])
}

/** A mirror that stalls must not stall the tests: each try has a time limit. */
function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (let tries = 0; tries < 3; tries++) {
    const { status } = spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 240_000 })
    if (status === 0) return
  }
}

function isInPath(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/go/bin']
  return folders.some((folder) => isExecutable(join(folder, name)))
}

function isExecutable(path: string): boolean {
  if (!existsSync(path)) return false
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

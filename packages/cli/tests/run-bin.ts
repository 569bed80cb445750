/** Runs `bin/comity.js` as a shell would: in a process of its own. */
import { freePort } from './free-port.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runQuietly } from '../src/test-terminal.ts'

const bin = fileURLToPath(new URL('../bin/comity.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** Starts the command in a directory. */
export function spawnCommand(directory: string, ...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [bin, ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', error: '' }
  child.stdout.on('data', (data: Buffer) => (said.out += data.toString('utf8')))
  child.stderr.on('data', (data: Buffer) => (said.error += data.toString('utf8')))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }))
  return { child, ended }
}

export interface StartedNode {
  readonly directory: string
  readonly did: string
  readonly fingerprint: string
  readonly ports: { readonly public: number; readonly local: number; readonly admin: number }
  /** Runs a command on this node's configuration, in this process. Throws with its words when it fails. */
  run(...args: string[]): Promise<string>
  /** The same with `--json`, parsed. */
  ask<T>(...args: string[]): Promise<T>
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Ended>
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort))
}

/** `comity init` and `comity start`, waiting until it is ready. */
export async function startNode(directory: string, ...initArguments: string[]): Promise<StartedNode> {
  const [outward = 0, local = 0, admin = 0] = await freePorts(3)
  const places = ['--local-port', String(local), '--admin-port', String(admin), '--address', '127.0.0.1']
  const url = ['--url', `https://localhost:${outward}`, '--allow-private', '127.0.0.0/8', '::1/128']
  const init = await spawnCommand('/', '--json', 'init', '--dir', directory, ...url, ...places, ...initArguments).ended
  if (init.code !== 0) throw new Error(init.error)
  const { did, fingerprint } = JSON.parse(init.out) as { did: string; fingerprint: string }
  const { child, ended } = spawnCommand(directory, 'start')
  const run = async (...args: string[]): Promise<string> => {
    const { code, out, error } = await runQuietly('-c', `${directory}/comity.yaml`, ...args)
    if (code !== 0) throw new Error(`${args.join(' ')}: ${error}${out}`)
    return out
  }
  for (let tries = 0; ; tries += 1) {
    if (child.exitCode !== null || tries === 1_200)
      throw new Error(`the node did not start: ${JSON.stringify(await ended)}`)
    if (await run('status').catch(() => undefined)) break
    await sleep(50)
  }
  return {
    directory,
    did,
    fingerprint,
    ports: { public: outward, local, admin },
    run,
    ask: async <T>(...args: string[]) => JSON.parse(await run('--json', ...args)) as T,
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

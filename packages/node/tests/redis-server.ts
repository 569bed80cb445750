/** A Redis or Valkey server of one's own, on loopback, nothing kept on the disk. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** SIGKILL: what it knew is gone. */
  kill(): Promise<void>
  /** Starts it anew at the same port. */
  start(): Promise<void>
  /** Stops it where it is (SIGSTOP), or lets it go on. */
  freeze(isFrozen: boolean): void
}

/** The server on the search path; undefined when there is none. */
export function findRedis(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const names = ['redis-server', 'valkey-server']
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path))
}

/** Starts one. Throws when there is none on this machine. */
export async function startRedis(): Promise<RedisServer> {
  const command = findRedis()
  if (command === undefined) throw new Error('there is no Redis here; Debian has it as `redis-server`')
  const folder = mkdtempSync(join(tmpdir(), 'comity-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const start = async () => {
    const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
    child = spawn(command, settings, { stdio: 'ignore' })
    await accepts(port)
  }
  const kill = async () => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    start,
    freeze: (isFrozen) => void child?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function accepts(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await connects(port)) return
    await sleep(25)
  }
  throw new Error(`nothing listens on port ${port} after 5 s`)
}

function connects(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

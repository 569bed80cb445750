/** A node as operators run it: the `comity start` of this checkout in a process of its own, to be killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))

/** The command as it is installed: with the options of its first line and its compile cache. Smaller than its sources
 *  run as they are, once the cache is warm. */
export function installedCommand(): readonly string[] {
  const file = fileURLToPath(new URL('../../cli/bin/comity.js', import.meta.url))
  const [, options = ''] = /^#!\/usr\/bin\/env -S node (.+)$/m.exec(readFileSync(file, 'utf8')) ?? []
  return [...options.split(' '), file]
}

export interface NodeProcess extends AsyncDisposable {
  readonly pid: number
  /** Milliseconds of the processor from the start of the process to its word that it is ready: what else the machine does
   *  is not in them. Of the clock, where the system has no `/proc`. */
  readonly readyMs: number
  readonly ports: { readonly local: number; readonly admin: number }
  /** Everything that it wrote to standard output, JSON lines. */
  logged(): string
  /** Everything that it wrote to standard error. */
  errors(): string
  signal(name: NodeJS.Signals): void
  /** How it ended. */
  readonly ended: Promise<Ending>
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>
}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

export interface ProcessOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Put before the command, such as `prlimit --fsize=…`. */
  readonly wrapper?: readonly string[]
  /** Milliseconds until it must be ready or have ended; 60,000 unless told. */
  readonly patienceMs?: number
  /** What Node is given; the command's sources unless told. */
  readonly command?: readonly string[]
}

function launch(configFile: string, { environment = {}, wrapper = [], command: file = [command] }: ProcessOptions) {
  const [program = '', ...args] = [...wrapper, process.execPath, ...file, '-c', configFile, 'start']
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
  const said = { out: '', error: '' }
  child.stdout.on('data', (data: Buffer) => (said.out += data.toString('utf8')))
  child.stderr.on('data', (data: Buffer) => (said.error += data.toString('utf8')))
  const ended = once(child, 'close').then(([code, signal]): Ending => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stderr: said.error,
  }))
  return { child, said, ended }
}

/** Starts a node and waits for its end: for those that must refuse to start. Kills it when it does not end. */
export async function startAndEnd(configFile: string, options: ProcessOptions = {}): Promise<Ending> {
  const { child, ended } = launch(configFile, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.patienceMs ?? 60_000)
  const ending = await ended
  clearTimeout(timer)
  return ending
}

function portsOf(line: string): { local: number; admin: number } {
  const { addresses } = JSON.parse(line) as { addresses: string[] }
  const port = (address: string | undefined) => Number(new URL(address ?? '').port)
  return { local: port(addresses[1]), admin: port(addresses[2]) }
}

/** `utime` and `stime` of proc_pid_stat(5), in hundredths of a second. */
function spentMs(pid = 0): number | undefined {
  try {
    const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    const fields = after.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return undefined
  }
}

/** Starts a node and waits until it says that it is ready. Throws with its words when it ends instead. */
export async function startProcess(configFile: string, options: ProcessOptions = {}): Promise<NodeProcess> {
  const startedMs = performance.now()
  const { child, said, ended } = launch(configFile, options)
  const started = Promise.withResolvers<string>()
  const look = () => {
    const line = said.out.split('\n').find((text) => text.includes('"event":"node.started"') && text.endsWith('}'))
    if (line !== undefined) started.resolve(line)
  }
  child.stdout.on('data', look)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.patienceMs ?? 60_000)
  const fail = ({ code, signal, stderr }: Ending) => {
    throw new Error(`the node did not start (${code ?? signal}): ${stderr}\n${said.out.slice(-2_000)}`)
  }
  const ports = portsOf(await Promise.race([started.promise, ended.then(fail)]))
  const readyMs = spentMs(child.pid) ?? performance.now() - startedMs
  clearTimeout(timer)
  child.stdout.off('data', look)
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    pid: child.pid ?? 0,
    readyMs,
    ports,
    logged: () => said.out,
    errors: () => said.error,
    signal: (name) => void child.kill(name),
    ended,
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

/** The processes that the demo starts: each writes to a log file of its own, and none outlives the demo. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ChildOptions {
  readonly name: string
  /** Program and arguments for the Node that runs the demo. */
  readonly args: readonly string[]
  readonly directory: string
  /** Where its output goes. */
  readonly logFile: string
  /** Answers 200 when the process is ready. */
  readonly readyUrl: string
}

export interface Child extends AsyncDisposable {
  readonly pid: number
}

const startLimitMs = 30_000
const stopLimitMs = 5_000
const running = new Set<ChildProcess>()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** Starts a process and waits until it is ready. Throws with the end of its log when it does not become so. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const log = openSync(options.logFile, 'a')
  const child = spawn(process.execPath, options.args, { cwd: options.directory, stdio: ['ignore', log, log] })
  closeSync(log)
  running.add(child)
  child.once('exit', () => running.delete(child))
  try {
    await untilReady(child, options)
  } catch (error) {
    await stop(child)
    throw error
  }
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: () => stop(child) }
}

async function untilReady(child: ChildProcess, { name, readyUrl, logFile }: ChildOptions): Promise<void> {
  const deadline = performance.now() + startLimitMs
  while (!hasEnded(child) && performance.now() < deadline) {
    if ((await statusOf(readyUrl)) === 200) return
    await sleep(20)
  }
  const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n')
  throw new Error(`${name} did not start${said === '' ? '' : `; it said:\n${said}`}`)
}

/** Over a connection of its own, so that none is kept open towards a process that is to stop. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 1_000 }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(undefined))
  })
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  await ended
  clearTimeout(timer)
}

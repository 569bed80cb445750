/** The processes that the bench starts: each announces itself by one line of JSON, each ends with the bench,
 *  whatever ends the bench. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A process under the bench's care; disposing it ends it and waits for its end. */
export interface BenchProcess extends AsyncDisposable {
  readonly pid: number
  readonly child: ChildProcess
}

const STARTUP_LIMIT_MS = 20_000
const SHUTDOWN_LIMIT_MS = 4_000

const running = new Set<ChildProcess>()
const folders = new Set<string>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Starts `command`; its standard error is the bench's. The process is killed when the bench exits by any way
 *  that runs exit handlers, and the bench's own children also end when their standard input closes. */
export function startProcess(
  command: string,
  args: readonly string[],
  options: { cwd?: string; environment?: NodeJS.ProcessEnv; messages?: boolean } = {},
): BenchProcess {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit', ...(options.messages === true ? ['ipc' as const] : [])],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.environment },
  })
  if (child.pid === undefined) throw new Error(`cannot start \`${command}\``)
  running.add(child)
  child.once('exit', () => running.delete(child))
  return { pid: child.pid, child, [Symbol.asyncDispose]: () => endProcess(child) }
}

/** Starts a TypeScript file of the bench with this very Node and waits for the line of JSON that it prints when it
 *  is ready. Throws when it exits first or takes more than 20 s. */
export async function startScript(
  file: string,
  args: readonly string[] = [],
): Promise<BenchProcess & { announcement: Record<string, unknown> }> {
  const started = startProcess(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args])
  try {
    return { ...started, announcement: await firstJsonLine(started.child, file) }
  } catch (cause) {
    await started[Symbol.asyncDispose]()
    throw cause
  }
}

function firstJsonLine(child: ChildProcess, name: string): Promise<Record<string, unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
  const timer = setTimeout(
    () => reject(new Error(`${name} was not ready within ${STARTUP_LIMIT_MS} ms`)),
    STARTUP_LIMIT_MS,
  )
  child.once('exit', (code, signal) => reject(new Error(`${name} ended before it was ready (${code ?? signal})`)))
  if (child.stdout === null) throw new Error(`${name} has no standard output`)
  createInterface({ input: child.stdout }).once('line', (line) => {
    child.stdout?.resume()
    try {
      resolve(JSON.parse(line) as Record<string, unknown>)
    } catch {
      reject(new Error(`${name} said: ${line}`))
    }
  })
  return promise.finally(() => clearTimeout(timer))
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const timer = setTimeout(() => child.kill('SIGKILL'), SHUTDOWN_LIMIT_MS)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}

/** A temporary folder that goes when it is disposed, or when the bench exits. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'comity-bench-'))
  folders.add(path)
  const remove = (): void => {
    rmSync(path, { recursive: true, force: true })
    folders.delete(path)
  }
  return { path, [Symbol.dispose]: remove }
}

/** Ends this process when the bench that started it is gone: its standard input then closes. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.exit()).resume()
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => process.exit())
}

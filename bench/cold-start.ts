/** How long a node takes from being spawned to being ready, and what memory it holds when it has nothing to do. */

import { get } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProcess, type BenchProcess } from './processes.ts'
import { residentMebibytes } from './proc.ts'
import { median } from './rounds.ts'

/** A node that is set up and can be started again and again. */
export interface StartableNode {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
  /** Answers 200 once the node is ready; HTTPS on loopback. */
  readonly readyUrl: string
}

export interface ColdStart {
  /** Median over the starts. */
  readonly readyMs: number
  readonly slowestReadyMs: number
  /** Resident memory after 5 idle seconds. */
  readonly residentMebibytes: number
  readonly starts: number
}

const READY_LIMIT_MS = 15_000
const IDLE_MS = 5_000

/** Starts and stops the node `starts` times; of the last one the memory is read. */
export async function measureColdStart(node: StartableNode, starts: number): Promise<ColdStart> {
  const readyMs: number[] = []
  let resident = 0
  for (let start = 1; start <= starts; start++) {
    await using started = await startNode(node)
    readyMs.push(started.readyMs)
    if (start < starts) continue
    await sleep(IDLE_MS)
    resident = residentMebibytes(started.pid)
  }
  return { readyMs: median(readyMs), slowestReadyMs: Math.max(...readyMs), residentMebibytes: resident, starts }
}

/** Starts the node; resolves when it says that it is ready, with the milliseconds since the spawn. Throws when it
 *  ends first or takes more than 15 s. */
export async function startNode(node: StartableNode): Promise<BenchProcess & { readyMs: number }> {
  const spawnedAt = performance.now()
  const { command, args, cwd, environment, readyUrl } = node
  const started = startProcess(command, args, { cwd, environment })
  started.child.stdout?.resume()
  while (started.child.exitCode === null && performance.now() - spawnedAt < READY_LIMIT_MS) {
    if (await isReady(readyUrl)) return { ...started, readyMs: performance.now() - spawnedAt }
    await sleep(4)
  }
  await started[Symbol.asyncDispose]()
  throw new Error(`the node was not ready (exit code ${started.child.exitCode ?? 'none'})`)
}

/** Whoever answers on loopback is the node that was just started, so its certificate is not judged. */
function isReady(url: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
    answer.resume()
    resolve(answer.statusCode === 200)
  }).on('error', () => resolve(false))
  return promise
}

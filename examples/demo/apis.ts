/** The APIs behind the demo's federation: two unmodified `json-server` processes from npm, which know nothing of
 *  Comity. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, closeSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { writeAthletesDatabase, writeElectricityDatabase } from './data.ts'

export interface DemoApis extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, with `/athletes`, `/athletes/{id}`, `/observations`. */
  readonly athletesUrl: string
  /** `http://127.0.0.1:<port>`, with `/generation`. */
  readonly electricityUrl: string
}

/** The descriptions of the two APIs, OpenAPI 3.1 in YAML. */
export const athletesOpenApi = fileURLToPath(new URL('openapi/athletes.yaml', import.meta.url))
export const electricityOpenApi = fileURLToPath(new URL('openapi/electricity.yaml', import.meta.url))

const START_LIMIT_MS = 15_000
const running = new Set<ChildProcess>()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** Converts the data into `folder` (made if missing) and starts both APIs at once; disposing ends them. What they
 *  print goes to `<name>.log` in the folder. */
export async function startDemoApis(folder: string): Promise<DemoApis> {
  mkdirSync(folder, { recursive: true })
  await using started = new AsyncDisposableStack()
  const [athletes, electricity] = await Promise.allSettled([
    startJsonServer(writeAthletesDatabase(folder), { folder, name: 'athletes', readyPath: '/athletes?_limit=1' }),
    startJsonServer(writeElectricityDatabase(folder), {
      folder,
      name: 'electricity',
      readyPath: '/generation?_limit=1',
    }),
  ])
  for (const result of [athletes, electricity]) if (result.status === 'fulfilled') started.use(result.value)
  if (athletes.status === 'rejected') throw athletes.reason
  if (electricity.status === 'rejected') throw electricity.reason
  const owned = started.move()
  return {
    athletesUrl: athletes.value.url,
    electricityUrl: electricity.value.url,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Naming {
  readonly folder: string
  readonly name: string
  readonly readyPath: string
}

async function startJsonServer(database: string, naming: Naming): Promise<AsyncDisposable & { url: string }> {
  const port = await freePort()
  const program = fileURLToPath(new URL('../../node_modules/json-server/lib/cli/bin.js', import.meta.url))
  const log = openSync(join(naming.folder, `${naming.name}.log`), 'a')
  const args = [program, database, '--host', '127.0.0.1', '--port', String(port), '--quiet', '--no-cors']
  const child = spawn(process.execPath, args, { cwd: naming.folder, stdio: ['ignore', log, log] })
  closeSync(log)
  running.add(child)
  child.once('exit', () => running.delete(child))
  const url = `http://127.0.0.1:${port}`
  try {
    await untilAnswers(`${url}${naming.readyPath}`, child)
  } catch (cause) {
    await end(child)
    throw new Error(`the ${naming.name} API did not start, see ${join(naming.folder, `${naming.name}.log`)}`, { cause })
  }
  return { url, [Symbol.asyncDispose]: () => end(child) }
}

async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.ok === true) return
    await sleep(25)
  }
  throw new Error(`no answer from ${url}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** A port that was free a moment ago: `json-server` does not tell which one it got. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

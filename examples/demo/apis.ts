/** The APIs behind the demo's federation: two unmodified `json-server` processes from npm, which know nothing of
 *  Comity. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeAthletesDatabase, writeElectricityDatabase } from './data.ts'
import { startChild } from './stage/children.ts'
import { freePort } from './stage/ports.ts'

export interface DemoApis extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, with `/athletes`, `/athletes/{id}`, `/observations`. */
  readonly athletesUrl: string
  /** `http://127.0.0.1:<port>`, with `/generation`. */
  readonly electricityUrl: string
}

/** The descriptions of the APIs, OpenAPI 3.1 in YAML. */
export const athletesOpenApi = fileURLToPath(new URL('openapi/athletes.yaml', import.meta.url))
/** The athletes' API as it is offered for one person a call. */
export const profileOpenApi = fileURLToPath(new URL('openapi/profile.yaml', import.meta.url))
export const electricityOpenApi = fileURLToPath(new URL('openapi/electricity.yaml', import.meta.url))

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
  const { folder, name, readyPath } = naming
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const program = fileURLToPath(new URL('../../node_modules/json-server/lib/cli/bin.js', import.meta.url))
  const child = await startChild({
    name: `the ${name} API`,
    args: [program, database, '--host', '127.0.0.1', '--port', String(port), '--quiet', '--no-cors'],
    directory: folder,
    logFile: join(folder, `${name}.log`),
    readyUrl: `${url}${readyPath}`,
  })
  return { url, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

/** Runs a node in this process until SIGTERM or SIGINT. Here the real world enters: clock, randomness, environment. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as ConfigModule from './config/config.ts'
import { readConfigFile } from './config/config-file.ts'
import { readEnvironment } from './config/environment.ts'
import type * as NodeModule from './node.ts'
import type * as KeysModule from './assembly/configured-keys.ts'
import { giveBackStart } from './assembly/start-garbage.ts'
import { unlockAhead } from './assembly/unlock-ahead.ts'
import { pooledRandomBytes } from './assembly/world.ts'
import { guardLastWords } from './telemetry/last-words.ts'

const loadNow = createRequire(import.meta.url)

/** Version of the node, from its package. */
export function nodeVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** The first signal to stop. Those that follow change nothing: a drain is not begun twice, nor cut short. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.on('SIGTERM', resolve)
    process.on('SIGINT', resolve)
  })
}

/** Starts the node that the configuration describes and returns when it has stopped. */
export async function runNode(configFile: string): Promise<void> {
  guardLastWords(process, Date)
  // From here on, so that a signal during the start ends in an orderly stop too.
  const signal = stopSignal()
  const environment = readEnvironment()
  const read = await readConfigFile(configFile)
  // What costs the first thread most is to load code, of which as little as can be has been until here: it goes on while
  // another thread makes a key of the passphrase. At once, since hundreds of files load a tenth faster without a promise
  // for each.
  const ahead = await unlockAhead(read, environment)
  const { checkConfig } = loadNow('./config/config.ts') as typeof ConfigModule
  const config = await checkConfig(read, environment)
  const world = { clock: Date, randomBytes: pooledRandomBytes() }
  const { openConfiguredKeyStore } = loadNow('./assembly/configured-keys.ts') as typeof KeysModule
  const keyStore = await openConfiguredKeyStore({ config, environment, ...world, ahead })
  const { startNode } = loadNow('./node.ts') as typeof NodeModule
  const node = await startNode({ config, environment, version: nodeVersion(), world, keyStore })
  giveBackStart()
  await node.stop(await signal)
}

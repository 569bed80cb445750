/** Runs a node in this process until SIGTERM or SIGINT. Here the real world enters: clock, randomness, environment. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { loadConfig } from './config/config.ts'
import { readEnvironment } from './config/environment.ts'
import type * as NodeModule from './node.ts'
import { openConfiguredKeyStore } from './assembly/configured-keys.ts'
import { giveBackStart } from './assembly/start-garbage.ts'
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
  const config = await loadConfig(configFile, environment)
  const world = { clock: Date, randomBytes: pooledRandomBytes() }
  const keyStore = await openConfiguredKeyStore({ config, environment, ...world })
  // A passphrase takes a tenth of a second and more to become a key, on another thread, which has begun when `load` gives
  // its promise: the node's code is loaded meanwhile. What is wrong with the keys shows when the node reads them.
  keyStore.load().catch(() => undefined)
  // At once: hundreds of files load a tenth faster without a promise for each.
  const { startNode } = loadNow('./node.ts') as typeof NodeModule
  const node = await startNode({ config, environment, version: nodeVersion(), world, keyStore })
  giveBackStart()
  await node.stop(await signal)
}

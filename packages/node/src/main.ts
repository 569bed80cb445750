/** Runs a node in this process until SIGTERM or SIGINT. Here the real world enters: clock, randomness, environment. */
import { readFileSync } from 'node:fs'
import { loadConfig } from './config/config.ts'
import { readEnvironment } from './config/environment.ts'
import { pooledRandomBytes } from './assembly/world.ts'
import { startNode, type RunningNode } from './node.ts'

/** Version of the node, from its package. */
export function nodeVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function untilSignal(node: RunningNode): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (signal: NodeJS.Signals): void => {
      node.stop(signal).then(resolve, reject)
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
}

/** Starts the node that the configuration describes and returns when it has stopped. */
export async function runNode(configFile: string): Promise<void> {
  const environment = readEnvironment()
  const config = await loadConfig(configFile, environment)
  const node = await startNode({
    config,
    environment,
    version: nodeVersion(),
    world: { clock: Date, randomBytes: pooledRandomBytes() },
  })
  await untilSignal(node)
}

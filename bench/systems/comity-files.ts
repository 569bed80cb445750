/** The configuration of the node under test: one product open to anyone, one for partners, both over the upstream. */

import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { payloadPath } from '../upstream/payload.ts'
import { CONNECTIONS } from './system.ts'

/** Ports of the node, all on loopback. */
export interface NodePorts {
  readonly public: number
  readonly local: number
  readonly admin: number
}

export interface HolderSettings {
  readonly ports: NodePorts
  readonly did: string
  readonly upstreamPort: number
  /** DID of the partner that the load generator plays. */
  readonly partner: string
}

/** Name of the environment variable that the node reads its keys' passphrase from. */
export const PASSPHRASE_VARIABLE = 'COMITY_PASSPHRASE'

/** The path of a product's one operation, as a caller sees it. */
export function productPath(product: 'bench-public' | 'bench-partner'): string {
  return `/x/${product}${payloadPath}`
}

/** Writes `comity.yaml` and what it refers to into `folder`. Limits are so high that nothing is ever refused. */
export function writeHolderFiles(folder: string, { ports, did, upstreamPort, partner }: HolderSettings): void {
  copyFileSync(fileURLToPath(new URL('readings.yaml', import.meta.url)), join(folder, 'readings.yaml'))
  const rate = { requests: 10_000_000, perSeconds: 1 }
  const product = {
    title: 'Readings',
    version: '1.0.0',
    upstream: `http://127.0.0.1:${upstreamPort}`,
    openapi: './readings.yaml',
    limits: { concurrency: 4 * CONNECTIONS, rate },
  }
  const configuration = {
    comity: 1,
    participant: { did, name: 'Bench' },
    listen: {
      public: { address: '127.0.0.1', port: ports.public, url: `https://localhost:${ports.public}` },
      local: { address: '127.0.0.1', port: ports.local },
      admin: { address: '127.0.0.1', port: ports.admin },
    },
    keys: { directory: 'keys', passphrase: { env: PASSPHRASE_VARIABLE } },
    storage: { directory: 'data' },
    log: { directory: 'log' },
    network: { allowPrivateAddresses: ['127.0.0.0/8'] },
    products: [
      { id: 'bench-public', class: 'public', ...product },
      { id: 'bench-partner', class: 'partner', ...product },
    ],
    partners: [{ alias: 'load', did: partner }],
    limits: { perAddress: rate },
    telemetry: { level: 'warn' },
  }
  writeFileSync(join(folder, 'comity.yaml'), stringify(configuration))
}

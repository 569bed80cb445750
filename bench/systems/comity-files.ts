/** What the bench adds to the configuration that `comity init` wrote: one product open to anyone, one for partners,
 *  one about people, all over the upstream, and the partners. */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { payloadPath } from '../upstream/payload.ts'
import { CONNECTIONS } from './system.ts'

export type BenchProduct = 'bench-public' | 'bench-partner' | 'bench-personal'

/** The path of a product's one operation, as a caller sees it. */
export function productPath(product: BenchProduct, path = payloadPath): string {
  return `/x/${product}${path}`
}

/** The meter is withheld from who may read what was used. */
const personal = {
  subject: { in: 'path', name: 'id' },
  domains: { 'identity.meter': ['id', 'meter'], energy: ['unit', 'readings[].at', 'readings[].kwh'] },
}

/** So high that nothing is refused. */
const rate = { requests: 10_000_000, perSeconds: 1 }

const classes: Readonly<Record<BenchProduct, object>> = {
  'bench-public': { class: 'public' },
  'bench-partner': { class: 'partner', keys: 'plain' },
  'bench-personal': { class: 'personal', personal },
}

export interface PartnerEntry {
  readonly alias: string
  readonly did: string
  readonly url: string
  readonly fingerprints?: readonly string[]
}

export interface BenchConfiguration {
  readonly upstreamPort: number
  readonly products: readonly BenchProduct[]
  readonly partners: readonly PartnerEntry[]
}

/** Completes `comity.yaml` in `folder`. */
export function completeConfiguration(folder: string, { upstreamPort, products, partners }: BenchConfiguration): void {
  copyFileSync(fileURLToPath(new URL('readings.yaml', import.meta.url)), join(folder, 'readings.yaml'))
  const file = join(folder, 'comity.yaml')
  const common = {
    title: 'Readings',
    version: '1.0.0',
    upstream: `http://127.0.0.1:${upstreamPort}`,
    openapi: './readings.yaml',
    limits: { concurrency: 4 * CONNECTIONS, rate },
  }
  const configuration: object = {
    ...(parse(readFileSync(file, 'utf8')) as object),
    products: products.map((id) => ({ id, ...classes[id], ...common })),
    partners,
    limits: { perAddress: rate, consentRequests: rate },
    telemetry: { level: 'warn' },
  }
  writeFileSync(file, stringify(configuration, { aliasDuplicateObjects: false }))
}

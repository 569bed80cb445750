/** What the bench is told on its command line. */

import { parseArgs } from 'node:util'
import type { Pace } from './rounds.ts'

export interface BenchOptions {
  /** One object a line on standard output, nothing else there. */
  readonly json: boolean
  /** Names of the only systems to measure; `bare-node` is always among them. Empty: all. */
  readonly only: readonly string[]
  readonly pace: Pace
  /** How often a node is started to time it. */
  readonly coldStarts: number
  readonly logMsPerBatch: number
  /** For each kind of call under consent. */
  readonly consentPace: Pace
  /** People who withdraw while a call is made, and as many while the delegate's node is watched. */
  readonly withdrawalPairs: number
  /** Whether holders of a hundred thousand consents are filled, which takes a minute. */
  readonly sizes: boolean
}

/** V8 optimises the longest code path last; what it spends on that belongs to no request. */
const quickPace: Pace = { rounds: 3, warmUpMs: 1500, roundMs: 900 }
const quickConsentPace: Pace = { rounds: 3, warmUpMs: 300, roundMs: 400 }
const fullConsentPace: Pace = { rounds: 7, warmUpMs: 2000, roundMs: 1000 }
const fullPace: Pace = { rounds: 9, warmUpMs: 5000, roundMs: 2000 }

export const usage = `npm run bench -- [--quick] [--json] [--only NAME[,NAME…]]

  --quick   three short rounds, under 60 s in all
  --json    one JSON object a line
  --only    measure these systems only (bare-node always is); bare-node-tls, its like over TLS, only so
`

/** Throws with a sentence for the user when an argument is unknown. */
export function parseBenchArguments(args: readonly string[]): BenchOptions {
  const options = { quick: { type: 'boolean' }, json: { type: 'boolean' }, only: { type: 'string' } } as const
  const { values } = parseArgs({ args: [...args], options, strict: true })
  const quick = values.quick ?? false
  const only = values.only === undefined ? [] : ['bare-node', ...values.only.split(',')]
  const extent = quick
    ? {
        pace: quickPace,
        coldStarts: 3,
        logMsPerBatch: 500,
        consentPace: quickConsentPace,
        withdrawalPairs: 3,
        sizes: false,
      }
    : {
        pace: fullPace,
        coldStarts: 7,
        logMsPerBatch: 2000,
        consentPace: fullConsentPace,
        withdrawalPairs: 25,
        sizes: true,
      }
  return { json: values.json ?? false, only, ...extent }
}

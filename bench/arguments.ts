/** What the bench is told on its command line. */

import { parseArgs } from 'node:util'
import type { Pace } from './rounds.ts'

export interface BenchOptions {
  /** One object a line on standard output, nothing else there. */
  readonly json: boolean
  /** Names of the only systems to measure; `bare-node` is always among them. Empty: all. */
  readonly only: readonly string[]
  /** What is measured only when it is asked for by `only`. */
  readonly leftOut: readonly string[]
  readonly pace: Pace
  /** How often a node is started to time it. */
  readonly coldStarts: number
  readonly logMsPerBatch: number
  /** For each kind of call under consent. */
  readonly consentPace: Pace
  /** Lengths of the chains of tokens that are shown. */
  readonly chains: readonly number[]
  /** People who withdraw while a call is made, and as many while the delegate's node is watched. */
  readonly withdrawalPairs: number
  /** Whether holders of a hundred thousand consents are filled, which takes a minute. */
  readonly sizes: boolean
  /** Sizes of the sets of policies. */
  readonly policies: readonly number[]
  /** For each size of a set of policies and each engine. */
  readonly policyPace: { readonly rounds: number; readonly stretchMs: number }
  /** Sizes of sealed contents in KiB; the first is 1. */
  readonly sealingKiB: readonly number[]
  /** An answer that is streamed: its length, and how often. */
  readonly stream: { readonly bytes: number; readonly rounds: number }
}

type Extent = Omit<BenchOptions, 'json' | 'only'>

/** V8 optimises the longest code path last; what it spends on that belongs to no request. */
const quick: Extent = {
  // Each starts nodes of its own, prepares thousands of calls, and alone takes half of the minute.
  leftOut: ['consents', 'credentials'],
  pace: { rounds: 3, warmUpMs: 1000, roundMs: 500 },
  coldStarts: 2,
  logMsPerBatch: 300,
  consentPace: { rounds: 3, warmUpMs: 400, roundMs: 300 },
  chains: [1, 3],
  withdrawalPairs: 3,
  sizes: false,
  policies: [10, 100],
  policyPace: { rounds: 3, stretchMs: 30 },
  sealingKiB: [1, 64],
  stream: { bytes: 10_000_000, rounds: 1 },
}
const full: Extent = {
  leftOut: [],
  pace: { rounds: 9, warmUpMs: 5000, roundMs: 2000 },
  coldStarts: 7,
  logMsPerBatch: 2000,
  consentPace: { rounds: 7, warmUpMs: 2000, roundMs: 1000 },
  chains: [1, 2, 3],
  withdrawalPairs: 25,
  sizes: true,
  policies: [10, 100, 1_000],
  policyPace: { rounds: 9, stretchMs: 300 },
  sealingKiB: [1, 16, 256, 1024],
  stream: { bytes: 100_000_000, rounds: 3 },
}

export const usage = `npm run bench -- [--quick] [--json] [--only NAME[,NAME…]]

  --quick   three short rounds, under 60 s in all; consents and credentials only when asked for by --only
  --json    one JSON object a line
  --only    measure these systems only (bare-node always is); bare-node-tls, its like over TLS, only so;
            consents stands for what is measured of them beside comity-personal, policies for their decisions,
            minimisation, sealing, limits, credentials and streams for what these cost
`

/** Throws with a sentence for the user when an argument is unknown. */
export function parseBenchArguments(args: readonly string[]): BenchOptions {
  const options = { quick: { type: 'boolean' }, json: { type: 'boolean' }, only: { type: 'string' } } as const
  const { values } = parseArgs({ args: [...args], options, strict: true })
  const only = values.only === undefined ? [] : ['bare-node', ...values.only.split(',')]
  return { json: values.json ?? false, only, ...(values.quick === true ? quick : full) }
}

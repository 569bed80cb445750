/** Counts what was refused before anyone was identified, and writes the counts to the log as one event per period:
 *  a flood must not be able to fill the log, and must not go unrecorded either. */
import type { ProblemCode } from '@comity/core/problems'

export interface RefusalTally {
  count(code: ProblemCode, remoteAddress: string): void
  /** The counts since the last call and a clean slate, or undefined when there were none. */
  take(nowMs: number): RefusalCounts | undefined
  /** Counts again what was taken and could not be written. */
  giveBack(taken: RefusalCounts): void
}

/** Body of a log event of type `refusals`. Addresses are counted, never named: they are personal data. */
export interface RefusalCounts {
  readonly v: 1
  readonly fromMs: number
  readonly untilMs: number
  readonly counts: Readonly<Record<string, number>>
  /** Different addresses seen, at least; counted up to 1,000. */
  readonly addresses: number
}

const maxAddresses = 1_000

export function createRefusalTally(startedAtMs: number): RefusalTally {
  let counts: Record<string, number> = {}
  let addresses = new Set<string>()
  /** Addresses of counts that were given back; which they were is not known any more. */
  let earlierAddresses = 0
  let fromMs = startedAtMs
  return {
    count(code, remoteAddress) {
      counts[code] = (counts[code] ?? 0) + 1
      if (addresses.size < maxAddresses) addresses.add(remoteAddress)
    },
    take(nowMs) {
      const seen = Math.min(maxAddresses, Math.max(earlierAddresses, addresses.size))
      const taken = { v: 1 as const, fromMs, untilMs: nowMs, counts, addresses: seen }
      fromMs = nowMs
      if (taken.addresses === 0) return undefined
      counts = {}
      addresses = new Set()
      earlierAddresses = 0
      return taken
    },
    giveBack(taken) {
      for (const [code, count] of Object.entries(taken.counts)) counts[code] = (counts[code] ?? 0) + count
      earlierAddresses = Math.max(earlierAddresses, taken.addresses)
      fromMs = taken.fromMs
    },
  }
}

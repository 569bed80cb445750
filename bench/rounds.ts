/** Measures the systems in turn, round after round (A B C A B C …), so that what the machine does meanwhile hits all
 *  alike, and takes medians of what the rounds say; ratios are taken within a round. */

import type { LoadGenerator } from './load/generator.ts'
import { cpuSeconds, machineTicks } from './proc.ts'
import type { SystemUnderTest } from './systems/system.ts'

export interface Sample {
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU of the load generator per request, to see that it was not the bottleneck. */
  readonly loadMicrosPerRequest: number
  /** Share of the machine's time that its hypervisor gave to others. */
  readonly stolen: number
}

export interface Summary extends Sample {
  readonly name: string
  /** CPU per request by that of the bare Node proxy, or of another unit: median of the ratios of each round. */
  readonly ratioToBareNode: number
  readonly throughputRatio: number
}

export interface Pace {
  readonly rounds: number
  readonly warmUpMs: number
  readonly roundMs: number
}

export interface RoundsOptions {
  readonly onRound: (round: number) => void
  /** The system that the ratios are to. */
  readonly unit?: string
}

export async function measureInTurn(
  systems: readonly SystemUnderTest[],
  generator: LoadGenerator,
  { rounds, warmUpMs, roundMs, onRound, unit = 'bare-node' }: Pace & RoundsOptions,
): Promise<Summary[]> {
  const samples = new Map<string, Sample[]>(systems.map(({ name }) => [name, []]))
  const expected = new Map<string, number>()
  for (const system of systems) {
    const { requestsPerSecond } = await measure(system, generator, { durationMs: warmUpMs, ahead: 2000 })
    expected.set(system.name, requestsPerSecond)
  }
  for (let round = 1; round <= rounds; round++) {
    onRound(round)
    for (const system of systems) {
      const ahead = Math.ceil(((expected.get(system.name) ?? 0) * 1.5 * roundMs) / 1000)
      samples.get(system.name)?.push(await measure(system, generator, { durationMs: roundMs, ahead }))
    }
  }
  const bare = samples.get(unit) ?? []
  return systems.map(({ name }) => summarise(name, samples.get(name) ?? [], bare))
}

/** Throws when a single request of the run failed: figures of refusals would be worth nothing. */
async function measure(
  { name, pid, plan }: SystemUnderTest,
  generator: LoadGenerator,
  { durationMs, ahead }: { durationMs: number; ahead: number },
): Promise<Sample> {
  await generator.prepare(await plan(ahead), ahead)
  const machineBefore = machineTicks()
  const cpuBefore = cpuSeconds(pid)
  const result = await generator.run(durationMs)
  const cpu = cpuSeconds(pid) - cpuBefore
  const machine = machineTicks()
  await generator.close()
  const failures = Object.entries(result.failures).map(([reason, count]) => `${count} × ${reason}`)
  if (failures.length > 0) throw new Error(`${name}: of ${result.requests} requests failed ${failures.join(', ')}`)
  return {
    requestsPerSecond: result.requests / result.seconds,
    cpuMicrosPerRequest: (cpu / result.requests) * 1e6,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    loadMicrosPerRequest: (result.ownCpuSeconds / result.requests) * 1e6,
    stolen: (machine.stolen - machineBefore.stolen) / Math.max(1, machine.all - machineBefore.all),
  }
}

function summarise(name: string, samples: readonly Sample[], bare: readonly Sample[]): Summary {
  const over = (pick: (sample: Sample) => number): number => median(samples.map(pick))
  const ratio = (pick: (sample: Sample) => number): number =>
    median(samples.map((sample, round) => pick(sample) / pick(bare[round] ?? sample)))
  return {
    name,
    requestsPerSecond: over((sample) => sample.requestsPerSecond),
    cpuMicrosPerRequest: over((sample) => sample.cpuMicrosPerRequest),
    p50Ms: over((sample) => sample.p50Ms),
    p99Ms: over((sample) => sample.p99Ms),
    loadMicrosPerRequest: over((sample) => sample.loadMicrosPerRequest),
    stolen: over((sample) => sample.stolen),
    ratioToBareNode: ratio((sample) => sample.cpuMicrosPerRequest),
    throughputRatio: ratio((sample) => sample.requestsPerSecond),
  }
}

/** The middle value; the mean of the two middle ones of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

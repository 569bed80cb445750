/** What one call costs the processor, measured over many. */

/** CPU microseconds of a call over one stretch of at least so many milliseconds: of all threads, so with what garbage it
 *  makes. */
export function microsOf(call: () => unknown, stretchMs: number): number {
  const before = process.cpuUsage()
  const endsAt = performance.now() + stretchMs
  let count = 0
  for (; performance.now() < endsAt; count += 4) for (let i = 0; i < 4; i++) call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** One thing that is measured. */
export interface Variant {
  readonly name: string
  readonly call: () => unknown
}

/** What was measured of it: median CPU microseconds, and the median ratio to the unit of the same round. */
export interface MeasuredVariant {
  readonly name: string
  readonly micros: number
  readonly ratio: number
}

/** Measures all in turn, round after round, after one to warm up. `unit` names the variant whose cost is 1. */
export function measureVariants(
  variants: readonly Variant[],
  unit: string,
  { rounds, stretchMs }: { readonly rounds: number; readonly stretchMs: number },
): MeasuredVariant[] {
  const samples = variants.map((): number[] => [])
  for (const { call } of variants) microsOf(call, stretchMs)
  for (let round = 0; round < rounds; round++) {
    for (const [at, { call }] of variants.entries()) samples[at]?.push(microsOf(call, stretchMs))
  }
  const unitSamples = samples[variants.findIndex(({ name }) => name === unit)] ?? []
  return variants.map(({ name }, at) => {
    const own = samples[at] ?? []
    return { name, micros: median(own), ratio: median(own.map((micros, round) => micros / (unitSamples[round] ?? 0))) }
  })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** What a decision of policies costs by the size of the set, by either engine, cold and remembered. */
import { microsOf } from '../micros.ts'
import { decidePolicy, usableSet } from '@comity/node/policy/decisions/decide-policy'
import { cedarEngine } from '@comity/node/policy/engine/cedar-engine'
import { compiledEngine } from '@comity/node/policy/engine/compiled-engine'
import type { PolicyEngine } from '@comity/node/policy/engine/policy-engine'
import { PolicyDecider } from '@comity/node/policy/policies'
import type { BenchOptions } from '../arguments.ts'
import { rounded, table } from '../report.ts'
import { median } from '../rounds.ts'
import { calls, makeSet, type SizedSet } from './sets.ts'

interface Variant {
  /** `policy-compiled-100-cold`. */
  readonly name: string
  readonly sized: SizedSet
  readonly engine: PolicyEngine['kind']
  readonly isCold: boolean
  /** Decides about the next call. */
  readonly decide: () => unknown
}

/** CPU microseconds of one decision, and its ratio to the unit in the same round. */
interface Measured extends Variant {
  readonly micros: number
  readonly ratio: number
}

/** The compiled engine with ten policies, nothing remembered. */
const unit = 'policy-compiled-10-cold'

/** Prepares the sets, then measures all in turn, round after round. */
export async function benchPolicies(options: BenchOptions, note: (text: string) => void): Promise<void> {
  const sets: SizedSet[] = []
  for (const count of options.policies) sets.push(await makeSet(count))
  const variants = sets.flatMap((sized) => [...variantsOf(sized, compiledEngine), ...variantsOf(sized, cedarEngine)])
  const { rounds, stretchMs } = options.policyPace
  const samples = variants.map((): number[] => [])
  for (const { decide } of variants) microsOf(decide, stretchMs)
  for (let round = 1; round <= rounds; round++) {
    note(`policies: round ${round} of ${rounds}`)
    for (const [at, { decide }] of variants.entries()) samples[at]?.push(microsOf(decide, stretchMs))
  }
  const unitSamples = samples[variants.findIndex(({ name }) => name === unit)] ?? []
  const measured = variants.map((variant, at): Measured => {
    const own = samples[at] ?? []
    const ratio = median(own.map((micros, round) => micros / (unitSamples[round] ?? Number.NaN)))
    return { ...variant, micros: median(own), ratio }
  })
  if (options.json) printLines(measured)
  else printTable(measured)
}

function variantsOf(sized: SizedSet, engineOf: (set: SizedSet['set']) => PolicyEngine): Variant[] {
  const engine = engineOf(sized.set)
  const usable = usableSet(sized.set, 1, engine)
  const decider = deciderOf(sized, engine)
  const name = `policy-${engine.kind}-${sized.count}`
  const ofAll = { sized, engine: engine.kind }
  return [
    {
      ...ofAll,
      name: `${name}-cold`,
      isCold: true,
      decide: inTurn(({ question, relations }) => decidePolicy(usable, question, relations).verdict),
    },
    { ...ofAll, name: `${name}-cached`, isCold: false, decide: inTurn(({ question }) => decider.decide(question)) },
  ]
}

/** As the node has it, without the trail in the database. */
function deciderOf({ set }: SizedSet, engine: PolicyEngine): PolicyDecider {
  const known = new Map(calls.map(({ question, relations }) => [question, relations]))
  const decider = new PolicyDecider({
    engineOf: () => engine,
    relationships: () => ({ of: (question) => known.get(question)! }),
    decisions: { insert: () => ({ sql: '' }), prune: () => ({ sql: '' }) },
    execute: async () => {},
    clock: { now: () => 0 },
    options: { keepDecisions: 0, remembered: { values: 1_000, characters: 8_388_608 } },
    onFailure: ({ reason }) => {
      throw new Error(reason)
    },
  })
  decider.makeUsable(set, 1)()
  for (const { question } of calls) void decider.decide(question)
  return decider
}

function inTurn(decide: (call: (typeof calls)[number]) => unknown): () => unknown {
  let next = 0
  return () => decide(calls[next++ % calls.length]!)
}

function printLines(measured: readonly Measured[]): void {
  for (const { name, micros, ratio, sized } of measured) {
    const figures = { cpuMicros: rounded(micros, 2), ratio: rounded(ratio, 2), ratioTo: unit }
    console.log(JSON.stringify({ name, ...figures, preparedMs: Math.round(sized.preparedMs) }))
  }
}

function printTable(measured: readonly Measured[]): void {
  const head = ['policies', 'engine', 'cold µs', 'ratio', 'remembered µs', 'ratio', 'prepared ms']
  const cold = measured.filter(({ isCold }) => isCold)
  const rows = cold.map(({ name, sized, engine, micros, ratio }) => {
    const cached = measured.find((other) => other.name === name.replace('-cold', '-cached'))
    const ofCached = [(cached?.micros ?? Number.NaN).toFixed(1), `${(cached?.ratio ?? Number.NaN).toFixed(2)}×`]
    return [
      String(sized.count),
      engine,
      micros.toFixed(1),
      `${ratio.toFixed(2)}×`,
      ...ofCached,
      sized.preparedMs.toFixed(0),
    ]
  })
  console.log(`
Decisions of policies about calls of ${calls.length} callers, CPU of each; ratios are to the compiled engine with ten policies.
Prepared is what a changed set takes once, in a process of its own.

${table([head, ...rows])}`)
}

/** What consent costs by the length of chains and by the number of consents, and how fast a withdrawal bites. */

import type { BenchOptions } from '../arguments.ts'
import type { LoadGenerator } from '../load/generator.ts'
import { ratioTable, rounded, summaryForPrograms } from '../report.ts'
import { measureInTurn, type Summary } from '../rounds.ts'
import type { ConsentedPartner } from '../systems/comity.ts'
import type { SystemUnderTest } from '../systems/system.ts'
import { chainSystems, chainUnit } from './chains.ts'
import { measureWithdrawals } from './withdrawal.ts'
import { sizeUnit, startFilledHolder, type FilledHolder } from './sizes.ts'

export interface ConsentBenchParts {
  readonly options: BenchOptions
  readonly generator: LoadGenerator
  readonly upstreamPort: number
  readonly note: (text: string) => void
}

/** By the length of chains, on a node that runs. */
export async function benchChains(consented: ConsentedPartner, parts: ConsentBenchParts): Promise<void> {
  const summaries = await measure(chainSystems(consented, parts.options.chains), chainUnit, parts)
  if (parts.options.json) return printLines(summaries, chainUnit)
  console.log(`
Calls by the length of the chain that is shown; \`new\` is one that the holder has never seen, each call another.

${ratioTable(summaries, chainUnit)}`)
}

const sizes = [1, 1_000, 100_000]

/** By the number of consents that a holder keeps: nodes side by side. */
export async function benchSizes(parts: ConsentBenchParts): Promise<void> {
  await using started = new AsyncDisposableStack()
  const holders: FilledHolder[] = []
  for (const kept of sizes) {
    parts.note(`a holder of ${kept.toLocaleString('en')} consents`)
    holders.push(await startFilledHolder(kept, parts.upstreamPort, started))
  }
  const summaries = await measure(
    holders.flatMap(({ systems }) => systems),
    sizeUnit,
    parts,
  )
  const memory = holders.map(({ kept, idleMebibytes, residentNow }) => ({
    name: `memory-consents-${kept}`,
    idleMebibytes: rounded(idleMebibytes, 1),
    residentMebibytes: rounded(residentNow(), 1),
  }))
  if (parts.options.json) {
    printLines(summaries, sizeUnit)
    for (const line of memory) console.log(JSON.stringify(line))
    return
  }
  console.log(`
Calls by how many active consents the holder keeps, always about the same person or about 1,000 in turn.

${ratioTable(summaries, sizeUnit)}
${memory.map(memoryLine).join('\n')}`)
}

/** Three nodes: how fast a withdrawal bites. */
export async function benchWithdrawal({ options, upstreamPort }: ConsentBenchParts): Promise<void> {
  const { name, withdrawals, ...measured } = await measureWithdrawals(upstreamPort, options.withdrawalPairs)
  const times = Object.fromEntries(Object.entries(measured).map(([key, ms]) => [key, rounded(ms, 1)]))
  if (options.json) return console.log(JSON.stringify({ name, ...times, withdrawals }))
  const { withdrawnMs, refusedAtHolderMs, refusedAtDelegateMs, refusedAtHolderMaxMs, refusedAtDelegateMaxMs } = measured
  const ms = (value: number): string => value.toFixed(1)
  console.log(`
A withdrawal is durable ${ms(withdrawnMs)} ms after it was asked for (median of ${withdrawals}). From then on
  the next call of a delegate is refused; it has read so after ${ms(refusedAtHolderMs)} ms (longest ${ms(refusedAtHolderMaxMs)}),
  the delegate's own node knows, and calls no more, after ${ms(refusedAtDelegateMs)} ms (longest ${ms(refusedAtDelegateMaxMs)}).`)
}

interface MemoryLine {
  readonly name: string
  readonly idleMebibytes: number
  readonly residentMebibytes: number
}

const memoryLine = ({ name, idleMebibytes, residentMebibytes }: MemoryLine): string =>
  `${name}: ${idleMebibytes.toFixed(0)} MiB before the first call, ${residentMebibytes.toFixed(0)} MiB after the load.`

function measure(
  systems: readonly SystemUnderTest[],
  unit: string,
  { options, generator, note }: ConsentBenchParts,
): Promise<Summary[]> {
  const { consentPace: pace } = options
  return measureInTurn(systems, generator, {
    ...pace,
    unit,
    onRound: (round) => note(`${unit} and its like, round ${round} of ${pace.rounds}`),
  })
}

function printLines(summaries: readonly Summary[], unit: string): void {
  for (const summary of summaries) {
    const { ratioToBareNode: ratio, ...figures } = summaryForPrograms(summary)
    console.log(JSON.stringify({ ...figures, ratio, ratioTo: unit }))
  }
}

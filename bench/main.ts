/** `npm run bench`: what an exchange costs, beside plain proxies over the same upstream under the same load; what the
 *  log makes durable; how fast a node starts and what memory it holds. */

import { parseBenchArguments, usage, type BenchOptions } from './arguments.ts'
import { benchChains, benchSizes, benchWithdrawal } from './consents/consents.ts'
import { measureColdStart, type ColdStart } from './cold-start.ts'
import { startLoadGenerator, type LoadGenerator } from './load/generator.ts'
import { benchLimits } from './limits.ts'
import { benchCredentials } from './credentials.ts'
import { benchLogAppends } from './log-appends.ts'
import { temporaryFolder } from './processes.ts'
import { benchMinimisation } from './minimisation.ts'
import { benchPolicies } from './policies/policies.ts'
import { logAppendsTable, machineLine, rounded, summaryForPrograms, systemsTable } from './report.ts'
import { measureInTurn, type Summary } from './rounds.ts'
import { prepareComityHolder, startComityHolder, type ConsentedPartner } from './systems/comity.ts'
import { startBareNodeTls, startNginxProxy, startNodeProxy } from './systems/proxies.ts'
import { benchSealing } from './sealing.ts'
import { benchStreams } from './streams.ts'
import type { SystemUnderTest } from './systems/system.ts'
import { payload } from './upstream/payload.ts'
import { startUpstream, type Upstream } from './upstream/upstream.ts'

/** Notes go to standard error, so that `--json` leaves standard output to objects. */
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

interface Started {
  readonly systems: readonly SystemUnderTest[]
  readonly coldStart: ColdStart | undefined
  /** Whom the person consented to whom the bench asks about. */
  readonly consented: ConsentedPartner | undefined
}

/** What is about people is loaded by nodes that need it. */
const withoutPeople = ['bench-public', 'bench-partner'] as const

function isWanted(name: string, { only, leftOut }: Pick<BenchOptions, 'only' | 'leftOut'>): boolean {
  return only.length === 0 ? !leftOut.includes(name) : only.includes(name)
}

/** Starts what is to be measured, into `started`, which ends it. A node is started and stopped before, to time it. */
async function startSystems(
  upstreamPort: number,
  { only, leftOut, coldStarts }: BenchOptions,
  started: AsyncDisposableStack,
): Promise<Started> {
  const wanted = (name: string): boolean => isWanted(name, { only, leftOut })
  const systems: SystemUnderTest[] = []
  const nginx = wanted('nginx') ? await startNginxProxy(upstreamPort) : undefined
  if (nginx !== undefined) systems.push(started.use(nginx))
  else if (wanted('nginx')) note('nginx is not on this machine: left out (Debian: apt install nginx-light)')
  for (const name of ['bare-node', 'fastify-http-proxy'] as const) {
    if (wanted(name)) systems.push(started.use(await startNodeProxy(name, upstreamPort)))
  }
  if (only.includes('bare-node-tls')) systems.push(started.use(await startBareNodeTls(upstreamPort)))
  if (!['comity-public', 'comity-partner', 'comity-personal', 'consents'].some(wanted))
    return { systems, coldStart: undefined, consented: undefined }
  const plain = await prepareComityHolder(started.use(temporaryFolder()).path, upstreamPort, withoutPeople)
  const coldStart = await measureColdStart(plain, coldStarts)
  const prepared = await prepareComityHolder(started.use(temporaryFolder()).path, upstreamPort)
  const holder = started.use(await startComityHolder(prepared))
  const { consented } = holder
  return { systems: [...systems, ...holder.systems.filter(({ name }) => wanted(name))], coldStart, consented }
}

/** Throws unless the system hands out the upstream's very document, or what was released of it. */
async function expectAnswer(system: SystemUnderTest, generator: LoadGenerator): Promise<void> {
  const plan = await system.plan(1)
  const { status, body } = await generator.probe(plan)
  if (status !== 200 || body !== plan.answer)
    throw new Error(`${system.name} answered ${status}: ${body.slice(0, 500)}`)
}

async function benchSystems(options: BenchOptions): Promise<void> {
  await using started = new AsyncDisposableStack()
  const upstream = started.use(await startUpstream())
  const generator = started.use(startLoadGenerator())
  const { systems, coldStart, consented } = await startSystems(upstream.port, options, started)
  for (const system of systems) await expectAnswer(system, generator)
  const { pace } = options
  const onRound = (round: number): void => note(`round ${round} of ${pace.rounds}`)
  const summaries = await measureInTurn(systems, generator, { ...pace, onRound })
  if (options.json) for (const summary of summaries) console.log(JSON.stringify(summaryForPrograms(summary)))
  else printSystems(summaries, options, upstream)
  if (coldStart !== undefined) printColdStart(coldStart, options)
  const parts = { options, generator, upstreamPort: upstream.port, note }
  if (consented !== undefined && isWanted('consents', options)) await benchChains(consented, parts)
}

async function benchConsents(options: BenchOptions): Promise<void> {
  await using started = new AsyncDisposableStack()
  const upstream = started.use(await startUpstream())
  const generator = started.use(startLoadGenerator())
  const parts = { options, generator, upstreamPort: upstream.port, note }
  await benchWithdrawal(parts)
  if (options.sizes) await benchSizes(parts)
}

function printSystems(summaries: readonly Summary[], { pace }: BenchOptions, upstream: Upstream): void {
  const load = Math.max(...summaries.map(({ loadMicrosPerRequest }) => loadMicrosPerRequest))
  const stolen = Math.max(...summaries.map((summary) => summary.stolen))
  console.log(`
One request through each, 64 connections, closed loop; ${machineLine()}
Upstream: ${upstream.name}, ${payload.length} bytes of JSON. Medians of ${pace.rounds} rounds of ${pace.roundMs} ms, in turn.
CPU is that of the system under test alone; ratios are to bare-node in the same round.

${systemsTable(summaries)}
Load generator: at most ${load.toFixed(0)} µs CPU a request. Stolen by the hypervisor: at most ${(stolen * 100).toFixed(1)} %.`)
}

function printColdStart(
  { readyMs, slowestReadyMs, residentMebibytes, starts }: ColdStart,
  { json }: BenchOptions,
): void {
  const figures = { readyMs: Math.round(readyMs), slowestReadyMs: Math.round(slowestReadyMs) }
  if (json) {
    console.log(JSON.stringify({ name: 'cold-start', ...figures, residentMebibytes: rounded(residentMebibytes, 1) }))
    return
  }
  console.log(`
A node is ready ${figures.readyMs} ms after its process was started (median of ${starts}, slowest ${figures.slowestReadyMs} ms).
Idle for 5 s it holds ${residentMebibytes.toFixed(0)} MiB of memory.`)
}

async function benchLog({ json, logMsPerBatch }: BenchOptions): Promise<void> {
  using folder = temporaryFolder()
  const rows = await benchLogAppends({ msPerBatch: logMsPerBatch, directory: folder.path })
  if (json) for (const row of rows) console.log(JSON.stringify(row))
  else console.log(`\nAppends to the log, each durable when it returns:\n\n${logAppendsTable(rows)}`)
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(usage)
  const options = parseBenchArguments(process.argv.slice(2))
  await benchSystems(options)
  if (isWanted('consents', options)) await benchConsents(options)
  if (isWanted('policies', options)) await benchPolicies(options, note)
  if (isWanted('minimisation', options)) benchMinimisation(options)
  if (isWanted('sealing', options)) await benchSealing(options)
  if (isWanted('limits', options)) await benchLimits(options, note)
  if (isWanted('credentials', options)) await benchCredentials(options, note)
  if (isWanted('streams', options)) await benchStreams(options)
  if (options.only.length > 0) return
  await benchLog(options)
  for (const name of options.leftOut) note(`left out of --quick: ${name} (--quick --only ${name})`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  await main()
} catch (error) {
  note(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

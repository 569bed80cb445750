/** `node bench/profile.ts [comity-partner|comity-personal|comity-public]`: where the time of an exchange goes in the holder's main
 *  thread under the bench's load, by part; the V8 profile stays in the current folder for a closer look. */

import { copyFileSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startLoadGenerator } from './load/generator.ts'
import { temporaryFolder } from './processes.ts'
import { table } from './report.ts'
import { measureInTurn } from './rounds.ts'
import { prepareComityHolder, startComityHolder } from './systems/comity.ts'
import { startUpstream } from './upstream/upstream.ts'

/** The parts of `.cpuprofile` that are read; times are in microseconds. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** A sample belongs to the part whose expression matches first, from the innermost frame outwards: what the
 *  parts share (keys, base64) counts where it is called. */
const parts: readonly (readonly [string, RegExp])[] = [
  ['idle', /^\(idle\)/],
  ['garbage collector', /^\(garbage collector\)/],
  ['verify the request signature', /profile-request\.ts/],
  ['sign the receipt', /exchange\/receipt\.ts/],
  ['sign the answer', /profile-response\.ts/],
  ['seal what is kept', /node\/src\/vault\/(open-vault|sealed-text)/],
  ['names of the person (keyed hashes)', /node\/src\/vault\/derived-keys/],
  ['check the consent', /(node|core)\/src\/consent(-token)?\//],
  ['minimise the answer', /core\/src\/minimisation\/|products\/personal-/],
  ['log and storage', /node\/src\/(storage|audit-log)\//],
  ['event text, hashes of the record', /(record-exchange|exchange-store)\.ts|exchange\/event\.ts/],
  [
    'validate call and answer',
    /node_modules\/ajv|node\/src\/products\/(schemas|answer-check|request-check|parameters|query)/,
  ],
  ['call the upstream', /node_modules\/undici\/|products\/upstream/],
  ['limits, metrics', /node\/src\/(limits|telemetry)\/|node_modules\/prom-client\//],
  ['other steps of the gateway', /packages\/(node|core\/src\/(?!crypto|jws|bytes|http-signatures))/],
  ['HTTP, TLS, sockets', /node:(_http|net|_tls|tls|internal\/stream|internal\/js_stream|https?)/],
]

function partsOf(profile: CpuProfile): Map<string, number> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  )
  const partOf = (id: number | undefined): string => {
    const node = id === undefined ? undefined : nodes.get(id)
    if (node === undefined) return 'the rest of Node'
    const frame = `${node.callFrame.functionName} ${node.callFrame.url}`
    return parts.find(([, pattern]) => pattern.test(frame))?.[0] ?? partOf(parents.get(node.id))
  }
  const named = new Map(profile.nodes.map(({ id }) => [id, partOf(id)]))
  const sums = new Map<string, number>()
  for (const [index, id] of profile.samples.entries()) {
    const part = named.get(id) ?? ''
    sums.set(part, (sums.get(part) ?? 0) + (profile.timeDeltas[index] ?? 0))
  }
  sums.delete('idle')
  return sums
}

/** Runs the node under load with V8's profiler; gives the profile's file. */
async function profileUnderLoad(name: string): Promise<string> {
  await using started = new AsyncDisposableStack()
  const folder = started.use(temporaryFolder()).path
  const upstream = started.use(await startUpstream())
  const generator = started.use(startLoadGenerator())
  const prepared = await prepareComityHolder(folder, upstream.port)
  const flags = [
    '--cpu-prof',
    '--cpu-prof-interval=250',
    `--cpu-prof-dir=${folder}`,
    '--cpu-prof-name=holder.cpuprofile',
  ]
  await using holder = await startComityHolder({ ...prepared, args: [...flags, ...prepared.args] })
  const systems = holder.systems.filter((system) => system.name === name)
  if (systems.length === 0) throw new Error(`there is no system \`${name}\``)
  await measureInTurn(systems, generator, { rounds: 3, warmUpMs: 3000, roundMs: 3000, onRound: () => undefined })
  await holder[Symbol.asyncDispose]()
  const file = resolve(`${name}.cpuprofile`)
  copyFileSync(join(folder, 'holder.cpuprofile'), file)
  return file
}

const file = await profileUnderLoad(process.argv[2] ?? 'comity-partner')
const sums = [...partsOf(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile)].toSorted(([, a], [, b]) => b - a)
const total = sums.reduce((sum, [, micros]) => sum + micros, 0)
console.log(
  table([
    ['part', 'of the main thread'],
    ...sums.map(([part, micros]) => [part, `${((micros / total) * 100).toFixed(1)} %`]),
  ]),
)
console.log(
  `Samples include the start of the node. For the whole tree load ${file} into a browser's performance tools.`,
)

/** What a call costs by the kind of credential it comes with, and an API key that is changed under load. */

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BenchOptions } from './arguments.ts'
import { startNode } from './cold-start.ts'
import { startLoadGenerator } from './load/generator.ts'
import { temporaryFolder } from './processes.ts'
import { ratioTable, rounded } from './report.ts'
import { measureInTurn, median, type Summary } from './rounds.ts'
import { productPath } from './systems/comity-files.ts'
import { agree, cli, prepareComityHolder, type PreparedHolder } from './systems/comity.ts'
import { purpose } from './systems/consented-calls.ts'
import { loadOn, signedPlan } from './systems/signed-load.ts'
import type { SystemUnderTest } from './systems/system.ts'
import { payload } from './upstream/payload.ts'
import { startUpstream } from './upstream/upstream.ts'

const unit = 'signature'

interface Holder {
  readonly prepared: PreparedHolder
  readonly pid: number
  readonly agreement: string
}

/** Measures them, and prints ratios to a call that a participant signed. Throws when a single call failed. */
export async function benchCredentials(options: BenchOptions, note: (text: string) => void): Promise<void> {
  await using started = new AsyncDisposableStack()
  const upstream = started.use(await startUpstream())
  const generator = started.use(startLoadGenerator())
  const folder = started.use(temporaryFolder()).path
  const prepared = await prepareComityHolder(folder, upstream.port, ['bench-public', 'bench-partner'])
  const node = started.use(await startNode(prepared))
  const holder = { prepared, pid: node.pid, agreement: await agree(folder, prepared.partner, ['bench-partner']) }
  await comity(prepared, ['clients', 'add', 'bench', '--kind', 'service', '--participant', 'load'])
  const systems = await systemsOf(holder)
  const onRound = (round: number): void => note(`credentials: round ${round} of ${options.pace.rounds}`)
  const summaries = await measureInTurn(systems, generator, { ...options.pace, onRound, unit })
  const rotation = await rotateUnderLoad(holder, { steadyMs: options.pace.roundMs })
  print(summaries, rotation, options)
}

async function issue({ prepared }: Holder, use: 'plain' | 'hmac'): Promise<string> {
  const printed = await comity(prepared, ['api-keys', 'issue', 'bench', '--use', use])
  return keyIn(printed)
}

function keyIn(text: string): string {
  const key = /cmty_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}/.exec(text)?.[0]
  if (key === undefined) throw new Error('no API key was printed')
  return key
}

async function comity({ cwd, environment }: PreparedHolder, args: readonly string[]): Promise<string> {
  const all = [cli, '-c', join(cwd, 'comity.yaml'), ...args]
  const { stdout } = await promisify(execFile)(process.execPath, all, { cwd, env: { ...process.env, ...environment } })
  return stdout
}

async function systemsOf(holder: Holder): Promise<SystemUnderTest[]> {
  const { prepared, pid, agreement } = holder
  const { publicPort, partner } = prepared
  const { authority, ...load } = loadOn(publicPort)
  const calling = { pid, publicPort, agreement, partner }
  const path = productPath('bench-partner')
  const [plain, hmac] = [await issue(holder, 'plain'), await issue(holder, 'hmac')]
  const fields = { 'comity-agreement': agreement, 'comity-purpose': purpose }
  const { requests: signed } = signedPlan(calling, { path, headers: { 'comity-purpose': purpose } })
  const bearer = { authorization: `Bearer ${plain}` }
  const open = productPath('bench-public')
  const plans = {
    [unit]: signed,
    'hmac-key': { ...signed, apiKey: hmac },
    'plain-key': { kind: 'plain', authority, path, headers: { ...fields, ...bearer } },
    'plain-key-public': { kind: 'plain', authority, path: open, headers: bearer },
    anonymous: { kind: 'plain', authority, path: open },
  } as const
  const shared = { pid, [Symbol.asyncDispose]: async () => undefined }
  return Object.entries(plans).map(([name, requests]) => ({
    ...shared,
    name,
    plan: () => ({ ...load, requests, answer: payload }),
  }))
}

export interface RotationUnderLoad {
  readonly calls: number
  readonly failed: number
  /** Medians, before the rotation and from its start to its completion. */
  readonly steadyP50Ms: number
  readonly rotatingP50Ms: number
}

interface Load {
  key: string
  isOver: boolean
  latencies: number[]
  failed: number
}

/** Sixteen callers, one key: it is rotated, its successor fetched with it, taken by the callers, and the old one retired. */
async function rotateUnderLoad(
  holder: Holder,
  { steadyMs }: { readonly steadyMs: number },
): Promise<RotationUnderLoad> {
  const { prepared, agreement } = holder
  const agent = new Agent({ keepAlive: true, maxSockets: 32, rejectUnauthorized: false })
  const load: Load = { key: await issue(holder, 'plain'), isOver: false, latencies: [], failed: 0 }
  const place = { host: '127.0.0.1', port: prepared.publicPort, servername: 'localhost', agent }
  const send = async (method: string, path: string, key: string) => {
    const headers = {
      host: `localhost:${prepared.publicPort}`,
      authorization: `Bearer ${key}`,
      'comity-agreement': agreement,
      'comity-purpose': purpose,
    }
    const [answer] = (await once(request({ ...place, method, path, headers }).end(), 'response')) as [IncomingMessage]
    return { status: answer.statusCode ?? 0, text: (await buffer(answer)).toString('utf8') }
  }
  const caller = async () => {
    while (!load.isOver) {
      const sentAt = performance.now()
      const { status } = await send('GET', productPath('bench-partner'), load.key).catch(() => ({ status: 0 }))
      load.latencies.push(performance.now() - sentAt)
      if (status !== 200) load.failed++
    }
  }
  const callers = Promise.all(Array.from({ length: 16 }, caller))
  await sleep(steadyMs)
  const steady = load.latencies
  load.latencies = []
  const id = load.key.split('_')[2] ?? ''
  const rotated = await comity(prepared, ['--json', 'api-keys', 'rotate', id, '--claim'])
  const rotation = /"id":\s*"([^"]+)"/.exec(rotated)?.[1] ?? ''
  load.key = keyIn((await send('POST', '/keys/renewal', load.key)).text)
  // Calls that are under way still have the old key.
  await sleep(steadyMs)
  await comity(prepared, ['api-keys', 'complete', rotation, '--yes'])
  await sleep(steadyMs)
  load.isOver = true
  await callers
  agent.destroy()
  const calls = steady.length + load.latencies.length
  return { calls, failed: load.failed, steadyP50Ms: median(steady), rotatingP50Ms: median(load.latencies) }
}

function print(summaries: readonly Summary[], rotation: RotationUnderLoad, { json }: BenchOptions): void {
  const { calls, failed, steadyP50Ms, rotatingP50Ms } = rotation
  const ratio = rotatingP50Ms / steadyP50Ms
  if (json) {
    for (const { name, cpuMicrosPerRequest, p50Ms, p99Ms, ratioToBareNode } of summaries) {
      const figures = {
        cpuMicrosPerRequest: rounded(cpuMicrosPerRequest, 1),
        p50Ms: rounded(p50Ms, 2),
        p99Ms: rounded(p99Ms, 2),
      }
      console.log(
        JSON.stringify({ name: `credential-${name}`, ...figures, ratioTo: unit, ratio: rounded(ratioToBareNode, 2) }),
      )
    }
    console.log(JSON.stringify({ name: 'key-rotation', calls, failed, p50Ratio: rounded(ratio, 2) }))
  } else {
    console.log(`
Calls by kind of credential, of one holder over TLS 1.3; CPU of the holder's node.

${ratioTable(summaries, unit)}
An API key rotated under load, from its start to the end of the old key: ${calls.toLocaleString('en')} calls, ${failed} failed;
p50 meanwhile ${ratio.toFixed(2)}× of before (three commands on the same machine).`)
  }
  if (failed > 0) throw new Error(`of ${calls} calls during the rotation of a key ${failed} failed`)
}

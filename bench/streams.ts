/** What a large answer costs, streamed row by row through a holder's node, beside plain proxies
 *  that pass the same bytes on unread. */

import { readFileSync, writeFileSync } from 'node:fs'
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { startNode } from './cold-start.ts'
import { cpuSeconds, residentMebibytes } from './proc.ts'
import { startScript, temporaryFolder } from './processes.ts'
import type { BenchOptions } from './arguments.ts'
import { rounded, table } from './report.ts'
import { prepareComityHolder } from './systems/comity.ts'
import { startNodeProxy } from './systems/proxies.ts'

const text = { type: 'string' }
const row = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'integer' },
    meter: text,
    at: { type: 'string', format: 'date-time' },
    kwh: { type: 'number' },
    place: { type: 'object', properties: { city: text, street: text } },
    note: text,
  },
}
const document = {
  openapi: '3.1.0',
  info: { title: 'Rows', version: '1' },
  paths: {
    '/rows': {
      get: {
        operationId: 'rows',
        parameters: [{ name: 'bytes', in: 'query', schema: { type: 'integer' } }],
        responses: { 200: { description: 'rows', content: { 'application/x-ndjson': { schema: row } } } },
      },
    },
  },
}
const product = {
  id: 'bench-rows',
  class: 'public',
  title: 'Rows',
  version: '1',
  openapi: './rows.json',
  data: {
    domains: { meter: ['id', 'meter', 'at', 'kwh'], place: ['place.city'] },
    operations: { rows: { stream: true } },
  },
}

interface Streamed {
  readonly name: string
  readonly pid: number
  readonly url: string
}

/** A holder's node that streams the upstream's rows to anybody. */
async function startHolder(upstreamPort: number, stack: AsyncDisposableStack): Promise<Streamed> {
  const folder = stack.use(temporaryFolder()).path
  const prepared = await prepareComityHolder(folder, upstreamPort, ['bench-public'])
  writeFileSync(join(folder, 'rows.json'), JSON.stringify(document))
  const file = join(folder, 'comity.yaml')
  const config = parse(readFileSync(file, 'utf8')) as { products: object[] }
  config.products.push({ ...product, upstream: `http://127.0.0.1:${upstreamPort}` })
  writeFileSync(file, stringify(config))
  const { pid } = stack.use(await startNode(prepared))
  return { name: 'comity, row by row', pid, url: `https://localhost:${prepared.publicPort}/x/bench-rows` }
}

/** Reads one answer to its end and gives its bytes. */
function read(url: string, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const take = (message: IncomingMessage): void => {
      let size = 0
      message.on('data', (chunk: Buffer) => (size += chunk.length))
      message.once('error', reject)
      message.once('end', () =>
        message.statusCode === 200 ? resolve(size) : reject(new Error(`status ${message.statusCode}`)),
      )
    }
    const target = `${url}/rows?bytes=${bytes}`
    const asked = url.startsWith('https:')
      ? requestTls(target, { agent: false, rejectUnauthorized: false }, take)
      : requestPlain(target, { agent: false }, take)
    asked.once('error', reject).end()
  })
}

interface Cost {
  readonly seconds: number
  readonly cpu: number
  readonly out: number
}

async function measure({ pid, url }: Streamed, bytes: number): Promise<Cost> {
  const [startedMs, startedCpu] = [performance.now(), cpuSeconds(pid)]
  const out = await read(url, bytes)
  return { seconds: (performance.now() - startedMs) / 1_000, cpu: cpuSeconds(pid) - startedCpu, out }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

/** Measures and prints. */
export async function benchStreams({
  json,
  stream: { bytes, rounds },
}: Pick<BenchOptions, 'json' | 'stream'>): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startScript(fileURLToPath(new URL('upstream/rows.ts', import.meta.url))))
  const port = Number(upstream.announcement['port'])
  const systems: Streamed[] = []
  for (const name of ['bare-node', 'fastify-http-proxy'] as const) {
    const proxy = stack.use(await startNodeProxy(name, port))
    const { target } = await proxy.plan(1)
    systems.push({ name, pid: proxy.pid, url: `http://127.0.0.1:${target.port}` })
  }
  systems.push(await startHolder(port, stack))
  const costs = new Map<string, Cost[]>(systems.map(({ name }) => [name, []]))
  // In turn, so that what else the machine does meets all of them; the first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const system of systems) {
      const cost = await measure(system, bytes)
      if (round > 0) costs.get(system.name)?.push(cost)
    }
  }
  const mebibytes = bytes / 1_048_576
  const cpuOf = (name: string) => median((costs.get(name) ?? []).map(({ cpu }) => cpu))
  const plain = cpuOf('fastify-http-proxy')
  if (json) {
    for (const { name, pid } of systems) {
      const [cpu, resident] = [rounded((cpuOf(name) / mebibytes) * 1_000, 2), rounded(residentMebibytes(pid), 0)]
      const figures = { cpuMillisPerMebibyte: cpu, ratio: rounded(cpuOf(name) / plain, 2), residentMebibytes: resident }
      console.log(JSON.stringify({ name: `stream ${name}`, ...figures, ratioTo: 'stream fastify-http-proxy' }))
    }
    return
  }
  const rows = systems.map(({ name, pid }) => {
    const own = costs.get(name) ?? []
    return [
      name,
      (mebibytes / median(own.map(({ seconds }) => seconds))).toFixed(0),
      ((cpuOf(name) / mebibytes) * 1_000).toFixed(2),
      (cpuOf(name) / plain).toFixed(1),
      residentMebibytes(pid).toFixed(0),
    ]
  })
  console.log(`An answer of ${bytes / 1e6} MB of NDJSON, of which 5 of 8 fields leave; medians of ${rounds} rounds.\n`)
  console.log(table([['', 'MiB/s', 'ms of CPU for each MiB', 'of fastify-http-proxy', 'resident MiB'], ...rows]))
}

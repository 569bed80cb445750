/** An answer of a gigabyte, in each format, from an API through the holder's and the recipient's node to an application:
 *  each node is a process of its own and never holds more than 200 MB. So it is when the API writes row by row, of which one
 *  field leaves: then what waits is small in bytes and large in pieces. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { installedCommand, startProcess, type NodeProcess } from './start-process.ts'
import { startStreamNetwork } from './stream-network.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

const wantedBytes = 1_000_000_000
const largestResidentKib = 200 * 1024

const sample = (id: number) => ({
  id,
  name: `Sample ${id} of the long survey of the northern shore`,
  weight: id / 7,
  isAdult: id % 2 === 0,
  address: { city: 'Ålesund', street: `Storgata ${id}, second floor, to the left of the stairs` },
})
const rows = Array.from({ length: 2_000 }, (_, id) => sample(id))
const cells = rows.map(
  ({ id, name, weight, isAdult, address }) => `${id},${name},${weight},${isAdult},${address.city},"${address.street}"`,
)

interface Format {
  readonly type: string
  readonly before: string
  readonly block: string
  readonly after: string
}

const formats: Readonly<Record<string, Format>> = {
  '/ndjson': {
    type: 'application/x-ndjson',
    before: '',
    block: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    after: '',
  },
  '/json': {
    type: 'application/json',
    before: `{"total":1,"items":[${JSON.stringify(rows[0])}`,
    block: rows.map((row) => `,${JSON.stringify(row)}`).join(''),
    after: ']}',
  },
  '/csv': {
    type: 'text/csv',
    before: 'id,name,weight,isAdult,address.city,address.street\r\n',
    block: cells.map((line) => `${line}\r\n`).join(''),
    after: '',
  },
}

/** Writes the format's block until the wanted size is reached, as fast as it is taken. */
function writeLarge(response: ServerResponse, { type, before: first, block, after: last }: Format): void {
  const bytes = Buffer.from(block)
  let left = Math.ceil(wantedBytes / bytes.length)
  response.writeHead(200, { 'content-type': type }).write(first)
  const more = () => {
    for (; left > 0; left--) if (!response.write(bytes)) return void (left-- && response.once('drain', more))
    response.end(last)
  }
  more()
}

/** Bytes of the answer that is written row by row, which takes longer. */
const wantedRowBytes = 150_000_000
const lines = rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`))

/** Writes each row by itself: each is a chunk of its own on the wire. */
function writeRows(response: ServerResponse): void {
  let left = wantedRowBytes
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const more = (at: number) => {
    for (let next = at; left > 0; next++) {
      const line = lines[next % lines.length] as Buffer
      left -= line.length
      if (!response.write(line)) return void response.once('drain', () => more(next + 1))
    }
    response.end()
  }
  more(0)
}

let network: TestNetwork
let writesRows = false
const nodes: { name: string; process: NodeProcess }[] = []
before(async () => {
  network = await startStreamNetwork()
  network.upstream.behave = (message, response) => {
    if (writesRows) return writeRows(response)
    const format = formats[message.url ?? '']
    if (format === undefined) return void response.writeHead(404).end()
    writeLarge(response, format)
  }
  for (const node of [network.holder, network.recipient]) {
    await node.stop()
    // Once to fill the compile cache, once to be measured.
    const first = await startProcess(node.configFile, { command: installedCommand() })
    first.signal('SIGTERM')
    await first.ended
    nodes.push({ name: node.name, process: await startProcess(node.configFile, { command: installedCommand() }) })
  }
})
after(async () => {
  await Promise.all(nodes.map(({ process }) => process.kill()))
  await network[Symbol.asyncDispose]()
})

interface Measured {
  readonly bytes: number
  readonly digest: string
  readonly trailers: NodeJS.Dict<string>
}

function download(path: string): Promise<Measured> {
  const local = nodes[1]?.process.ports.local
  return new Promise((resolve, reject) => {
    const url = `http://127.0.0.1:${local}/holder/samples${path}`
    const asked = request(url, { agent: false, headers: { 'comity-purpose': testPurpose } }, (message) => {
      const hash = createHash('sha256')
      let bytes = 0
      message.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        hash.update(chunk)
      })
      message.once('error', reject)
      message.once('end', () => {
        if (message.statusCode !== 200 || !message.complete) return reject(new Error(`status ${message.statusCode}`))
        resolve({ bytes, digest: hash.digest('base64'), trailers: message.trailers })
      })
    })
    asked.once('error', reject).end()
  })
}

/** The largest resident set that a process ever had, in KiB. */
async function peakKib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1])
}

/** Downloads it and tells what it took. Throws when a node held too much. */
async function ensureSmall(path: string, { wanted, told }: { wanted: number; told: (text: string) => void }) {
  const startedMs = performance.now()
  const { bytes, digest, trailers } = await download(path)
  const seconds = (performance.now() - startedMs) / 1_000
  assert.equal(trailers['content-digest'], `sha-256=:${digest}:`)
  const peaks = await Promise.all(nodes.map(async ({ name, process }) => ({ name, kib: await peakKib(process.pid) })))
  const held = peaks.map(({ name, kib }) => `${name} ${Math.round(kib / 1024)} MB`).join(', ')
  told(`${path}: ${Math.round(wanted / 1e6 / seconds)} MB/s in, ${Math.round(bytes / 1e6)} MB out, ${held}`)
  for (const { name, kib } of peaks) assert.ok(kib < largestResidentKib, `${name} held ${Math.round(kib / 1024)} MB`)
  return { bytes, fields: parseReceipt(trailers['comity-receipt'] ?? '').claims.rel }
}

// First, since what is measured is the largest that a process ever was.
test('rows that an API writes one by one, of which one field is asked for, pass both nodes in less than 200 MB each', async (context) => {
  const told = (text: string) => context.diagnostic(text)
  writesRows = true
  const { fields, bytes } = await ensureSmall('/ndjson?fields=id', { wanted: wantedRowBytes, told })
  writesRows = false
  assert.ok(bytes < wantedRowBytes / 10)
  assert.deepEqual(fields, ['id'])
})

for (const path of Object.keys(formats)) {
  test(
    `a gigabyte of ${path.slice(1)} passes both nodes in less than 200 MB each`,
    { timeout: 600_000 },
    async (context) => {
      const told = (text: string) => context.diagnostic(text)
      const { bytes, fields } = await ensureSmall(path, { wanted: wantedBytes, told })
      assert.deepEqual(fields, ['id', 'name', 'isAdult', 'address.city'])
      assert.ok(bytes > wantedBytes / 4)
    },
  )
}

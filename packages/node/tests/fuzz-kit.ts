/** Sends bytes that no client would send, and reads whatever comes back as a strict client would. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { problemKinds, type ProblemCode } from '@comity/core/problems'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

export interface Place {
  readonly port: number
  readonly secure: boolean
}

export interface ReadAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export interface Talk {
  readonly answers: readonly ReadAnswer[]
  /** What came after the last whole answer. */
  readonly rest: string
  /** False when the peer still held the connection after the patience was over. */
  readonly isClosed: boolean
  readonly tookMs: number
}

export interface TalkOptions {
  /** Ends the own side after the last byte. */
  readonly halfClose?: boolean
  /** Ends the own side when nothing was answered for so many milliseconds, or soon after an answer. A node drops what it
   *  has not answered by then, so `halfClose` would hide answers. */
  readonly endAfterMs?: number
  /** Milliseconds between two chunks. */
  readonly gapMs?: number
  /** How long to wait for the peer to close; 30,000 unless told. */
  readonly patienceMs?: number
}

function open({ port, secure }: Place): Socket {
  const where = { host: '127.0.0.1', port, allowHalfOpen: true }
  return secure ? connectTls({ ...where, rejectUnauthorized: false }) : connectPlain(where)
}

/** Writes the chunks and reads until the peer closes, has answered enough, or the patience is over. */
export async function talk(place: Place, chunks: readonly (string | Buffer)[], options: TalkOptions = {}) {
  const { halfClose = false, endAfterMs, gapMs = 0, patienceMs = 30_000 } = options
  const startedMs = performance.now()
  const socket = open(place)
  const received: Buffer[] = []
  const done = Promise.withResolvers<boolean>()
  socket.on('error', () => done.resolve(true))
  socket.on('close', () => done.resolve(true))
  socket.on('end', () => done.resolve(true))
  let ending: NodeJS.Timeout | undefined
  const endIn = (ms: number) => {
    clearTimeout(ending)
    if (endAfterMs !== undefined) ending = setTimeout(() => socket.end(), ms)
  }
  socket.on('data', (data) => {
    received.push(data)
    endIn(5)
  })
  for (const [index, chunk] of chunks.entries()) {
    if (index > 0 && gapMs > 0) await sleep(gapMs)
    if (!socket.destroyed) socket.write(chunk)
  }
  if (halfClose) socket.end()
  endIn(endAfterMs ?? 0)
  const timer = setTimeout(() => done.resolve(false), patienceMs)
  const isClosed = await done.promise
  clearTimeout(timer)
  clearTimeout(ending)
  socket.destroy()
  return { ...readAnswers(Buffer.concat(received)), isClosed, tookMs: performance.now() - startedMs } satisfies Talk
}

/** Whole answers, by their `content-length`; interim ones are left out. */
function readAnswers(bytes: Buffer): { answers: ReadAnswer[]; rest: string } {
  const answers: ReadAnswer[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) break
    const [first = '', ...lines] = bytes.subarray(at, end).toString('latin1').split('\r\n')
    const headers = new Map(lines.map((line) => [line.split(':')[0]?.toLowerCase() ?? '', afterColon(line)]))
    const length = Number(headers.get('content-length') ?? 0)
    if (end + 4 + length > bytes.length) break
    const body = bytes.subarray(end + 4, end + 4 + length).toString('utf8')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
    if (status >= 200) answers.push({ status, headers, body })
    else assert.ok(status === 100, `not an answer: ${first}`)
    at = end + 4 + length
  }
  return { answers, rest: bytes.subarray(at).toString('latin1') }
}

const afterColon = (line: string): string => line.slice(line.indexOf(':') + 1).trim()

/** The problem's code, after holding the answer to what every refusal must be. */
export function codeOf({ status, headers, body }: ReadAnswer): ProblemCode {
  assert.equal(headers.get('content-type'), 'application/problem+json', `${status} ${body.slice(0, 200)}`)
  const problem = JSON.parse(body) as { code: ProblemCode; status: number; requestId: string; detail: string }
  assert.ok(problem.code in problemKinds, body)
  assert.equal(problem.status, status)
  assert.equal(problemKinds[problem.code].status, status)
  assert.match(problem.requestId, /^[0-9a-f-]{36}$/)
  assert.doesNotMatch(body, /node_modules|\.ts:\d|at \w+ \(/)
  return problem.code
}

/** Refused as the caller's fault, or a valid answer: never the node's fault, never a hang, never half an answer. */
export function assertNoFault({ answers, rest }: Talk, what: () => string): void {
  assert.equal(rest, '', what())
  for (const answer of answers) {
    assert.ok(answer.status >= 200 && answer.status < 500, `${answer.status} for ${what()}`)
    if (answer.status >= 400 && answer.headers.get('content-type') !== 'application/json') codeOf(answer)
  }
}

export interface FuzzTarget extends AsyncDisposable {
  readonly network: TestNetwork
  /** The holder's listeners, by name. */
  readonly places: Readonly<Record<'public' | 'local' | 'admin', Place>>
  /** The holder's `host:port`. */
  readonly authority: string
  /** Holds what is left of the node to what it was before: alive, whole, nothing logged but refusals, calls that were
   *  good after all, and what the operator changed. */
  assertUnharmed(options?: { operatorChanges: boolean }): Promise<void>
}

/** What is held on to, not what waits for the collector. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

/** Two nodes with short time-outs. */
export async function openTarget(): Promise<FuzzTarget> {
  const network = await startTestNetwork({
    holder: (config) => {
      const limits = config['limits'] as object
      const short = { headersTimeoutMs: 600, requestTimeoutMs: 900, failures: { requests: 1_000_000, perSeconds: 1 } }
      config['limits'] = { ...limits, ...short }
    },
  })
  await network.agree()
  const { holder } = network
  const { ports, parts } = holder.running
  const knownEvents = (await parts.auditLog.readEvents({ limit: 100_000 })).length
  const usedBefore = heldBytes()
  return {
    network,
    authority: new URL(holder.url).host,
    places: {
      public: { port: ports.public, secure: true },
      local: { port: ports.local, secure: false },
      admin: { port: ports.admin, secure: false },
    },
    async assertUnharmed({ operatorChanges } = { operatorChanges: false }) {
      const path = '/holder/items/items/7'
      const headers = { 'comity-purpose': 'https://w3id.org/dpv#ScientificResearch' }
      const answer = await fetch(network.recipient.local(path), { headers })
      assert.equal(answer.status, 200, await answer.text())
      const internal = holder.logged.filter(
        (line) => line.includes('error.internal') || line.includes('storage.failed'),
      )
      assert.deepEqual(internal, [])
      const events = await parts.auditLog.readEvents({ from: knownEvents, limit: 100_000 })
      for (const { type, body } of events) {
        const { outcome } = JSON.parse(body ?? '{}') as { outcome?: string }
        const isRefusal = type === 'refusals' || (type === 'exchange' && outcome === 'denied')
        const isGood = type === 'exchange' && (outcome === 'allowed' || outcome === 'intended')
        const isExpected = isRefusal || isGood || (operatorChanges && type !== 'exchange')
        assert.ok(isExpected, `${type} ${body}`)
      }
      const grownMiB = (heldBytes() - usedBefore) / 2 ** 20
      assert.ok(grownMiB < 100, `the heap grew by ${grownMiB} MiB`)
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

/** The seed of this run: a new one each time, or that of `COMITY_SEED`. */
export const fuzzSeed = (): number => Number(process.env['COMITY_SEED'] ?? randomInt(2 ** 31))

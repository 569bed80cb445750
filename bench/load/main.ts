/** The load generator's process: takes orders from the bench one at a time and answers each with one message. */

import { endWithParent } from '../processes.ts'
import { Connection } from './connection.ts'
import { Histogram } from './histogram.ts'
import type { LoadPlan, Order, Probe, RunResult } from './messages.ts'
import { requestSource, type RequestSource } from './request-source.ts'

interface Prepared {
  readonly plan: LoadPlan
  readonly source: RequestSource
  readonly connections: Connection[]
}

let prepared: Prepared | undefined

async function probe(plan: LoadPlan): Promise<Probe> {
  const source = await requestSource(plan.requests)
  const connection = await Connection.open(plan.target)
  const parts: string[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Probe>()
  connection.send(
    source.next(),
    (answer) => {
      if (answer instanceof Error) reject(answer)
      else resolve({ status: answer.status, head: answer.head, body: parts.join('') })
    },
    (part) => parts.push(part.toString('latin1')),
  )
  return promise.finally(() => connection.close())
}

async function prepare(plan: LoadPlan, ahead: number): Promise<void> {
  close()
  const opening = Array.from({ length: plan.connections }, () => Connection.open(plan.target))
  const source = await requestSource(plan.requests)
  prepared = { plan, source, connections: await Promise.all(opening) }
  await loop(prepared, 0)
  source.prepare(ahead)
}

function close(): void {
  for (const connection of prepared?.connections ?? []) connection.close()
  prepared = undefined
}

/** Every connection sends its next request as soon as it has the answer of its last, until `durationMs` are over;
 *  resolves when the last answer is there. A connection that fails is not opened again. */
async function loop({ plan, source, connections }: Prepared, durationMs: number): Promise<RunResult> {
  const histogram = new Histogram()
  const failures: Record<string, number> = {}
  const fail = (reason: string): void => void (failures[reason] = (failures[reason] ?? 0) + 1)
  let requests = 0
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const endsAt = startedAt + durationMs

  const drive = (connection: Connection, finished: () => void): void => {
    let sentAt = startedAt
    const onAnswer: Parameters<Connection['send']>[1] = (answer) => {
      const now = performance.now()
      histogram.record((now - sentAt) * 1000)
      requests++
      if (answer instanceof Error) fail(answer.message)
      else if (answer.status !== 200 || answer.bodyBytes !== plan.answer.length) fail(`status ${answer.status}`)
      if (answer instanceof Error || now >= endsAt) return finished()
      sentAt = now
      connection.send(source.next(), onAnswer)
    }
    connection.send(source.next(), onAnswer)
  }
  await Promise.all(connections.map((connection) => new Promise<void>((finished) => drive(connection, finished))))

  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  const latencies = { p50Ms: histogram.percentileMs(0.5), p99Ms: histogram.percentileMs(0.99) }
  return { requests, seconds, ...latencies, ownCpuSeconds: (user + system) / 1e6, failures }
}

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'probe') return probe(order.plan)
  if (order.do === 'prepare') return prepare(order.plan, order.ahead)
  if (order.do === 'close') return close()
  if (prepared === undefined) throw new Error('nothing is prepared')
  return loop(prepared, order.durationMs)
}

endWithParent()
process.on('message', (order: Order) => {
  obey(order).then(
    (result) => process.send?.({ result: result ?? null }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})

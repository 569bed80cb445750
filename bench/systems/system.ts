/** A system under test: something in a process of its own that forwards to the upstream. */

import type { LoadPlan } from '../load/messages.ts'
import { payload, payloadPath } from '../upstream/payload.ts'

export interface SystemUnderTest extends AsyncDisposable {
  /** As in the bench's JSON: `nginx`, `bare-node`, `fastify-http-proxy`, `comity-public`, `comity-partner`,
   *  `comity-personal`. */
  readonly name: string
  /** The process whose CPU is counted, with its children. */
  readonly pid: number
  /** What the next run sends, which is at most so many requests. */
  readonly plan: (requests: number) => LoadPlan | Promise<LoadPlan>
}

/** Open connections of the load generator to a system. */
export const CONNECTIONS = 64

/** The load on a system that takes plain HTTP without credentials. */
export function plainPlan(port: number): LoadPlan {
  const requests = { kind: 'plain', authority: `127.0.0.1:${port}`, path: payloadPath } as const
  return { target: { host: '127.0.0.1', port }, requests, connections: CONNECTIONS, answer: payload }
}

/** What the bench and its load generator say to each other, over the channel between parent and child process. */

import type { Target } from './connection.ts'

/** Which requests are sent: the same bytes each time, or each signed afresh with its own nonce (RFC 9421). */
export type RequestPlan =
  | {
      readonly kind: 'plain'
      readonly authority: string
      readonly path: string
      readonly headers?: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'signed'
      readonly authority: string
      readonly path: string
      /** Fields that are sent and covered by the signature, lower-case names. */
      readonly headers: Readonly<Record<string, string>>
      readonly keyid: string
      readonly privateJwk: JsonWebKey
      /** An API key that signs in place of the private key. */
      readonly apiKey?: string
      /** In place of `path`, and beside `headers`: sent in turn, each as often as the others. */
      readonly calls?: readonly SignedCall[]
    }

export interface SignedCall {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** A system under test as the load generator sees it. */
export interface LoadPlan {
  readonly target: Target
  readonly requests: RequestPlan
  readonly connections: number
  /** The body of every answer, ASCII; of most only the length is looked at. */
  readonly answer: string
}

export type Order =
  /** One request on a connection of its own. */
  | { readonly do: 'probe'; readonly plan: LoadPlan }
  /** Opens the connections, signs `ahead` requests, sends one request on each connection. */
  | { readonly do: 'prepare'; readonly plan: LoadPlan; readonly ahead: number }
  /** Closed loop on every connection for that long. */
  | { readonly do: 'run'; readonly durationMs: number }
  | { readonly do: 'close' }

export interface Probe {
  readonly status: number
  readonly head: string
  readonly body: string
}

export interface RunResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU seconds of the load generator in the run. */
  readonly ownCpuSeconds: number
  /** What went wrong, and how often; empty in a good run. */
  readonly failures: Readonly<Record<string, number>>
}

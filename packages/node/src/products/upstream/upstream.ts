/** The API behind a product: a pool of kept connections, a bound on everything, and a circuit that spares it while it
 *  fails. Nothing of the caller's credentials goes in, nothing of its failures comes out. */
import type { IncomingHttpHeaders } from 'node:http'
import { Pool } from '../../http/undici-parts.ts'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { afterCall, closedCircuit, decideCircuit, type CallOutcome, type CircuitSettings } from './circuit-breaker.ts'
import {
  exchangeWithUpstream,
  isStaleConnection,
  type ExchangeAnswer,
  type ExchangeRequest,
} from './upstream-exchange.ts'
import type { IncomingStream, StreamedBody, StreamEnd } from '../../http/incoming-stream.ts'
import { isConditional, releasedAnswerFields, upstreamRequestFields } from './upstream-headers.ts'

export interface UpstreamSettings {
  /** `http:` or `https:`; its path is put before every call's. */
  readonly url: string
  /** Fields of every call, name (lower case) and value in turn: the node's credential at the upstream. */
  readonly headers: readonly string[]
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly answerBytes: number
  /** Of an answer that is read while it arrives: all of it, and how long the upstream may say nothing within it. */
  readonly streamBytes: number
  readonly streamIdleMs: number
  readonly concurrency: number
  readonly circuit: CircuitSettings
}

export interface UpstreamRequest {
  readonly method: string
  /** Canonical, begins with `/`. */
  readonly path: string
  /** `?…` or empty. */
  readonly query: string
  /** A field of the caller's request by lower-case name. */
  readonly header: (name: string) => string | undefined
  /** Empty for none. */
  readonly body: Buffer
  /** Of the body, as the node wrote it; the caller's own does not go on. */
  readonly contentType?: string | undefined
  /** Lower-case names of fields that the operation declares, beside the usual ones. */
  readonly requestFields?: readonly string[]
  readonly answerFields?: readonly string[]
  /** Fields of the node's own, name (lower case) and value in turn. */
  readonly ownFields?: readonly string[]
  /** Whether the operation declares a redirection; one that is not declared is an error of the upstream. */
  readonly declaresStatus?: (status: number) => boolean
  readonly signal?: AbortSignal
  /** Whether a success of this content type is read while it arrives; none is when absent. */
  readonly streams?: ((contentType: string | undefined) => boolean) | undefined
}

export interface ForwardedAnswer {
  readonly status: number
  /** The fields that may leave, name and value in turn. */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** Instead of `body`, which is empty then: one that is still on its way. Must be read to its end, or cancelled. */
  readonly stream?: StreamedBody | undefined
}

export interface Upstream extends AsyncDisposable {
  /** Calls the upstream. Throws `upstream-unavailable`, `upstream-unreachable`, `upstream-lost`, `upstream-timeout`,
   *  `upstream-too-large`, `upstream-error` or `upstream-invalid`; no detail of the upstream is in any of them. */
  forward(request: UpstreamRequest): Promise<ForwardedAnswer>
  /** `closed`, `open` or `half-open`. */
  readonly circuit: string
  /** Calls on their way. */
  readonly running: number
}

/** Methods that may be sent again when a kept connection turns out to be closed. */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Statuses that say that the upstream as a whole is not well. 500 does not: one broken operation, which any caller
 *  may set off, must not close the product for everybody. */
const failing = new Set([502, 503, 504])

/** An upstream with a pool of its own, so that one slow product does not hold up another. */
export function createUpstream(settings: UpstreamSettings, clock: Clock): Upstream {
  const { origin, pathname } = new URL(settings.url)
  const basePath = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
  const pool = new Pool(origin, {
    connections: settings.concurrency,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: 16_384,
    // One timer bounds each call as a whole, from dispatch to the last byte.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: settings.connectTimeoutMs },
  })
  let circuit = closedCircuit
  let running = 0

  async function guarded(request: UpstreamRequest): Promise<ForwardedAnswer> {
    if (running >= settings.concurrency) throw spared('as many calls as it may get are running', 1_000)
    const verdict = decideCircuit(circuit, clock.now())
    if (!verdict.allowed) throw spared('it failed several times in a row', verdict.retryAfterMs)
    circuit = verdict.circuit
    running++
    let outcome: CallOutcome = 'abandoned'
    const settle = () => {
      running--
      circuit = afterCall(circuit, { outcome, trial: verdict.trial }, { settings: settings.circuit, now: clock.now() })
    }
    let stream: IncomingStream | undefined
    try {
      const answer = await send(pool, toExchange(settings, basePath, request), clock)
      stream = answer.stream
      outcome = failing.has(answer.status) ? 'failed' : 'succeeded'
      return released(answer, request)
    } catch (error) {
      if (outcome === 'abandoned' && error instanceof Problem) outcome = outcomeOf(error)
      stream?.cancel()
      throw error
    } finally {
      // A call whose answer is still arriving runs on.
      if (stream === undefined) settle()
      else {
        void stream.settled.then((end) => {
          outcome = outcomeOfStream(end)
          settle()
        })
      }
    }
  }

  return {
    forward: guarded,
    get circuit() {
      return circuit.state
    },
    get running() {
      return running
    },
    [Symbol.asyncDispose]: () => pool.close(),
  }
}

function spared(reason: string, retryAfterMs: number): Problem {
  return new Problem('upstream-unavailable', `the upstream is not called now: ${reason}`, {
    members: { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1_000)) },
  })
}

/** An answer that is too large says nothing against the upstream's health. */
function outcomeOf(problem: Problem): CallOutcome {
  return problem.code === 'upstream-too-large' ? 'succeeded' : 'failed'
}

function outcomeOfStream(end: StreamEnd): CallOutcome {
  if (end.how !== 'failed') return end.how === 'ended' ? 'succeeded' : 'abandoned'
  return end.reason instanceof Problem ? outcomeOf(end.reason) : 'failed'
}

/** Only what was not compressed, and is a success, is read while it arrives. */
function streamRequest({ streamBytes, streamIdleMs }: UpstreamSettings, { streams }: UpstreamRequest) {
  if (streams === undefined) return {}
  const accepts = (status: number, headers: IncomingHttpHeaders) =>
    status === 200 && headers['content-encoding'] === undefined && streams(headers['content-type'])
  return { stream: { accepts, maxBytes: streamBytes, idleMs: streamIdleMs } }
}

function toExchange(settings: UpstreamSettings, basePath: string, request: UpstreamRequest): ExchangeRequest {
  const type = request.contentType === undefined ? [] : ['content-type', request.contentType]
  const own = [...settings.headers, ...type, ...(request.ownFields ?? [])]
  return {
    method: request.method,
    path: `${basePath}${request.path}${request.query}`,
    headers: upstreamRequestFields(request.header, { declared: request.requestFields ?? [], own }),
    body: request.body.length === 0 ? undefined : request.body,
    timeoutMs: settings.timeoutMs,
    maxBytes: settings.answerBytes,
    signal: request.signal,
    ...streamRequest(settings, request),
  }
}

async function send(pool: Pool, exchange: ExchangeRequest, clock: Clock): Promise<ExchangeAnswer> {
  const startedMs = clock.now()
  try {
    return await exchangeWithUpstream(pool, exchange)
  } catch (error) {
    const again = error instanceof Problem && isStaleConnection(error) && repeatable.has(exchange.method)
    const leftMs = exchange.timeoutMs - Math.max(0, clock.now() - startedMs)
    if (!again || exchange.signal?.aborted === true || leftMs <= 0) throw error
    return exchangeWithUpstream(pool, { ...exchange, timeoutMs: leftMs })
  }
}

function released(answer: ExchangeAnswer, request: UpstreamRequest): ForwardedAnswer {
  const { status, headers } = answer
  if (status >= 500) throw new Problem('upstream-error', 'the upstream failed')
  if (status === 304 && !isConditional(request.header)) {
    throw new Problem('upstream-invalid', 'the upstream answered a condition that nobody made')
  }
  if (status >= 300 && status < 400 && status !== 304 && request.declaresStatus?.(status) !== true) {
    throw new Problem('upstream-error', 'the upstream answered with a redirection, which is not followed')
  }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('upstream-invalid', 'the upstream compressed its answer, which therefore cannot be checked')
  }
  const { body, stream } = answer
  return { status, headers: releasedAnswerFields(headers, request.answerFields ?? []), body, stream }
}

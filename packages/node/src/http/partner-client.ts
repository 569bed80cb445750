/** Carries requests to partners' nodes: one pool of kept-alive TLS 1.3 connections a partner, trust as configured,
 *  bodies collected in memory under a limit. undici's `dispatch`, since it costs a third of `fetch`. */
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '@comity/core/problems'
import type { Dispatcher } from 'undici'
import { Pool } from './undici-parts.ts'
import { IncomingStream, type IncomingStreamOptions, type StreamedBody } from './incoming-stream.ts'
import { guardedConnector, type ConnectorOptions, type PeerTrust } from './connector.ts'

export interface PartnerEndpoint {
  readonly did: string
  /** `host[:port]`. */
  readonly authority: string
}

export interface PartnerRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  /** Name, value, name, value … */
  readonly headers: readonly string[]
  readonly body: Uint8Array
  readonly timeoutMs: number
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal
  /** Of a 200 whose signature is announced as a trailer field, only the head is waited for. */
  readonly stream?: Pick<IncomingStreamOptions, 'maxBytes' | 'idleMs'>
}

export interface PartnerAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** Instead of `body`, which is empty then: one that is still on its way. Must be read to its end, or cancelled. */
  readonly stream?: StreamedBody | undefined
}

export interface PartnerClient extends AsyncDisposable {
  /** Throws `partner-unreachable`, `partner-timeout`, `tls-untrusted`, `address-forbidden` or `answer-invalid`. */
  send(partner: PartnerEndpoint, request: PartnerRequest): Promise<PartnerAnswer>
  /** Drops the partner's connections, for instance because its TLS keys changed. */
  forget(did: string): void
}

export interface PartnerClientOptions extends Omit<ConnectorOptions, 'trust' | 'timeoutMs'> {
  readonly trustFor: (did: string) => PeerTrust
  readonly connectionsPerPartner: number
  readonly answerBytes: number
}

export function createPartnerClient(options: PartnerClientOptions): PartnerClient {
  const pools = new Map<string, { authority: string; cert: string | undefined; pool: Pool }>()

  function poolOf({ did, authority }: PartnerEndpoint): Pool {
    const known = pools.get(did)
    // After a rotation of the own TLS key, connections that present its predecessor are not kept.
    const cert = options.clientCertificate?.().cert
    if (known?.authority === authority && known.cert === cert) return known.pool
    if (known !== undefined) void known.pool.close()
    const connect = guardedConnector({ ...options, trust: () => options.trustFor(did) })
    const pool = new Pool(`https://${authority}`, {
      connect,
      connections: options.connectionsPerPartner,
      pipelining: 1,
      keepAliveTimeout: 30_000,
    })
    pools.set(did, { authority, cert, pool })
    return pool
  }

  return {
    send: (partner, request) => send({ pool: poolOf(partner), partner, answerBytes: options.answerBytes }, request),
    forget(did) {
      const known = pools.get(did)
      pools.delete(did)
      void known?.pool.close()
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...pools.values()].map(({ pool }) => pool.destroy()))
      pools.clear()
    },
  }
}

interface Peer {
  readonly pool: Pool
  readonly partner: PartnerEndpoint
  readonly answerBytes: number
}

function send({ pool, partner, answerBytes }: Peer, request: PartnerRequest): Promise<PartnerAnswer> {
  return new Promise((resolve, reject) => {
    if (request.timeoutMs <= 0) return reject(timedOut(partner))
    const { method: asked, stream } = request
    const collector = new AnswerCollector({ partner, limit: answerBytes, method: asked, stream }, { resolve, reject })
    collector.startTimer(request.timeoutMs)
    collector.giveUpOn(request.signal)
    const { method, target, headers, body } = request
    pool.dispatch(
      {
        method: method as Dispatcher.HttpMethod,
        path: target,
        headers: [...headers],
        body: body.length > 0 ? Buffer.from(body.buffer, body.byteOffset, body.length) : null,
      },
      collector,
    )
  })
}

function timedOut({ did }: PartnerEndpoint): Problem {
  return new Problem('partner-timeout', `the node of \`${did}\` did not answer in time`)
}

interface Settle {
  readonly resolve: (answer: PartnerAnswer) => void
  readonly reject: (error: Error) => void
}

function tooLarge(limitBytes: number): Problem {
  return new Problem('answer-invalid', `the answer is over ${limitBytes} bytes`)
}

/** What is asked of whom, and how large the answer may be. */
interface Asked {
  readonly partner: PartnerEndpoint
  readonly limit: number
  readonly method: string
  readonly stream: PartnerRequest['stream']
}

/** Collects one answer. Repeated fields are joined as RFC 9110 §5.3 says. */
class AnswerCollector implements Dispatcher.DispatchHandler {
  readonly #partner: PartnerEndpoint
  readonly #limit: number
  readonly #bodiless: boolean
  readonly #streamed: PartnerRequest['stream']
  #stream: IncomingStream | undefined
  readonly #resolve: (answer: PartnerAnswer) => void
  readonly #reject: (error: Error) => void
  readonly #chunks: Buffer[] = []
  #size = 0
  #status = 0
  #headers: ReadonlyMap<string, string> = new Map()
  #timer: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #failure: Problem | undefined
  #release: () => void = () => {}

  constructor(asked: Asked, settle: Settle) {
    this.#partner = asked.partner
    this.#limit = asked.limit
    this.#bodiless = asked.method === 'HEAD'
    this.#streamed = asked.stream
    this.#resolve = settle.resolve
    this.#reject = settle.reject
  }

  startTimer(timeoutMs: number): void {
    this.#timer = setTimeout(() => this.#fail(timedOut(this.#partner)), timeoutMs)
  }

  giveUpOn(signal: AbortSignal | undefined): void {
    if (signal === undefined) return
    const giveUp = (): void => this.#fail(unreachable(this.#partner, new Error('given up')))
    signal.addEventListener('abort', giveUp)
    this.#release = () => signal.removeEventListener('abort', giveUp)
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#release()
  }

  #fail(problem: Problem): void {
    this.#failure ??= problem
    this.#end()
    this.#controller?.abort(this.#failure)
    this.#reject(this.#failure)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#failure !== undefined) controller.abort(this.#failure)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    this.#status = status
    const names = new Map<string, string>()
    for (const name in headers) {
      const value = headers[name]
      if (value !== undefined) names.set(name, Array.isArray(value) ? value.join(', ') : value)
    }
    this.#headers = names
    if (this.#streamed !== undefined && this.#failure === undefined && status === 200 && announcesSignature(names)) {
      return this.#openStream(controller, this.#streamed)
    }
    // HEAD announces a length of which nothing comes.
    if (!this.#bodiless && Number(names.get('content-length') ?? 0) > this.#limit) this.#fail(tooLarge(this.#limit))
  }

  #openStream(controller: Dispatcher.DispatchController, { maxBytes, idleMs }: NonNullable<Asked['stream']>): void {
    this.#end()
    const problems = { tooLarge: () => tooLarge(maxBytes), silent: () => silent(this.#partner) }
    this.#stream = new IncomingStream(controller, { maxBytes, idleMs, problems })
    this.#resolve({ status: this.#status, headers: this.#headers, body: new Uint8Array(0), stream: this.#stream })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stream !== undefined) return this.#stream.push(chunk)
    this.#size += chunk.length
    if (this.#size > this.#limit) this.#fail(tooLarge(this.#limit))
    else this.#chunks.push(chunk)
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#stream !== undefined) return this.#stream.complete(trailers)
    this.#end()
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#stream !== undefined) return this.#stream.fail(cut(error))
    this.#end()
    this.#reject(error instanceof Problem ? error : unreachable(this.#partner, error))
  }
}

/** A streamed answer says in its head that its signature comes at its end (RFC 9110 §6.6.2). */
function announcesSignature(headers: ReadonlyMap<string, string>): boolean {
  const names = (headers.get('trailer') ?? '').toLowerCase().split(',')
  return names.some((name) => name.trim() === 'signature')
}

function cut(cause: Error): Problem {
  return new Problem('stream-cut', 'the partner cut the answer off before its end', { cause })
}

function silent({ did }: PartnerEndpoint): Problem {
  return new Problem('stream-cut', `the node of \`${did}\` sent nothing for too long within its answer`)
}

function unreachable({ did }: PartnerEndpoint, cause: Error): Problem {
  if (cause.cause instanceof Problem) return cause.cause
  if ((cause as { code?: string }).code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new Problem('answer-invalid', 'the header fields of the answer are too large', { cause })
  }
  return new Problem('partner-unreachable', `the connection to the node of \`${did}\` failed`, { cause })
}

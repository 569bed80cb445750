/** One call over an undici pool, with as little as possible around it: the answer's body is collected up to a limit,
 *  one timer bounds the whole call. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { Problem } from '@comity/core/problems'
import { IncomingStream, type IncomingStreamOptions } from '../../http/incoming-stream.ts'

export interface ExchangeRequest {
  readonly method: string
  readonly path: string
  /** Name and value in turn. */
  readonly headers: string[]
  readonly body: Buffer | undefined
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal: AbortSignal | undefined
  /** Which answers are read while they arrive: their head alone is waited for. */
  readonly stream?: StreamRequest | undefined
}

export interface StreamRequest extends Pick<IncomingStreamOptions, 'maxBytes' | 'idleMs'> {
  readonly accepts: (status: number, headers: IncomingHttpHeaders) => boolean
}

export interface ExchangeAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Instead of `body`, which is empty then: one that is still on its way. */
  readonly stream?: IncomingStream | undefined
}

const noBytes = Buffer.alloc(0)

/** Sends the request and collects the answer. Throws `upstream-timeout`, `upstream-too-large`, `upstream-unreachable`
 *  (nothing was sent), `upstream-lost` (it may have acted on the request), `upstream-error`, or the signal's reason. */
export function exchangeWithUpstream(dispatcher: Dispatcher, request: ExchangeRequest): Promise<ExchangeAnswer> {
  return new Promise((resolve, reject) => {
    const collector = new AnswerCollector(request, resolve, reject)
    dispatcher.dispatch(
      { method: request.method, path: request.path, headers: request.headers, body: request.body ?? null },
      collector,
    )
  })
}

/** True when the upstream closed the connection under the call, as it may with one that was kept. */
export function isStaleConnection(problem: Problem): boolean {
  const code = (problem.cause as { code?: unknown } | undefined)?.code
  return problem.code === 'upstream-lost' && (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
}

class AnswerCollector implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest
  readonly #resolve: (answer: ExchangeAnswer) => void
  readonly #reject: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  /** Why the call was given up, once it was. */
  #ended: { readonly reason: unknown } | undefined
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #chunks: Buffer[] = []
  #size = 0
  #stream: IncomingStream | undefined

  constructor(request: ExchangeRequest, resolve: (answer: ExchangeAnswer) => void, reject: (error: unknown) => void) {
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = setTimeout(this.#onTimeout, request.timeoutMs)
    if (request.signal?.aborted === true) this.#onAbort()
    else request.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  readonly #onTimeout = () => {
    this.#giveUp(new Problem('upstream-timeout', `the upstream did not answer within ${this.#request.timeoutMs} ms`))
  }

  readonly #onAbort = () => {
    this.#giveUp(this.#request.signal?.reason)
  }

  /** Ends the call for the caller at once; the connection is torn down as soon as there is one. */
  #giveUp(reason: unknown): void {
    if (this.#ended !== undefined) return
    this.#end(reason)
    this.#chunks = []
    this.#reject(reason)
    this.#controller?.abort(reason instanceof Error ? reason : new Error('given up'))
  }

  #end(reason: unknown): void {
    this.#ended = { reason }
    clearTimeout(this.#timer)
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#ended === undefined) return
    const { reason } = this.#ended
    controller.abort(reason instanceof Error ? reason : new Error('given up'))
  }

  onRequestUpgrade(): void {
    this.#giveUp(new Problem('upstream-error', 'the upstream switched protocols'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
    const { stream } = this.#request
    if (stream?.accepts(status, headers) === true) return this.#openStream(controller, stream)
    const announced = Number(headers['content-length'] ?? 0)
    if (announced > this.#request.maxBytes && this.#request.method !== 'HEAD') this.#giveUp(this.#tooLarge())
  }

  #openStream(controller: Dispatcher.DispatchController, { maxBytes, idleMs }: StreamRequest): void {
    if (this.#ended !== undefined) return
    this.#end(undefined)
    const problems = { tooLarge: () => tooLarge(maxBytes), silent: () => silent(idleMs) }
    this.#stream = new IncomingStream(controller, { maxBytes, idleMs, problems })
    this.#resolve({ status: this.#status, headers: this.#headers, body: noBytes, stream: this.#stream })
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stream !== undefined) return this.#stream.push(chunk)
    if (this.#ended !== undefined) return
    this.#size += chunk.length
    if (this.#size > this.#request.maxBytes) this.#giveUp(this.#tooLarge())
    else this.#chunks.push(chunk)
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#stream !== undefined) return this.#stream.complete(trailers)
    if (this.#ended !== undefined) return
    this.#end(undefined)
    const [first = noBytes] = this.#chunks
    const body = this.#chunks.length < 2 ? first : Buffer.concat(this.#chunks, this.#size)
    this.#resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#stream !== undefined) return this.#stream.fail(lost(error))
    if (this.#ended !== undefined) return
    // A controller is given when the request is about to be written: before that, nothing can have been done.
    const problem =
      this.#controller === undefined
        ? new Problem('upstream-unreachable', 'the upstream cannot be reached', { cause: error })
        : lost(error)
    this.#end(problem)
    this.#reject(problem)
  }

  #tooLarge(): Problem {
    return tooLarge(this.#request.maxBytes)
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('upstream-too-large', `the answer is larger than ${maxBytes} bytes`)
}

function silent(idleMs: number): Problem {
  return new Problem('upstream-timeout', `the upstream sent nothing for ${idleMs} ms within its answer`)
}

function lost(cause: Error): Problem {
  return new Problem('upstream-lost', 'the connection to the upstream was lost before the answer was whole', { cause })
}

/** The body of an answer that is read while it arrives: no more of it is taken from the network than its reader asks
 *  for, and a sender that says nothing for too long is given up. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Problem } from '@comity/core/problems'
import { passedBytes } from './stream-garbage.ts'

/** A body on its way. One reader at a time. */
export interface StreamedBody {
  /** The next bytes; undefined at the clean end. Rejects when the body does not come to one. */
  next(): Promise<Uint8Array | undefined>
  /** Trailer fields by lower-case name (RFC 9110 §6.5), once the end was seen; repeated ones are joined (§5.3). */
  readonly trailers: ReadonlyMap<string, string>
  /** Wants no more of it: the connection is closed. May be called at any time. */
  cancel(): void
}

export interface IncomingStreamOptions {
  readonly maxBytes: number
  /** Longest wait for the next bytes, in milliseconds. */
  readonly idleMs: number
  readonly problems: {
    readonly tooLarge: () => Problem
    readonly silent: () => Problem
  }
}

/** How a body came to its end: whole, not whole, or unwanted. */
export type StreamEnd = { readonly how: 'ended' | 'cancelled' } | { readonly how: 'failed'; readonly reason: unknown }

/** What waits in memory at most before the sender is told to wait, and when it may go on. */
const highWaterBytes = 131_072
const lowWaterBytes = 32_768
/** What a chunk takes beside its bytes, about: a sender that writes row by row leaves more of this than of bytes. */
const objectBytes = 512

/** Chunks that wait are joined up to so many bytes. */
const pieceBytes = 65_536

interface Waiting {
  readonly resolve: (chunk: Uint8Array | undefined) => void
  readonly reject: (reason: unknown) => void
  readonly timer: NodeJS.Timeout
}

/** Fed by an undici handler from `onResponseStart` on. */
export class IncomingStream implements StreamedBody {
  readonly #controller: Dispatcher.DispatchController
  readonly #options: IncomingStreamOptions
  readonly #settle: (end: StreamEnd) => void
  /** Resolves when nothing more comes. */
  readonly settled: Promise<StreamEnd>
  #chunks: Buffer[] = []
  #waitingBytes = 0
  #received = 0
  #isPaused = false
  #end: StreamEnd | undefined
  #reader: Waiting | undefined
  #trailers: ReadonlyMap<string, string> = new Map()

  constructor(controller: Dispatcher.DispatchController, options: IncomingStreamOptions) {
    this.#controller = controller
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<StreamEnd>()
    this.settled = promise
    this.#settle = resolve
  }

  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers
  }

  next(): Promise<Uint8Array | undefined> {
    if (this.#chunks.length > 0) {
      const chunk = this.#take()
      this.#waitingBytes -= chunk.length
      if (this.#isPaused && this.#waitingBytes < lowWaterBytes) this.#resume()
      return Promise.resolve(chunk)
    }
    if (this.#end?.how === 'ended') return Promise.resolve(undefined)
    if (this.#end !== undefined) return Promise.reject(reasonOf(this.#end))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(this.#options.problems.silent()), this.#options.idleMs)
      this.#reader = { resolve, reject, timer }
    })
  }

  /** What waits, joined to pieces of a useful size: a sender that writes row by row would otherwise have each row pass
   *  as a write, and a record of TLS, of its own, whose cost in memory and time is many times the row's. */
  #take(): Buffer {
    let count = 1
    let bytes = this.#chunks[0]?.length ?? 0
    for (; count < this.#chunks.length; count++) {
      bytes += this.#chunks[count]?.length ?? 0
      if (bytes > pieceBytes) break
    }
    const taken = this.#chunks.splice(0, count)
    return count === 1 ? (taken[0] as Buffer) : Buffer.concat(taken)
  }

  cancel(): void {
    if (this.#end !== undefined) return
    this.#finish({ how: 'cancelled' })
    this.#controller.abort(new Error('not wanted any more'))
  }

  /** From the handler: bytes have come. */
  push(chunk: Buffer): void {
    if (this.#end !== undefined) return
    this.#received += chunk.length
    passedBytes(chunk.length + objectBytes)
    if (this.#received > this.#options.maxBytes) return this.#giveUp(this.#options.problems.tooLarge())
    if (this.#reader !== undefined) return this.#answer(({ resolve }) => resolve(chunk))
    this.#chunks.push(chunk)
    this.#waitingBytes += chunk.length
    if (!this.#isPaused && this.#waitingBytes >= highWaterBytes) this.#pause()
  }

  /** From the handler: the message is complete. */
  complete(trailers: IncomingHttpHeaders): void {
    if (this.#end !== undefined) return
    this.#trailers = joinedFields(trailers)
    this.#finish({ how: 'ended' })
  }

  /** From the handler: the message will not be complete. What has come and was not read is dropped. */
  fail(reason: unknown): void {
    if (this.#end === undefined) this.#finish({ how: 'failed', reason })
  }

  #giveUp(problem: Problem): void {
    this.fail(problem)
    this.#controller.abort(problem)
  }

  #finish(end: StreamEnd): void {
    this.#end = end
    if (end.how !== 'ended') this.#chunks = []
    this.#answer(({ resolve, reject }) => (end.how === 'ended' ? resolve(undefined) : reject(reasonOf(end))))
    this.#settle(end)
  }

  #answer(give: (reader: Waiting) => void): void {
    const reader = this.#reader
    if (reader === undefined) return
    this.#reader = undefined
    clearTimeout(reader.timer)
    give(reader)
  }

  #pause(): void {
    this.#isPaused = true
    this.#controller.pause()
  }

  #resume(): void {
    this.#isPaused = false
    this.#controller.resume()
  }
}

function reasonOf(end: StreamEnd): unknown {
  return end.how === 'failed' ? end.reason : new Error('the body was not wanted any more')
}

function joinedFields(fields: IncomingHttpHeaders): ReadonlyMap<string, string> {
  const joined = new Map<string, string>()
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) joined.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value)
  }
  return joined
}

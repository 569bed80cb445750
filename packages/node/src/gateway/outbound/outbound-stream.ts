/** A streamed answer at the recipient: passed on to the application while it is hashed. At its end the trailer fields are
 *  verified like the fields of any other answer, the exchange is recorded, and only then does the application get the
 *  last bytes and a clean end. An answer that does not verify, or was cut off, is cut off for the application too. */
import { createHash } from 'node:crypto'
import { Problem } from '@comity/core/problems'
import type { StreamedBody } from '../../http/incoming-stream.ts'
import { asProblem } from '../../http/problem-response.ts'
import type { ReplySink, ReplyStream } from '../../http/reply-stream.ts'
import type { Attempted } from './send-request.ts'
import type { RawAnswer } from './verify-answer.ts'

/** An attempt whose answer is still on its way. */
export interface StreamedAttempt {
  readonly attempted: Attempted
  readonly answer: RawAnswer
  readonly body: StreamedBody
  readonly judge: (answer: RawAnswer) => Promise<Attempted>
}

/** The attempt as a streamed one; undefined when its answer is whole, or there is none. */
export function streamedAttempt(attempted: Attempted): StreamedAttempt | undefined {
  const { answer, judge } = attempted
  if (answer?.stream === undefined || judge === undefined) return undefined
  return { attempted, answer, body: answer.stream, judge }
}

export interface OutboundStreamParts {
  /** How long the application may take nothing, in milliseconds. */
  readonly idleMs: number
  /** Durable on return: how the exchange ended, and how many bytes came. Called once. */
  readonly record: (attempted: Attempted, bytes: number) => Promise<void>
}

/** Fields at the end of what the application gets, as the holder signed them. */
const returnedTrailers = ['content-digest', 'comity-receipt']

/** The body for the application. */
export function passStream(streamed: StreamedAttempt, { idleMs, record }: OutboundStreamParts): ReplyStream {
  return {
    trailers: returnedTrailers,
    idleMs,
    async send(sink) {
      const passage = new Passage(streamed.body)
      const attempted = await ended(streamed, passage, sink)
      await record(attempted, passage.bytes)
      if (attempted.problem !== undefined) throw attempted.problem
      await passage.release(sink)
      const { trailers } = streamed.body
      return returnedTrailers.flatMap((name) => [name, trailers.get(name) ?? ''])
    },
  }
}

/** Passes everything on but the last bytes, and judges the end. */
async function ended(streamed: StreamedAttempt, passage: Passage, sink: ReplySink): Promise<Attempted> {
  const { attempted, answer, body, judge } = streamed
  let isGone = false
  sink.onGone(() => {
    isGone = true
    body.cancel()
  })
  try {
    await passage.run(sink)
    const { stream: _, ...head } = answer
    return await judge({ ...head, end: { trailers: body.trailers, hash: passage.hash() } })
  } catch (error) {
    body.cancel()
    const problem = isGone ? new Problem('stream-cut', 'the application went away') : asProblem(error)
    return { ...attempted, problem }
  }
}

/** The bytes on their way, of which the newest are kept back. */
class Passage {
  readonly #body: StreamedBody
  readonly #hash = createHash('sha256')
  #kept: Uint8Array | undefined
  bytes = 0

  constructor(body: StreamedBody) {
    this.#body = body
  }

  async run(sink: ReplySink): Promise<void> {
    for (let chunk = await this.#body.next(); chunk !== undefined; chunk = await this.#body.next()) {
      this.#hash.update(chunk)
      this.bytes += chunk.length
      await this.release(sink)
      this.#kept = chunk
    }
  }

  async release(sink: ReplySink): Promise<void> {
    const kept = this.#kept
    this.#kept = undefined
    if (kept !== undefined) await sink.write(kept)
  }

  hash(): Uint8Array {
    return this.#hash.digest()
  }
}

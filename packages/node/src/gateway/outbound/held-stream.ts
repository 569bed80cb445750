/** A streamed answer at the recipient that is read whole, and verified, before anything of it is handed over: for an
 *  application that could not tell its end from a cut, and for what is to be kept. */
import { createHash } from 'node:crypto'
import { Problem } from '@comity/core/problems'
import type { StreamedBody } from '../../http/incoming-stream.ts'
import { asProblem } from '../../http/problem-response.ts'
import type { StreamedAttempt } from './outbound-stream.ts'
import type { Attempted } from './send-request.ts'

export interface HoldOptions {
  readonly maxBytes: number
  /** True once it takes too long. */
  readonly isLate: () => boolean
}

/** What came of a stream: to its end, or to where it was too much, took too long, or broke. */
export interface HeldStream {
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
  readonly end: 'whole' | 'too-long' | 'too-slow' | Problem
}

/** Reads to the end, or as far as is allowed. Never throws. */
export async function holdStream(body: StreamedBody, { maxBytes, isLate }: HoldOptions): Promise<HeldStream> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxBytes) return { chunks, bytes, end: 'too-long' }
      if (isLate()) return { chunks, bytes, end: 'too-slow' }
    }
    return { chunks, bytes, end: 'whole' }
  } catch (error) {
    return { chunks, bytes, end: asProblem(error) }
  }
}

/** The attempt with its answer as any other that came whole: its receipt among the fields of its head. Of an answer that
 *  is not whole, or does not verify, why there is none. */
export async function judgeHeld(streamed: StreamedAttempt, held: HeldStream, maxBytes: number): Promise<Attempted> {
  const { attempted, answer, body, judge } = streamed
  const { chunks, end } = held
  if (end !== 'whole') {
    body.cancel()
    return { ...attempted, problem: end instanceof Problem ? end : unheld(end, maxBytes) }
  }
  const { stream: _, ...head } = answer
  const whole = Buffer.concat(chunks)
  const { trailers } = body
  const judged = await judge({
    ...head,
    body: whole,
    end: { trailers, hash: createHash('sha256').update(whole).digest() },
  })
  const receipt = trailers.get('comity-receipt')
  if (judged.verified === undefined || judged.answer === undefined || receipt === undefined) return judged
  const headers = new Map([...judged.answer.headers, ['comity-receipt', receipt]])
  return { ...judged, answer: { ...judged.answer, headers } }
}

function unheld(end: 'too-long' | 'too-slow', maxBytes: number): Problem {
  if (end === 'too-slow') return new Problem('partner-timeout', 'the streamed answer did not come to its end in time')
  return new Problem('stream-too-large', `the streamed answer is over ${maxBytes} bytes`, {
    members: { limitBytes: maxBytes },
  })
}

/** The stream from its beginning again. */
export function replayed({ chunks }: HeldStream, body: StreamedBody): StreamedBody {
  const waiting = chunks.values()
  return {
    async next() {
      const { value } = waiting.next()
      return value ?? (await body.next())
    },
    get trailers() {
      return body.trailers
    },
    cancel: () => body.cancel(),
  }
}

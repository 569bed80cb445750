/** An answer that is read while it arrives: bytes, or rows of NDJSON, and an error unless it comes to a clean end. */
import type { StreamedAnswer } from './call-options.ts'
import { ComityError } from './comity-error.ts'
import { factsOf, headOf, mediaTypeOf } from './judge-answer.ts'
import type { ReceivedAnswer } from './send-once.ts'
import type { World } from './world.ts'

interface StreamBounds {
  /** For each wait. */
  readonly timeoutMs: number
  readonly maxRowBytes: number
  readonly signal: AbortSignal | undefined
}

/** The streamed answer whose head has come. */
export function streamedAnswer(
  answer: ReceivedAnswer,
  bounds: StreamBounds,
  world: Pick<World, 'sleep'>,
): StreamedAnswer {
  const body = { [Symbol.asyncIterator]: () => chunksOf(answer, bounds, world) }
  return {
    ...headOf(answer),
    body,
    rows: <Row>() => ({ [Symbol.asyncIterator]: () => rowsOf(answer, body, bounds) as AsyncGenerator<Row> }),
  }
}

async function* chunksOf(
  answer: ReceivedAnswer,
  { timeoutMs, signal }: StreamBounds,
  { sleep }: Pick<World, 'sleep'>,
): AsyncGenerator<Uint8Array, undefined> {
  const { reader } = answer
  if (reader === undefined) {
    if (answer.bytes.length > 0) yield answer.bytes
    return
  }
  try {
    for (;;) {
      const { done, value } = await withinTime(reader.read(), { timeoutMs, signal }, sleep)
      if (done) return
      yield value
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof ComityError) throw cause
    throw new ComityError('answer-incomplete', 'the answer was cut off before its end', { ...factsOf(answer), cause })
  } finally {
    // Nobody waits for the end of what is not wanted any more.
    reader.cancel().catch(() => undefined)
  }
}

async function withinTime<T>(
  promise: Promise<T>,
  { timeoutMs, signal }: Pick<StreamBounds, 'timeoutMs' | 'signal'>,
  sleep: World['sleep'],
): Promise<T> {
  const over = new AbortController()
  const stop = () => over.abort()
  signal?.addEventListener('abort', stop)
  const waited = sleep(timeoutMs, over.signal).then((): never => {
    signal?.throwIfAborted()
    throw new ComityError('timed-out', `nothing more of the answer came for ${timeoutMs} ms`)
  })
  try {
    if (signal?.aborted === true) stop()
    return await Promise.race([promise, waited])
  } finally {
    signal?.removeEventListener('abort', stop)
    waited.catch(() => undefined)
    over.abort()
  }
}

const rowTypes = new Set(['application/x-ndjson', 'application/jsonl'])

async function* rowsOf(
  answer: ReceivedAnswer,
  body: AsyncIterable<Uint8Array>,
  { maxRowBytes }: StreamBounds,
): AsyncGenerator<unknown, undefined> {
  const type = mediaTypeOf(answer)
  if (!rowTypes.has(type)) {
    await answer.reader?.cancel()
    throw new ComityError(
      'answer-not-json',
      `the answer has no rows, but the content type \`${type}\``,
      factsOf(answer),
    )
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoded(answer, () => decoder.decode(chunk, { stream: true }))).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxRowBytes) {
      throw new ComityError('answer-too-large', `a row is longer than ${maxRowBytes} bytes`, factsOf(answer))
    }
    for (const line of lines) if (line.trim() !== '') yield decoded(answer, () => JSON.parse(line) as unknown)
  }
  rest += decoded(answer, () => decoder.decode())
  if (rest.trim() !== '') yield decoded(answer, () => JSON.parse(rest) as unknown)
}

/** The parser's own message quotes the data, which may be personal. */
function decoded<T>(answer: ReceivedAnswer, read: () => T): T {
  try {
    return read()
  } catch {
    throw new ComityError('answer-not-json', 'a row of the answer is not JSON', factsOf(answer))
  }
}

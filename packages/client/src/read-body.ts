/** The body of an answer, whole, and no longer than is wanted. */
import { ComityError } from './comity-error.ts'
import { untilAborted } from './deadline.ts'

/** Throws `answer-too-large` as soon as it is longer, `answer-incomplete`, and what the signal was aborted with. */
export async function readBody(response: Response, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await untilAborted(reader.read(), signal)
      if (done) return joined(chunks, length)
      length += value.length
      if (length > maxBytes)
        throw new ComityError('answer-too-large', `the answer is longer than ${maxBytes} bytes`, facts(response))
      chunks.push(value)
    }
  } catch (cause) {
    // Nobody waits for the end of what is not wanted any more.
    reader.cancel().catch(() => undefined)
    signal.throwIfAborted()
    if (cause instanceof ComityError) throw cause
    throw new ComityError('answer-incomplete', 'the connection ended within the answer', { ...facts(response), cause })
  }
}

function facts({ status, headers }: Response): { status: number; exchangeId: string | undefined } {
  return { status, exchangeId: headers.get('comity-exchange') ?? undefined }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0]
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

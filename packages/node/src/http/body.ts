/** Reads a request body into memory, never more of it than allowed. */
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'

const empty = Buffer.alloc(0)

/** Room in memory for the bodies that are on their way, of all requests together. Without it, connections times the
 *  largest body would be the bound, and strangers could fill it. */
export interface BodyRoom {
  /** False, and nothing taken, when there is no room for so many bytes. */
  take(bytes: number): boolean
  give(bytes: number): void
}

export interface BodyLimits {
  /** Largest body. */
  readonly bytes: number
  /** Shared with other requests; callers who are trusted need none. */
  readonly room?: BodyRoom
}

/** Room for so many bytes. */
export function createBodyRoom(bytes: number): BodyRoom {
  let left = bytes
  return {
    take(count) {
      if (count > left) return false
      left -= count
      return true
    },
    give: (count) => void (left += count),
  }
}

function tooLarge(limitBytes: number): Problem {
  return new Problem('body-too-large', `the body is over ${limitBytes} bytes`, { members: { limitBytes } })
}

/** True when the head announces a body (RFC 9112 §6.3). */
export function announcesBody(headers: ReadonlyMap<string, string>): boolean {
  const length = headers.get('content-length')
  return headers.has('transfer-encoding') || (length !== undefined && length !== '0')
}

function noRoom(): Problem {
  return new Problem('concurrency-limited', 'too many bodies are being sent to this node', {
    members: { retryAfterSeconds: 1 },
  })
}

/** The whole body; at once when there is none. Throws `body-too-large` as soon as that is known, `concurrency-limited`
 *  when there is no room for it now, and `malformed-request` when the peer hangs up in the middle. */
export function readBody(
  message: IncomingMessage,
  headers: ReadonlyMap<string, string>,
  limits: BodyLimits,
): Promise<Buffer> | Buffer {
  if (!announcesBody(headers)) return empty
  const { bytes, room } = limits
  if (Number(headers.get('content-length') ?? 0) > bytes) throw tooLarge(bytes)
  return collect(message, bytes, room)
}

async function collect(message: IncomingMessage, bytes: number, room: BodyRoom | undefined): Promise<Buffer> {
  let taken = 0
  const admit = (count: number): Problem | undefined => {
    if (taken + count > bytes) return tooLarge(bytes)
    if (room?.take(count) === false) return noRoom()
    taken += count
    return undefined
  }
  try {
    return await chunksOf(message, admit)
  } finally {
    room?.give(taken)
  }
}

/** `admit` says what is wrong with taking so many bytes more. */
function chunksOf(message: IncomingMessage, admit: (count: number) => Problem | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const broken = () => reject(new Problem('malformed-request', 'the body ended before it was complete'))
    message.on('data', (chunk: Buffer) => {
      const refusal = admit(chunk.length)
      if (refusal === undefined) return void chunks.push(chunk)
      message.removeAllListeners('data')
      message.resume()
      reject(refusal)
    })
    message.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
    message.once('error', broken)
    message.once('aborted', broken)
  })
}

/** Reads a request body into memory, never more of it than allowed. */
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'

const empty = Buffer.alloc(0)

function tooLarge(limitBytes: number): Problem {
  return new Problem('body-too-large', `the body is over ${limitBytes} bytes`, { members: { limitBytes } })
}

/** True when the head announces a body (RFC 9112 §6.3). */
export function announcesBody(headers: ReadonlyMap<string, string>): boolean {
  const length = headers.get('content-length')
  return headers.has('transfer-encoding') || (length !== undefined && length !== '0')
}

/** The whole body; at once when there is none. Throws `body-too-large` as soon as that is known, and
 *  `malformed-request` when the peer hangs up in the middle. */
export function readBody(
  message: IncomingMessage,
  headers: ReadonlyMap<string, string>,
  limitBytes: number,
): Promise<Buffer> | Buffer {
  if (!announcesBody(headers)) return empty
  if (Number(headers.get('content-length') ?? 0) > limitBytes) throw tooLarge(limitBytes)
  return collect(message, limitBytes)
}

function collect(message: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const broken = () => reject(new Problem('malformed-request', 'the body ended before it was complete'))
    message.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limitBytes) {
        message.removeAllListeners('data')
        message.resume()
        reject(tooLarge(limitBytes))
      } else chunks.push(chunk)
    })
    message.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
    message.once('error', broken)
    message.once('aborted', broken)
  })
}

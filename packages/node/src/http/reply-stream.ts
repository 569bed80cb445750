/** Replies whose body is made while it leaves. The peer may take its time; a reply that does not come to its end is cut
 *  off, so that nobody takes what has left for the whole. */
import type { ServerResponse } from 'node:http'
import { Problem } from '@comity/core/problems'

/** A body that is made while it leaves. */
export interface ReplyStream {
  /** Names of the trailer fields, which the head announces. */
  readonly trailers: readonly string[]
  /** How long the peer may take nothing, in milliseconds. */
  readonly idleMs: number
  /** Writes the body and gives the trailer fields, name and value in turn. When it rejects, the connection is cut. Is
   *  called once for every reply, also for a peer that is gone already. */
  send(sink: ReplySink): Promise<readonly string[]>
}

/** Where a body goes. */
export interface ReplySink {
  /** Resolves when there is room for more. Rejects with `stream-cut` when the peer is gone or takes nothing. */
  write(chunk: Uint8Array): Promise<void>
  /** Called once when the peer is gone before the end. */
  onGone(listener: () => void): void
}

function gone(detail: string): Problem {
  return new Problem('stream-cut', detail)
}

/** Writes such a reply. Resolves when the connection has taken all of it, or was cut. */
export async function writeStream(
  response: ServerResponse,
  { status, headers }: { readonly status: number; readonly headers: readonly string[] },
  stream: ReplyStream,
): Promise<void> {
  const fault = begin(response, () => {
    response.writeHead(status, [...announced(stream), ...headers])
    response.flushHeaders()
  })
  try {
    const trailers = await stream.send(sinkOn(response, stream.idleMs))
    await ended(response, trailers)
  } catch (error) {
    response.destroy()
    if (!(error instanceof Problem)) throw error
  }
  if (fault !== undefined) throw fault.error
}

const announced = ({ trailers }: ReplyStream) => (trailers.length === 0 ? [] : ['trailer', trailers.join(', ')])

/** A head that Node refuses to write leaves a connection on which nothing can be written: the body's maker is told. */
function begin(response: ServerResponse, writeHead: () => void): { readonly error: unknown } | undefined {
  if (response.destroyed) return undefined
  try {
    writeHead()
    return undefined
  } catch (error) {
    response.destroy()
    return { error }
  }
}

function ended(response: ServerResponse, trailers: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve()
    response.once('close', resolve)
    const fields: [string, string][] = []
    for (let at = 0; at < trailers.length; at += 2) fields.push([trailers[at] as string, trailers[at + 1] as string])
    response.addTrailers(fields)
    response.end(resolve)
  })
}

function sinkOn(response: ServerResponse, idleMs: number): ReplySink {
  return {
    write(chunk) {
      if (response.destroyed) return Promise.reject(gone('the peer is gone'))
      if (response.write(chunk)) return Promise.resolve()
      return drained(response, idleMs)
    },
    onGone(listener) {
      if (response.destroyed) return listener()
      response.once('close', () => void (response.writableFinished || listener()))
    },
  }
}

function drained(response: ServerResponse, idleMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (problem: Problem | undefined) => {
      clearTimeout(timer)
      response.off('drain', onDrain)
      response.off('close', onClose)
      if (problem === undefined) resolve()
      else reject(problem)
    }
    const onDrain = () => done(undefined)
    const onClose = () => done(gone('the peer is gone'))
    const timer = setTimeout(() => done(gone(`the peer took nothing for ${idleMs} ms`)), idleMs)
    response.once('drain', onDrain)
    response.once('close', onClose)
  })
}

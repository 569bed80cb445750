/** Refuses what cannot be read as a request, on the bare connection, without cutting into answers that are on their
 *  way there: a peer must never take the refusal of one request for the answer to another. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Problem, problemDocument, type ProblemCode } from '@comity/core/problems'

export interface UnreadableOptions {
  /** Told of each connection refused before there was a request to speak of. */
  readonly onRefusedConnection?: (code: ProblemCode, remoteAddress: string) => void
  readonly requestId: () => string
}

/** How long a refused peer may take to close its side. */
const lingerMs = 2_000

/** The newest answer of a connection and the one before it; answers leave in the order of their requests. */
interface Answers {
  readonly last: ServerResponse
  readonly before: ServerResponse | undefined
}

/** What Node's parser found wrong, as one of our problems. */
function parserProblem(error: NodeJS.ErrnoException): ProblemCode {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large'
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout'
  return 'malformed-request'
}

function refuse(socket: Socket, code: ProblemCode, requestId: string): void {
  if (!socket.writable) return void socket.destroy()
  const problem = new Problem(code, 'the message is not readable as HTTP/1.1')
  const body = JSON.stringify({ ...problemDocument(problem), requestId })
  socket.setTimeout(lingerMs, () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const isUnderWay = (response: ServerResponse): boolean => !response.writableFinished && !response.destroyed

/** The answer that must have left before the connection may be refused. The fault may lie in the body of the newest
 *  request: then it is the refusal that answers it. */
function awaited({ last, before }: Answers): ServerResponse | undefined {
  const response = last.req.complete ? last : before
  return response !== undefined && isUnderWay(response) ? response : undefined
}

/** Watches over a server. To be told of each request before it is handled. */
export function refuseUnreadable(
  server: Server | HttpsServer,
  { onRefusedConnection, requestId }: UnreadableOptions,
): (message: IncomingMessage, response: ServerResponse) => void {
  const answers = new WeakMap<Socket, Answers>()
  const refused = new WeakSet<Socket>()

  function refuseLast(socket: Socket, code: ProblemCode): void {
    // The parser tells of the same fault again with every byte that comes.
    if (refused.has(socket)) return
    refused.add(socket)
    onRefusedConnection?.(code, socket.remoteAddress ?? '')
    const known = answers.get(socket)
    // The request was answered before its body was read to the end: one answer is enough.
    if (known?.last.headersSent === true && !known.last.req.complete) return void socket.end()
    const earlier = known && awaited(known)
    if (earlier === undefined) refuse(socket, code, requestId())
    else earlier.once('finish', () => refuse(socket, code, requestId()))
  }

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET') socket.destroy()
    else refuseLast(socket, parserProblem(error))
  })
  server.on('connect', (_message: IncomingMessage, socket: Socket) => refuseLast(socket, 'method-not-allowed'))
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy())
  return ({ socket }, response) => void answers.set(socket, { last: response, before: answers.get(socket)?.last })
}

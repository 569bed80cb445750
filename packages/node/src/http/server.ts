/** The node's listeners: HTTP or HTTPS with hard limits, errors as problem documents, and a drain that loses no call. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Problem, problemDocument, type ProblemCode } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from './problem-response.ts'

/** PEM texts of the listener's own key. */
export interface TlsIdentity {
  readonly cert: string
  readonly key: string
}

export interface ListenerOptions {
  readonly address: string
  readonly port: number
  /** HTTPS with TLS 1.3 when given, plain HTTP otherwise. */
  readonly tls?: TlsIdentity
  readonly limits: ListenerLimits
  readonly handle: (message: IncomingMessage) => Promise<Reply> | Reply
  /** Told of connections refused before there was a request to speak of. */
  readonly onRefusedConnection?: (code: ProblemCode, remoteAddress: string) => void
  readonly requestId: () => string
}

export interface ListenerLimits {
  readonly headerBytes: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveMs: number
  readonly connections: number
}

export interface Listener {
  readonly port: number
  /** Takes a new TLS key for connections that come from now on. */
  useTls(tls: TlsIdentity): void
  /** Stops accepting, lets running calls end, closes what is still open after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** Writes a reply; a peer that went away meanwhile is nobody's error. */
export function writeReply(response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return
  // A 204 or 304 has no content and must not announce any (RFC 9110 §8.6).
  const bare = reply.status === 204 || reply.status === 304 || response.req.method === 'HEAD'
  response.writeHead(
    reply.status,
    bare ? [...reply.headers] : ['content-length', String(reply.body.byteLength), ...reply.headers],
  )
  response.end(bare ? undefined : reply.body)
}

/** What Node's parser found wrong, as one of our problems. */
function parserProblem(error: NodeJS.ErrnoException): ProblemCode {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large'
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout'
  return 'malformed-request'
}

/** Answers on a bare socket: the request was not readable as HTTP. */
function refuseConnection(socket: Socket, code: ProblemCode, requestId: string): void {
  if (!socket.writable) return void socket.destroy()
  const problem = new Problem(code, 'the message is not readable as HTTP/1.1')
  const body = JSON.stringify({ ...problemDocument(problem), requestId })
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function createServer(options: ListenerOptions): Server | HttpsServer {
  const { limits, tls } = options
  const shared = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.max(250, Math.min(5_000, limits.headersTimeoutMs / 2)),
    noDelay: true,
  }
  if (tls === undefined) return createHttpServer(shared)
  return createHttpsServer({
    ...shared,
    ...tls,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    // A client certificate is asked for, and judged by the caller's DID document, not by an authority.
    requestCert: true,
    rejectUnauthorized: false,
  })
}

async function answer(options: ListenerOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  let reply: Reply
  try {
    reply = await options.handle(message)
  } catch (error) {
    reply = problemReply(asProblem(error), options.requestId())
  }
  // A body that nobody read would be taken for the next request.
  if (!message.complete) response.shouldKeepAlive = false
  writeReply(response, reply)
}

function refuseUnreadable(server: Server | HttpsServer, options: ListenerOptions): void {
  const refuse = (socket: Socket, code: ProblemCode) => {
    options.onRefusedConnection?.(code, socket.remoteAddress ?? '')
    refuseConnection(socket, code, options.requestId())
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET') socket.destroy()
    else refuse(socket, parserProblem(error))
  })
  server.on('connect', (_message: IncomingMessage, socket: Socket) => refuse(socket, 'method-not-allowed'))
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy())
}

/** Opens the listener; resolves when it accepts connections, throws the system's error when it cannot. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const server = createServer(options)
  server.maxConnections = options.limits.connections
  server.on('request', (message, response) => void answer(options, message, response))
  refuseUnreadable(server, options)
  server.listen({ host: options.address, port: options.port })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    useTls: (tls) => 'setSecureContext' in server && server.setSecureContext({ ...tls, minVersion: 'TLSv1.3' }),
    drain: (graceMs) => drain(server, graceMs),
  }
}

async function drain(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}

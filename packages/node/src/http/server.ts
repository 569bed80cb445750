/** The node's listeners: HTTP or HTTPS with hard limits, errors as problem documents, and a drain that loses no call. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { totalmem } from 'node:os'
import { Problem } from '@comity/core/problems'
import { readCallersOf } from './behind-balancers.ts'
import { createConnectionShares } from './connection-shares.ts'
import { asProblem, problemReply, type Reply } from './problem-response.ts'
import { writeStream } from './reply-stream.ts'
import { createUntakenAnswers, type UntakenAnswers } from './untaken-answers.ts'
import { refuseUnreadable, type UnreadableOptions } from './unreadable.ts'

// An import would read every export, and so load what is behind `WebSocket`: 35 ms and 14 MB that no listener needs.
const { createServer: createHttpServer } = process.getBuiltinModule('node:http')

/** PEM texts of the listener's own key. */
export interface TlsIdentity {
  readonly cert: string
  readonly key: string
}

export interface ListenerOptions extends UnreadableOptions {
  readonly address: string
  readonly port: number
  /** HTTPS with TLS 1.3 when given, plain HTTP otherwise. */
  readonly tls?: TlsIdentity
  /** False for listeners that browsers use, which would ask people for a certificate. */
  readonly asksForClientCertificate?: boolean
  /** Of its connections one address may have half, and less when others need them. Not for connections of balancers. */
  readonly sharesConnections?: boolean
  /** Networks (CIDR) of balancers that tell by the PROXY protocol who calls; for HTTPS. */
  readonly balancers?: readonly string[]
  readonly limits: ListenerLimits
  readonly handle: (message: IncomingMessage) => Promise<Reply> | Reply
  /** Told of a reply that could not be written; the caller gets `internal-error`. */
  readonly onInternalError?: (error: unknown) => void
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
  /** Asks every peer, with its next answer, to connect anew: to another node, when a balancer is in between. */
  announceEnd(): void
  /** Stops accepting, lets running calls end, closes what is still open after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** Writes a reply; a peer that went away meanwhile is nobody's error. Gives what is still being written of a stream. */
export function writeReply(
  response: ServerResponse,
  reply: Reply,
  untaken?: UntakenAnswers,
): Promise<void> | undefined {
  if (reply.stream !== undefined) return writeStream(response, reply, reply.stream)
  if (response.destroyed) return
  // A 204 or 304 has no content and must not announce any (RFC 9110 §8.6).
  const bare = reply.status === 204 || reply.status === 304 || response.req.method === 'HEAD'
  response.writeHead(
    reply.status,
    bare ? [...reply.headers] : ['content-length', String(reply.body.byteLength), ...reply.headers],
  )
  response.end(bare ? undefined : reply.body)
  if (!bare) untaken?.watch(response, reply.body.byteLength)
}

function createServer(options: ListenerOptions): Server | HttpsServer {
  const { limits, tls } = options
  const shared = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    // Node would answer without content; the node's own code refuses a request without `Host`.
    requireHostHeader: false,
    connectionsCheckingInterval: Math.max(250, Math.min(5_000, limits.headersTimeoutMs / 2)),
    noDelay: true,
  }
  if (tls === undefined) return createHttpServer(shared)
  const server = createHttpsServer({
    ...shared,
    ...tls,
    // Node would let a peer that never speaks hold its connection for two minutes.
    handshakeTimeout: limits.headersTimeoutMs,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    // A client certificate is asked for, and judged by the caller's DID document, not by an authority.
    requestCert: options.asksForClientCertificate ?? true,
    rejectUnauthorized: false,
  })
  const { balancers = [], onRefusedConnection } = options
  const timeoutMs = limits.headersTimeoutMs
  const onMalformed = (address: string) => onRefusedConnection?.('malformed-request', address)
  if (balancers.length > 0) readCallersOf(server, { balancers, timeoutMs, onMalformed })
  return server
}

/** What a listener keeps while it runs. */
interface ListenerState {
  isEnding: boolean
  /** Replies that are still being written. */
  readonly streams: Set<Promise<void>>
  /** All that are open, as they were accepted: the server itself knows those only that came as far as HTTP. */
  readonly sockets: Set<Socket>
  readonly untaken: UntakenAnswers
}

const mebibyte = 1024 * 1024

/** A quarter of the memory that this process may have. */
function quarterOfMemory(): number {
  const constrained = process.constrainedMemory()
  return Math.min(totalmem(), constrained > 0 ? constrained : Infinity) / 4
}

/** For all answers of a listener that wait for their peers. */
export const untakenBytes = Math.min(Math.max(quarterOfMemory(), 256 * mebibyte), 1024 * mebibyte)
/** How fast a peer takes an answer at least. */
const slowestBytesPerSecond = 16_384

async function answer(
  { options, state }: { readonly options: ListenerOptions; readonly state: ListenerState },
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let reply: Reply
  try {
    reply = await options.handle(message)
  } catch (error) {
    reply = problemReply(asProblem(error), options.requestId())
  }
  // A body that nobody read would be taken for the next request.
  if (!message.complete || state.isEnding) response.shouldKeepAlive = false
  try {
    follow({ options, state }, writeReply(response, reply, state.untaken))
  } catch (error) {
    // A field that Node refuses to write, before anything was written.
    options.onInternalError?.(error)
    writeReply(response, problemReply(asProblem(error), options.requestId()))
  }
}

/** Keeps a stream in sight until it is over. */
function follow(
  { options, state }: { readonly options: ListenerOptions; readonly state: ListenerState },
  stream: Promise<void> | undefined,
): void {
  if (stream === undefined) return
  const followed = stream.catch((error: unknown) => options.onInternalError?.(error))
  state.streams.add(followed)
  void followed.finally(() => state.streams.delete(followed))
}

function shareConnections(server: Server | HttpsServer, { limits, onRefusedConnection }: ListenerOptions): void {
  const shares = createConnectionShares(limits.connections)
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket
    if (shares.take(remoteAddress)) return void socket.once('close', () => shares.give(remoteAddress))
    onRefusedConnection?.('concurrency-limited', remoteAddress)
    socket.destroy()
  })
}

function listenProblem({ address, port }: ListenerOptions, cause: unknown): Problem {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason'
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'it is in use by another process',
    EADDRNOTAVAIL: 'the address is not one of this machine',
    EACCES: 'the system does not permit it',
  }
  return new Problem('listener-failed', `cannot listen on ${address}:${port}: ${reasons[code] ?? code}`, { cause })
}

async function listen(server: Server | HttpsServer, options: ListenerOptions): Promise<void> {
  server.listen({ host: options.address, port: options.port })
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw listenProblem(options, cause)
  }
}

/** Opens the listener; resolves when it accepts connections. Throws `listener-failed` when it cannot. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const server = createServer(options)
  const timeoutMs = options.limits.requestTimeoutMs
  const untaken = createUntakenAnswers({ roomBytes: untakenBytes, timeoutMs, slowestBytesPerSecond })
  const state: ListenerState = { isEnding: false, streams: new Set(), sockets: new Set(), untaken }
  server.maxConnections = options.limits.connections
  // Their size is the bound; beyond a count Node would drop fields without a word.
  server.maxHeadersCount = 0
  const note = refuseUnreadable(server, options)
  const take = (message: IncomingMessage, response: ServerResponse): void => {
    note(message, response)
    void answer({ options, state }, message, response)
  }
  if (options.sharesConnections === true) shareConnections(server, options)
  server.on('connection', (socket: Socket) => {
    state.sockets.add(socket)
    socket.once('close', () => state.sockets.delete(socket))
  })
  server.on('request', take)
  // RFC 9110 §10.1.1 lets a server overlook expectations that it does not know.
  server.on('checkExpectation', take)
  await listen(server, options)
  return {
    port: (server.address() as AddressInfo).port,
    useTls: (tls) => 'setSecureContext' in server && server.setSecureContext({ ...tls, minVersion: 'TLSv1.3' }),
    announceEnd: () => void (state.isEnding = true),
    drain: (graceMs) => {
      state.isEnding = true
      // What a cut stream still has to record is recorded.
      return drain(server, state, graceMs)
        .then(() => Promise.all(state.streams))
        .then(() => undefined)
    },
  }
}

async function drain(server: Server, { sockets }: ListenerState, graceMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => {
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
  }, graceMs)
  await closed
  clearTimeout(timer)
}

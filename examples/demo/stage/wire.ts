/** What stands at the federation's public address: a load balancer that carries bytes and can read none of them. For
 *  some steps a thief sits in it who holds the federation's own TLS key, and therefore reads and changes at will. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer, request as tlsRequest, type Server as TlsServer } from 'node:https'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { bodyOf } from './calls.ts'

/** A request as it went over the wire. */
export interface WireRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Sees each exchange, and says which answer is passed on. */
export type Thief = (request: WireRequest, answer: WireAnswer) => WireAnswer

export interface Wire extends AsyncDisposable {
  readonly port: number
  /** Where the bytes go. */
  connectTo(port: number): void
  /** Lets the thief in while `work` runs; connections that were open before and after are cut. */
  withThief<T>(tls: { cert: string; key: string }, thief: Thief, work: () => Promise<T>): Promise<T>
}

/** Opens the wire on a free port of the loopback interface. */
export async function openWire(): Promise<Wire> {
  const sockets = new Set<Socket>()
  const state: { target: number; thief: TlsServer | undefined } = { target: 0, thief: undefined }
  const server = createServer((socket) => {
    remember(sockets, socket)
    if (state.thief !== undefined) return void state.thief.emit('connection', socket)
    const onward = connect(state.target, '127.0.0.1')
    remember(sockets, onward)
    join(socket, onward)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => sockets.forEach((socket) => socket.destroy())

  return {
    port: (server.address() as AddressInfo).port,
    connectTo(port) {
      state.target = port
    },
    async withThief(tls, thief, work) {
      const inside = createTlsServer({ ...tls, minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'] })
      inside.on('request', (message, response) => {
        passOn(message, response, { port: state.target, thief }).catch(() => response.destroy())
      })
      state.thief = inside
      cut()
      try {
        return await work()
      } finally {
        state.thief = undefined
        cut()
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}

function remember(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.once('close', () => sockets.delete(socket))
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one)
  one.once('close', () => other.destroy())
  other.once('close', () => one.destroy())
}

async function passOn(
  message: IncomingMessage,
  response: ServerResponse,
  { port, thief }: { readonly port: number; readonly thief: Thief },
): Promise<void> {
  const request: WireRequest = {
    method: message.method ?? '',
    target: message.url ?? '',
    headers: plain(message),
    body: await bodyOf(message),
  }
  const { status, headers, body } = thief(request, await forward(port, request))
  response.writeHead(status, { ...headers, 'content-length': String(body.length) })
  response.end(body)
}

function forward(port: number, { method, target, headers, body }: WireRequest): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = tlsRequest(
      { host: '127.0.0.1', port, method, path: target, headers, agent: false, rejectUnauthorized: false },
      (answer) => {
        bodyOf(answer).then(
          (content) => resolve({ status: answer.statusCode ?? 0, headers: plain(answer), body: content }),
          reject,
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function plain({ headers }: IncomingMessage): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name !== 'connection' && name !== 'keep-alive')
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

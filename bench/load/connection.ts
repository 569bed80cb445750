/** One keep-alive HTTP/1.1 connection of the load generator, on a raw socket: one request at a time, answers with a
 *  `content-length` only (RFC 9112 §6.3). It costs a few microseconds a request, so that it is never the bottleneck. */

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Where the load goes. With `tls` the server's certificate is not judged: a bench trusts the machine it runs on. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly tls?: { readonly serverName: string; readonly certificate?: string; readonly key?: string }
}

/** What arrived: `head` is the status line and the fields as sent, `bodyBytes` what `content-length` said. */
export interface Answer {
  readonly status: number
  readonly head: string
  readonly bodyBytes: number
}

/** Called once for every request sent: with its answer, or with what ended the connection. */
export type OnAnswer = (answer: Answer | Error) => void

/** Shared by all connections: node fills it before each call of `take`, which is done with it on return. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

export class Connection {
  readonly #socket: Socket
  #onAnswer: OnAnswer = () => undefined
  #onBody: ((part: Buffer) => void) | undefined
  #head = ''
  #missing = -1
  #answer: Answer | undefined

  private constructor(target: Target) {
    const onread = {
      buffer: readBuffer,
      callback: (bytes: number, buffer: Uint8Array): boolean => {
        this.#take(buffer as Buffer, bytes)
        return true
      },
    }
    const { host, port, tls } = target
    const common = { host, port, onread, noDelay: true }
    this.#socket = tls === undefined ? connectTcp(common) : connectTls({ ...common, ...tlsOptions(tls) })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('connection closed')))
  }

  /** Resolves once connected, with TLS once shaken hands. */
  static open(target: Target): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const connection = new Connection(target)
    connection.#onAnswer = (answer) => reject(answer)
    connection.#socket.once(target.tls === undefined ? 'connect' : 'secureConnect', () => resolve(connection))
    return promise
  }

  /** Sends one request and calls `onAnswer` once, with its answer or its failure; `onBody` sees the parts of the body, only while
   *  it is called. */
  send(request: string | Uint8Array, onAnswer: OnAnswer, onBody?: (part: Buffer) => void): void {
    this.#onAnswer = onAnswer
    this.#onBody = onBody
    this.#head = ''
    this.#missing = -1
    this.#socket.write(request as string, 'latin1')
  }

  close(): void {
    this.#onAnswer = () => undefined
    this.#socket.destroy()
  }

  #fail(error: Error): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = () => undefined
    onAnswer(error)
  }

  #take(buffer: Buffer, bytes: number): void {
    if (this.#missing > 0) return this.#takeBody(buffer.subarray(0, bytes))
    const text = buffer.toString('latin1', 0, bytes)
    const before = this.#head.length
    this.#head += text
    const end = this.#head.indexOf('\r\n\r\n', Math.max(0, before - 3))
    if (end < 0) return
    this.#head = this.#head.slice(0, end)
    const answer = parseHead(this.#head)
    if (answer instanceof Error) return this.#fail(answer)
    this.#answer = answer
    this.#missing = answer.bodyBytes
    this.#takeBody(buffer.subarray(end + 4 - before, bytes))
  }

  #takeBody(part: Buffer): void {
    if (part.length > 0) this.#onBody?.(part)
    this.#missing -= part.length
    if (this.#missing < 0) return this.#fail(new Error('more bytes than the content-length said'))
    if (this.#missing === 0 && this.#answer !== undefined) this.#onAnswer(this.#answer)
  }
}

function parseHead(head: string): Answer | Error {
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (length === null) return new Error(`an answer without content-length: ${head.slice(0, 80)}`)
  return { status, head, bodyBytes: Number(length[1]) }
}

function tlsOptions(tls: NonNullable<Target['tls']>) {
  return {
    servername: tls.serverName,
    minVersion: 'TLSv1.3' as const,
    rejectUnauthorized: false,
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  }
}

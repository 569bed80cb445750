/** The leanest proxy that Node can be: node:http in front, undici `dispatch` behind, the body held whole. The unit in
 *  which the bench counts. Arguments: the upstream's port, and `tls` for TLS 1.3 in front. */

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { Pool, type Dispatcher } from 'undici'
import { endWithParent } from '../processes.ts'

const origin = `http://127.0.0.1:${process.argv[2]}`
const pool = new Pool(origin, { connections: 64, pipelining: 1 })

/** Fields of one hop (RFC 9110 §7.6.1), and those that each side of a proxy writes itself. */
const hopByHop = /^(?:connection|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length)$/

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !hopByHop.test(name)) kept[name] = value
  }
  return kept
}

/** Gives the upstream's answer to `response` once it is whole. */
class Forwarding implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  readonly #parts: Buffer[] = []
  #status = 0
  #headers: IncomingHttpHeaders = {}

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_: Dispatcher.DispatchController, part: Buffer): void {
    this.#parts.push(part)
  }

  onResponseEnd(): void {
    const body = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
    const headers = endToEnd(this.#headers)
    headers['content-length'] = String(body?.length ?? 0)
    this.#response.writeHead(this.#status, headers).end(body)
  }

  onResponseError(): void {
    this.#response.writeHead(502, { 'content-length': 0 }).end()
  }
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { url: path = '/', method = 'GET' } = request
  const headers = endToEnd(request.headers)
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = parts.length === 0 ? null : Buffer.concat(parts)
    pool.dispatch({ path, method: method as Dispatcher.HttpMethod, headers, body }, new Forwarding(response))
  })
}

/** The same settings as a node's public listener has. */
async function tlsServer(): Promise<ReturnType<typeof createTlsServer>> {
  const { selfSignedCertificate } = await import('@comity/node/http/self-signed-certificate')
  const jwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
  const { cert, key } = await selfSignedCertificate({ hostname: 'localhost', jwk, nowMs: Date.now(), randomBytes })
  return createTlsServer({ cert, key, minVersion: 'TLSv1.3', keepAliveTimeout: 120_000, noDelay: true }, forward)
}

const server = process.argv[3] === 'tls' ? await tlsServer() : createServer({ keepAliveTimeout: 120_000 }, forward)
endWithParent()
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))

/** The leanest proxy that Node can be: node:http in front, undici `dispatch` behind, the body held whole. The unit in
 *  which the bench counts. Arguments: the upstream's port. */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool, type Dispatcher } from 'undici'
import { endWithParent } from '../processes.ts'

const origin = `http://127.0.0.1:${process.argv[2]}`
const pool = new Pool(origin, { connections: 64, pipelining: 1 })

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
    const { 'content-type': type = 'application/octet-stream' } = this.#headers
    this.#response.writeHead(this.#status, { 'content-type': type, 'content-length': body?.length ?? 0 }).end(body)
  }

  onResponseError(): void {
    this.#response.writeHead(502, { 'content-length': 0 }).end()
  }
}

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const { url: path = '/', method = 'GET' } = request
  const headers = { accept: request.headers.accept ?? '*/*' }
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = parts.length === 0 ? null : Buffer.concat(parts)
    pool.dispatch({ path, method: method as Dispatcher.HttpMethod, headers, body }, new Forwarding(response))
  })
})
endWithParent()
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))

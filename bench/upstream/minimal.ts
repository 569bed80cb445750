/** The bundled upstream, a process of its own: node:http answering the fixed document, nothing else. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endWithParent } from '../processes.ts'
import { payload } from './payload.ts'

const body = Buffer.from(payload)
const fields = { 'content-type': 'application/json', 'content-length': body.length }

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  request.resume()
  response.writeHead(200, fields).end(body)
})
endWithParent()
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))

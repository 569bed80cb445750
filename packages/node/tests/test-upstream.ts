/** An API of a holder, as real as a test needs: an HTTP server on loopback with its OpenAPI document. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

export interface TestUpstream extends AsyncDisposable {
  readonly url: string
  /** Requests that arrived, newest last. */
  readonly seen: {
    readonly method: string
    readonly url: string
    readonly headers: IncomingMessage['headers']
    readonly body: string
  }[]
  /** What the next requests get instead of the usual answer. */
  behave: ((message: IncomingMessage, response: ServerResponse) => void) | undefined
}

/** Answers `/items/{id}` with `{ id, name }`, `/items` with a list, and `POST /items` with 201. */
export async function startTestUpstream(): Promise<TestUpstream> {
  const seen: TestUpstream['seen'][number][] = []
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      seen.push({ method: message.method ?? '', url: message.url ?? '', headers: message.headers, body })
      if (upstream.behave !== undefined) return upstream.behave(message, response)
      answer(message, response, body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const upstream: TestUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    behave: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return upstream
}

function answer(message: IncomingMessage, response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json')
  const [, id] = /^\/items\/(\d+)$/.exec(message.url ?? '') ?? []
  if (message.method === 'POST')
    return void response.writeHead(201).end(JSON.stringify({ id: 3, ...(JSON.parse(body) as object) }))
  if (id !== undefined) return void response.end(JSON.stringify({ id: Number(id), name: `item ${id}` }))
  response.end(JSON.stringify([{ id: 1, name: 'item 1' }]))
}

const item = {
  type: 'object',
  required: ['id', 'name'],
  properties: { id: { type: 'integer' }, name: { type: 'string' } },
}
const content = (schema: object) => ({ 'application/json': { schema } })

/** OpenAPI 3.1 of the upstream. */
export const testOpenApi = {
  openapi: '3.1.0',
  info: { title: 'Items', version: '1.0.0' },
  paths: {
    '/items': {
      get: {
        operationId: 'listItems',
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } }],
        responses: { 200: { description: 'items', content: content({ type: 'array', items: item }) } },
      },
      post: {
        operationId: 'createItem',
        requestBody: {
          required: true,
          content: content({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } }),
        },
        responses: { 201: { description: 'created', content: content(item) } },
      },
    },
    '/items/{id}': {
      get: {
        operationId: 'getItem',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        responses: { 200: { description: 'item', content: content(item) } },
      },
    },
  },
}

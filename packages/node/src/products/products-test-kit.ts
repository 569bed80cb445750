/** For the tests of products: a small document, and upstreams on loopback that behave well or badly. */
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { buildOperationTree, matchOperation, type OperationTree } from './operations/matching.ts'
import { parseOpenApi } from './openapi/openapi.ts'
import { compileOperations } from './operations/operations.ts'

export interface TestUpstream extends AsyncDisposable {
  readonly url: string
}

async function listening(server: Server, sockets: Set<Socket>): Promise<TestUpstream> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** An upstream that speaks HTTP as it should. */
export function startHttpUpstream(listener: RequestListener): Promise<TestUpstream> {
  return listening(createHttpServer(listener), new Set())
}

/** An upstream that answers a request's first bytes with whatever `answer` writes. */
export function startRawUpstream(answer: (socket: Socket, head: string) => void): Promise<TestUpstream> {
  const server = createServer((socket) => {
    socket.on('data', (data) => answer(socket, data.toString('latin1')))
  })
  return listening(server, new Set())
}

/** A document with these paths. */
export function documentOf(paths: unknown, components: unknown = {}): string {
  return JSON.stringify({ openapi: '3.1.0', info: { title: 'test', version: '1' }, paths, components })
}

/** The operations of a document with these paths, in a tree. Throws when a path is faulty. */
export function treeOf(paths: unknown, components: unknown = {}): OperationTree {
  const { operations, errors } = compileOperations(parseOpenApi(documentOf(paths, components), 'test'))
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return buildOperationTree(operations)
}

/** What a tree says of a call, in one line: operation and parameters, allowed methods, or nothing. */
export function matchLine(tree: OperationTree, method: string, path: string): string {
  const found = matchOperation(tree, method, path)
  if (found === 'not-found') return 'not-found'
  return 'allow' in found ? `allow ${found.allow.join()}` : [found.operation.id, ...found.pathParameters].join(' ')
}

const ok = { 200: { description: 'ok' } }

/** A path item with a parameterless operation for each method, named `{name}-{method}`. */
export function operationsNamed(name: string, ...methods: string[]) {
  return Object.fromEntries(methods.map((method) => [method, { operationId: `${name}-${method}`, responses: ok }]))
}

/** Declarations of string path parameters. */
export function pathParameters(...names: string[]) {
  return { parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })) }
}

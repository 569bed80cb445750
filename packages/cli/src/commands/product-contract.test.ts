import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runQuietly } from '../test-terminal.ts'

let directory: string
let answer: unknown
const seen: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = []
const server = createServer((message, response) => {
  seen.push({ url: message.url ?? '', headers: message.headers })
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
})

const file = (name: string) => join(directory, name)
const schema = (type: string) => ({
  type: 'object',
  properties: { id: { type }, name: { type: 'string' } },
})
const documentWith = (type: string) =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Rows', version: '1' },
    paths: {
      '/rows/{id}': {
        get: {
          operationId: 'row',
          parameters: [{ name: 'id', in: 'path', required: true, example: 7, schema: { type: 'integer' } }],
          responses: { 200: { description: 'ok', content: { 'application/json': { schema: schema(type) } } } },
        },
      },
    },
  })

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'comity-contract-'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const product = {
    id: 'rows',
    title: 'Rows',
    version: '1',
    upstream: `http://127.0.0.1:${port}`,
    openapi: 'rows.json',
    upstreamHeaders: { 'X-Api-Key': { file: 'api-key' } },
    data: { domains: { a: ['id'] } },
  }
  await writeFile(file('rows.json'), documentWith('integer'))
  await writeFile(file('next.json'), documentWith('string'))
  await writeFile(file('api-key'), 'the key\n', { mode: 0o600 })
  await writeFile(file('product.yaml'), JSON.stringify(product))
})
after(async () => {
  server.close()
  await rm(directory, { recursive: true, force: true })
})

test('a product that keeps its promises passes, called with its example and the credential of the node', async () => {
  answer = { id: 7 }
  const { code, out } = await runQuietly('products', 'test', file('product.yaml'))
  assert.deepEqual([code, seen.at(-1)?.url, seen.at(-1)?.headers['x-api-key']], [0, '/rows/7', 'the key'])
  assert.match(out, /row call: the upstream answered 200[\s\S]*row answer: is as declared[\s\S]*every promise/)
})

test('a value on the command line comes before the example', async () => {
  await runQuietly('products', 'test', file('product.yaml'), '--with', 'id=9')
  assert.equal(seen.at(-1)?.url, '/rows/9')
  assert.equal((await runQuietly('products', 'test', file('product.yaml'), '--with', 'id')).code, 2)
})

test('an answer that is not as declared, and a field without a label, end with exit code 1', async () => {
  answer = { id: 'SECRET' }
  const wrong = await runQuietly('products', 'test', file('product.yaml'))
  assert.equal(wrong.code, 1)
  assert.match(wrong.out, /row answer: .*`\/id` must be integer/)
  assert.doesNotMatch(wrong.out, /SECRET/)
  answer = { id: 1, name: 'SECRET' }
  const unlabelled = await runQuietly('--json', 'products', 'test', file('product.yaml'))
  assert.equal(unlabelled.code, 1)
  const { products } = JSON.parse(unlabelled.out) as { products: { findings: { check: string; detail: string }[] }[] }
  const found = products[0]?.findings.find(({ check }) => check === 'labels')
  assert.equal(found?.detail, 'the field `name` has no label')
})

test('a file that is no product says so', async () => {
  await writeFile(file('wrong.yaml'), 'id: rows\n')
  const { code, error } = await runQuietly('products', 'test', file('wrong.yaml'))
  assert.deepEqual([code, /is not a product/.test(error)], [1, true])
})

test('two versions that break nothing say so; others name what breaks and end with exit code 1', async () => {
  assert.deepEqual((await runQuietly('products', 'diff', file('rows.json'), file('rows.json'))).code, 0)
  const { code, out } = await runQuietly('products', 'diff', file('rows.json'), file('next.json'))
  assert.deepEqual([code, out.trim()], [1, 'GET /rows/{id} answer 200 `/id`: may be of the type string now'])
})

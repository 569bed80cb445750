import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAnswer } from './answer-check.ts'
import { matchOperation } from './matching.ts'
import { treeOf } from '../products-test-kit.ts'

const athlete = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: { type: 'string' } },
  required: ['id'],
}
const content = (schema: unknown) => ({ 'application/json': { schema } })
const tree = treeOf(
  {
    '/list': {
      get: {
        responses: {
          200: {
            description: 'ok',
            content: content({ type: 'array', items: { $ref: '#/components/schemas/athlete' } }),
          },
          404: { description: 'none' },
          '4XX': {
            description: 'wrong',
            content: content({ type: 'object', properties: { error: { type: 'string' } } }),
          },
        },
      },
      head: { responses: { 200: { description: 'ok', content: content({}) } } },
      delete: {
        responses: { 204: { description: 'gone' }, default: { description: 'else', content: { 'text/csv': {} } } },
      },
    },
  },
  { schemas: { athlete } },
)

function verdict(status: number, body: string | Buffer, { type = 'application/json', method = 'GET' } = {}): string {
  const found = matchOperation(tree, method, '/list')
  assert.ok(typeof found === 'object' && 'operation' in found)
  const contentType = type === '' ? undefined : type
  const result = checkAnswer(found.operation, { status, contentType, body: Buffer.from(body as string) })
  return result.allowed ? result.release : 'refused'
}

const table: [string, string, string][] = [
  ['an answer as declared', verdict(200, '[{"id":1,"name":"x"}]'), 'whole'],
  ['a member that is not declared', verdict(200, '[{"id":1,"email":"x"}]'), 'refused'],
  ['a member missing', verdict(200, '[{}]'), 'refused'],
  ['an object for a list', verdict(200, '{"id":1}'), 'refused'],
  ['no JSON', verdict(200, '<html>'), 'refused'],
  ['no text', verdict(200, Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])), 'refused'],
  ['nothing where something is declared', verdict(200, ''), 'refused'],
  ['another content type', verdict(200, '[]', { type: 'text/html' }), 'refused'],
  ['no content type', verdict(200, '[]', { type: '' }), 'refused'],
  ['a status that is not declared', verdict(201, '[]'), 'refused'],
  ['a page where no body is declared', verdict(404, '<html>', { type: 'text/html' }), 'head'],
  ['an exact status before its class', verdict(404, '{"error":"x"}'), 'head'],
  ['a class of statuses', verdict(422, '{"error":"x"}'), 'whole'],
  ['a class of statuses with more than declared', verdict(422, '{"error":"x","stack":"y"}'), 'refused'],
  ['an empty error', verdict(422, ''), 'whole'],
  ['the default', verdict(409, 'a;b', { type: 'text/csv', method: 'DELETE' }), 'whole'],
  ['the default in another type', verdict(409, 'a;b', { type: 'text/html', method: 'DELETE' }), 'refused'],
  ['204', verdict(204, '', { type: '', method: 'DELETE' }), 'whole'],
  ['HEAD', verdict(200, '', { method: 'HEAD' }), 'whole'],
  ['304', verdict(304, '', { type: '' }), 'head'],
]

for (const [name, actual, expected] of table) {
  test(`${name}: ${expected}`, () => assert.equal(actual, expected))
}

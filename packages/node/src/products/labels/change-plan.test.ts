import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOpenApi } from '../openapi/openapi.ts'
import { productAdditionSchema } from '../product-config.ts'
import { createProduct } from '../product.ts'
import { documentOf } from '../products-test-kit.ts'

const text = { type: 'string' }
const row = { type: 'object', properties: { name: text, born: text, note: text } }
const json = (schema: unknown) => ({ 'application/json': { schema } })

interface Draft {
  readonly operation?: object
  readonly content?: object
  readonly domains?: object
  readonly method?: string
}

function productOf({ operation, content = json(row), domains = { a: ['name', 'born'] }, method = 'post' }: Draft) {
  const responses = { 200: { description: 'ok', content: json({ type: 'object', properties: { name: text } }) } }
  const requestBody = { requestBody: { required: true, content } }
  const paths = { '/rows': { [method]: { operationId: 'add', responses, ...(method === 'get' ? {} : requestBody) } } }
  const data = { domains, ...(operation && { operations: { add: operation } }) }
  const base = { id: 'p', title: 'P', version: '1', upstream: 'http://127.0.0.1:1', document: 'x' }
  const { document: _, ...settings } = productAdditionSchema.parse({ ...base, data })
  const document = parseOpenApi(documentOf(paths), 'test')
  return createProduct({ settings, document, upstreamHeaders: [] }, { now: () => 0 })
}

/** What a call with this body changes, field by field of each row. */
function changedBy(draft: Draft, body: unknown, type = 'application/json'): readonly (readonly string[])[] | undefined {
  const { data } = productOf(draft).match({
    method: 'POST',
    path: '/rows',
    query: '?',
    headers: new Map([['content-type', type]]),
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  })
  return data?.change?.rows.map(({ fields }) => fields)
}

test('fields of a body are told by the labels of answers, also those that no answer has', () => {
  assert.deepEqual(changedBy({}, { name: 'x', born: 'y' }), [['name', 'born']])
  const list = { rows: '[]', open: [] }
  const content = json({ type: 'array', items: row })
  assert.deepEqual(changedBy({ operation: { body: list }, content }, [{ born: 'y' }, {}]), [['born'], []])
})

test('rows of NDJSON are told one by one', () => {
  const content = { 'application/x-ndjson': { schema: row } }
  const lines = '{"name":"x"}\n{"born":"y"}\n'
  assert.deepEqual(changedBy({ content }, lines, 'application/x-ndjson'), [['name'], ['born']])
  assert.throws(() => changedBy({ content }, '{"note":"x"}\n', 'application/x-ndjson'), { code: 'invalid-body' })
})

test('a call of an operation that asks changes nothing, whatever its method', () => {
  for (const action of ['read', 'query', 'compute']) {
    assert.equal(changedBy({ operation: { action }, domains: { a: ['name'] } }, { note: 'x' }), undefined)
  }
})

test('what is said of every call stands in the place of its body', () => {
  const domains = { a: ['name'] }
  assert.deepEqual(changedBy({ operation: { changes: ['born'] } }, { note: 'x' }), [['born']])
  assert.deepEqual(changedBy({ operation: { changes: [] }, domains }, { name: 'x' }), [[]])
  const content = { 'image/png': {} }
  assert.deepEqual(changedBy({ operation: { changes: ['name'] }, content, domains }, 'bytes', 'image/png'), [['name']])
})

const strict = (...required: string[]) => json({ ...row, required })
const wrong: readonly [string, Draft, RegExp][] = [
  ['a body of which nothing can be told', { content: { 'image/png': {} } }, /^data: .*`image\/png`.*`changes`/],
  ['a table, whose empty cells say nothing', { content: { 'text/csv': { schema: row } } }, /^data: .*`text\/csv`/],
  ['a member without a label that every body must have', { content: strict('name', 'note') }, /must have `note`/],
  ['a body of what changes nothing', { operation: { body: {} }, method: 'get' }, /add\.body: has no meaning/],
  ['changes of what changes nothing', { operation: { action: 'query', changes: [] } }, /add\.changes: has no meaning/],
  ['both', { operation: { body: {}, changes: ['name'] } }, /add\.body: does not go with `changes`/],
  [
    'a field that is not labelled',
    { operation: { changes: ['note'] } },
    /add\.changes\.0: no domain has a field `note`/,
  ],
  ['rows that are not there', { operation: { body: { rows: 'items[]' } } }, /add\.body\.rows: there is nothing/],
  ['something open that is not there', { operation: { body: { open: ['x'] } } }, /add\.body\.open\.0: there is no `x`/],
  ['something open that is labelled', { operation: { body: { open: ['born'] } } }, /add\.body\.open\.0: .*lie in/],
  ['a label that nothing has', { domains: { a: ['name', 'shoe'] } }, /domains\.a\.1: no answer has/],
]
for (const [what, draft, message] of wrong) {
  test(`a product with ${what} is refused before it is offered`, () => {
    assert.throws(
      () => productOf(draft),
      (error: Error & { members?: { errors?: { path: string; message: string }[] } }) => {
        const told = (error.members?.errors ?? []).map((each) => `${each.path}: ${each.message}`)
        assert.ok(
          told.some((each) => message.test(each)),
          told.join('\n'),
        )
        return true
      },
    )
  })
}

test('a member that every body must have may be open', () => {
  const operation = { body: { open: ['note'] } }
  assert.deepEqual(changedBy({ operation, content: strict('name', 'note') }, { name: 'x', note: 'y' }), [['name']])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOpenApi } from '../openapi/openapi.ts'
import { documentOf } from '../products-test-kit.ts'
import { breakingChanges } from './contract-changes.ts'

const json = (schema: unknown) => ({ content: { 'application/json': { schema } } })
const row = {
  type: 'object',
  required: ['id', 'name'],
  properties: {
    id: { type: 'integer' },
    name: { type: 'string', maxLength: 40 },
    kind: { enum: ['a', 'b'] },
    tags: { type: 'array', items: { type: 'object', properties: { text: { type: 'string' } } } },
    parent: { $ref: '#/components/schemas/row' },
  },
}
const query = (name: string, schema: object, more: object = {}) => ({ name, in: 'query', schema, ...more })

interface Edited {
  readonly row?: object
  readonly get?: object
  readonly post?: object
  readonly paths?: object
}

/** A document with an operation that reads and one that writes rows. */
function documentWith(edited: Edited = {}) {
  const rowOf = { $ref: '#/components/schemas/row' }
  const operations = {
    get: {
      operationId: 'rows',
      parameters: [query('limit', { type: 'integer', maximum: 100 }), query('kind', { enum: ['a', 'b'] })],
      responses: { 200: { description: 'ok', ...json({ type: 'array', items: rowOf }) }, 404: { description: 'none' } },
      ...edited.get,
    },
    post: {
      operationId: 'add',
      requestBody: json(rowOf),
      responses: { 201: { description: 'made' } },
      ...edited.post,
    },
  }
  const paths = edited.paths ?? { '/rows': operations }
  return parseOpenApi(documentOf(paths, { schemas: { row: { ...row, ...edited.row } } }), 'test')
}

/** `operation place: detail` of each change that breaks. */
const changes = (after: Edited, before: Edited = {}) =>
  breakingChanges(documentWith(before), documentWith(after)).map(
    ({ operation, place, detail }) => `${operation}${place === undefined ? '' : ` ${place}`}: ${detail}`,
  )

const property = (name: string, schema: unknown) => ({ row: { properties: { ...row.properties, [name]: schema } } })
const without = (name: keyof typeof row.properties) => {
  const { [name]: _, ...properties } = row.properties
  return { row: { properties, required: row.required.filter((each) => each !== name) } }
}

test('the same document breaks nothing, and neither does what is only added', () => {
  assert.deepEqual(changes({}), [])
  const parameters = [query('limit', { type: 'integer' }), query('kind', {}), query('page', { type: 'integer' })]
  assert.deepEqual(changes({ get: { parameters } }), [])
  assert.deepEqual(changes(property('extra', { type: 'string' })), [])
})

const breaking: [string, Edited, string[]][] = [
  [
    'an operation that is gone',
    {
      paths: {
        '/rows': {
          get: {
            operationId: 'rows',
            responses: {
              200: { description: 'ok', ...json({ type: 'array', items: { $ref: '#/components/schemas/row' } }) },
            },
            parameters: [query('limit', {}), query('kind', {})],
          },
        },
      },
    },
    ['POST /rows: is gone'],
  ],
  [
    'another name of an operation',
    { get: { operationId: 'list' } },
    ['GET /rows: its `operationId` is `list` now, was `rows`'],
  ],
  [
    'parameters that are gone, required, narrower or of another kind',
    {
      get: {
        parameters: [
          query('limit', { type: 'array', items: { type: 'integer' } }, { required: true }),
          query('who', { type: 'string' }, { required: true }),
        ],
      },
    },
    [
      'GET /rows query parameter `limit`: is required now',
      'GET /rows query parameter `limit`: is written another way: as a list or not, or with other separators',
      'GET /rows query parameter `limit`: the type integer is no longer taken',
      'GET /rows query parameter `kind`: is gone',
      'GET /rows query parameter `who`: is new and required',
    ],
  ],
  [
    'values and limits of a parameter that are narrower',
    {
      get: {
        parameters: [query('limit', { type: 'integer', maximum: 50, minimum: 1 }), query('kind', { enum: ['a', 'c'] })],
      },
    },
    [
      'GET /rows query parameter `limit`: `maximum` is 50 now, was 100',
      'GET /rows query parameter `limit`: `minimum` is 1 now',
      'GET /rows query parameter `kind`: the value "b" is no longer taken',
    ],
  ],
  [
    'an answer or a content type that is gone',
    { get: { responses: { 202: { description: 'later' } } }, post: { requestBody: { content: { 'text/plain': {} } } } },
    ['GET /rows answer 200: is gone', 'POST /rows body: the content type `application/json` is gone'],
  ],
  [
    'a body that is required now',
    { post: { requestBody: { required: true, ...json({ $ref: '#/components/schemas/row' }) } } },
    ['POST /rows body: is required now'],
  ],
  ['a body that is no longer taken', { post: { requestBody: undefined } }, ['POST /rows body: is no longer taken']],
  [
    'a member that is gone',
    without('name'),
    ['GET /rows answer 200 `/[]/name`: is gone', 'POST /rows body `/name`: is gone'],
  ],
  [
    'a member that is optional now',
    { row: { required: ['id'] } },
    ['GET /rows answer 200 `/[]/name`: may be missing now'],
  ],
  [
    'a member that is required now',
    { row: { required: ['id', 'name', 'kind'] } },
    ['POST /rows body `/kind`: is required now'],
  ],
  [
    'another type',
    property('id', { type: 'string' }),
    [
      'GET /rows answer 200 `/[]/id`: may be of the type string now',
      'POST /rows body `/id`: the type integer is no longer taken',
    ],
  ],
  [
    'a wider type',
    property('name', { type: ['string', 'null'], maxLength: 40 }),
    ['GET /rows answer 200 `/[]/name`: may be of the type null now'],
  ],
  [
    'whole numbers that may be others now',
    property('id', { type: 'number' }),
    ['GET /rows answer 200 `/[]/id`: may be of the type number now'],
  ],
  [
    'a value that is new',
    property('kind', { enum: ['a', 'b', 'c'] }),
    ['GET /rows answer 200 `/[]/kind`: may have the value "c" now'],
  ],
  [
    'a value that is gone',
    property('kind', { enum: ['a'] }),
    ['POST /rows body `/kind`: the value "b" is no longer taken'],
  ],
  [
    'a format or a pattern',
    property('name', { type: 'string', maxLength: 40, format: 'email', pattern: '^a' }),
    [
      'GET /rows answer 200 `/[]/name`: `format` is another',
      'POST /rows body `/name`: `pattern` is another',
      'POST /rows body `/name`: `format` is another',
    ],
  ],
  [
    'what is inside lists',
    property('tags', { type: 'array', items: { type: 'object', properties: {} } }),
    ['GET /rows answer 200 `/[]/tags/[]/text`: is gone', 'POST /rows body `/tags/[]/text`: is gone'],
  ],
]

for (const [name, after, found] of breaking) {
  test(`names ${name}`, () => assert.deepEqual(changes(after), found))
}

test('what is widened for who writes, and narrowed for who reads, breaks nothing', () => {
  assert.deepEqual(changes({}, property('name', { type: 'string', maxLength: 20 })), [])
  const narrower = {
    get: {
      responses: {
        200: {
          description: 'ok',
          ...json({ type: 'array', items: { ...row, properties: { ...row.properties, kind: { const: 'a' } } } }),
        },
        404: { description: 'none' },
      },
    },
  }
  assert.deepEqual(changes(narrower), [])
})

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
    [
      'GET /rows answer 200: is gone',
      'GET /rows answer 202: is new',
      'POST /rows body: the content type `application/json` is gone',
    ],
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
    ['POST /rows body `/name`: `pattern` is another', 'POST /rows body `/name`: `format` is another'],
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
  const parameters = [query('limit', { type: 'integer', maximum: 50 }), query('kind', { enum: ['a'] })]
  assert.deepEqual(changes({}, { get: { parameters } }), [])
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

const answers = (responses: object) => ({ get: { responses } })
const answered = (schema: unknown) => ({ description: 'ok', ...json(schema) })
const text = { type: 'string' }
const answerRules: [string, Edited, Edited, string[]][] = [
  [
    'a success that callers do not know',
    answers({ 200: answered(text) }),
    answers({ 200: answered(text), 206: answered(text) }),
    ['GET /rows answer 206: is new'],
  ],
  [
    'a success of a class that is known, by what was said of the class',
    answers({ '2XX': answered(text) }),
    answers({ '2XX': answered(text), 201: answered({ type: 'integer' }) }),
    ['GET /rows answer 201: may be of the type integer now'],
  ],
  [
    'nothing where a class takes the place of a status',
    answers({ 200: answered(text), 201: answered(text) }),
    answers({ 200: answered(text), '2XX': answered(text) }),
    ['GET /rows answer 2XX: is new'],
  ],
  [
    'a failure that is new, gone or another not at all',
    answers({ 200: answered(text), 404: answered(text) }),
    answers({ 200: answered(text), 409: answered(text), default: answered(text) }),
    [],
  ],
  [
    'a content type of answers that is gone, not one that is new',
    answers({ 200: { description: 'ok', content: { 'text/csv': { schema: row }, 'application/json': {} } } }),
    answers({ 200: { description: 'ok', content: { 'application/json': {}, 'application/x-ndjson': {} } } }),
    ['GET /rows answer 200: the content type `text/csv` is gone'],
  ],
  [
    'a content type that is part of a range as kept',
    answers({ 200: { description: 'ok', content: { 'text/plain': { schema: text } } } }),
    answers({ 200: { description: 'ok', content: { 'text/*': { schema: { type: 'string', maxLength: 2 } } } } }),
    [],
  ],
  [
    'what is in the rows of a table',
    answers({ 200: { description: 'ok', content: { 'text/csv': { schema: row } } } }),
    answers({
      200: { description: 'ok', content: { 'text/csv': { schema: { ...row, properties: { id: {}, name: text } } } } },
    }),
    [
      'GET /rows answer 200 `/id`: may be of any type now',
      'GET /rows answer 200 `/name`: `maxLength` is gone, was 40',
      'GET /rows answer 200 `/kind`: is gone',
      'GET /rows answer 200 `/tags`: is gone',
      'GET /rows answer 200 `/parent`: is gone',
    ],
  ],
  [
    'a schema of text, and one that is gone',
    answers({
      200: {
        description: 'ok',
        content: { 'text/plain': { schema: { enum: ['a'] } }, 'application/json': { schema: text } },
      },
    }),
    answers({
      200: { description: 'ok', content: { 'text/plain': { schema: { enum: ['a', 'b'] } }, 'application/json': {} } },
    }),
    ['GET /rows answer 200: may have the value "b" now', 'GET /rows answer 200: may be of any type now'],
  ],
  [
    'a field of answers that is gone',
    answers({ 200: { description: 'ok', headers: { 'X-Total': {} }, ...json(text) } }),
    answers({ 200: answered(text) }),
    ['GET /rows field `x-total` of answers: is gone'],
  ],
]

for (const [name, old, next, found] of answerRules) {
  test(`of answers names ${name}`, () => assert.deepEqual(changes(next, old), found))
}

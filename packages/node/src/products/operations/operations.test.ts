import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOpenApi } from '../openapi/openapi.ts'
import { compileOperations } from './operations.ts'
import { compileProduct } from '../product.ts'
import { documentOf } from '../products-test-kit.ts'

const responses = { 200: { description: 'ok' } }
const compile = (paths: unknown, components?: unknown) =>
  compileOperations(parseOpenApi(documentOf(paths, components), 'x'))
const faultsOf = (paths: unknown) => compile(paths).errors.map(({ pointer, detail }) => `${pointer} ${detail}`)
const get = (parts: object) => ({ '/a': { get: { responses, ...parts } } })
const parameter = (parts: object) =>
  get({ parameters: [{ name: 'p', in: 'query', schema: { type: 'string' }, ...parts }] })

test('compiles what a document declares', () => {
  const { operations, errors } = compile(
    {
      '/a/{id}': {
        parameters: [{ $ref: '#/components/parameters/id' }, { name: 'v', in: 'query', schema: { type: 'string' } }],
        get: {
          operationId: 'one',
          parameters: [{ name: 'v', in: 'query', required: true, schema: { type: 'integer' } }],
          responses: { 200: { description: 'ok', headers: { 'X-Total': {}, 'Set-Cookie': {} } } },
        },
        put: { responses, 'x-remark': 1 },
      },
      'x-remark': {},
    },
    { parameters: { id: { name: 'id', in: 'path', required: true, schema: { type: 'string' } } } },
  )
  assert.deepEqual(errors, [])
  assert.deepEqual(
    operations.map(({ id, method }) => [id, method]),
    [
      ['one', 'GET'],
      ['PUT /a/{id}', 'PUT'],
    ],
  )
  assert.equal(operations[0]?.queryParameters.get('v')?.required, true)
  assert.equal(operations[1]?.queryParameters.get('v')?.required, false)
  assert.deepEqual(operations[0]?.answerFields, ['x-total'])
})

const faulty: Record<string, [unknown, RegExp]> = {
  'a path without a slash': [{ a: { get: { responses } } }, /does not begin/],
  'a path with dots': [{ '/a/../b': { get: { responses } } }, /cannot be matched/],
  'a path with an encoded slash': [{ '/a%2fb': { get: { responses } } }, /cannot be matched/],
  'two parameters in a segment': [{ '/{a}-{b}': { get: { responses } } }, /more than one parameter/],
  'an undeclared path parameter': [{ '/{a}': { get: { responses } } }, /`a` is not declared/],
  'a path parameter that the path lacks': [parameter({ in: 'path' }), /has no parameter `p`/],
  'two templates of one shape': [
    Object.fromEntries(
      ['a', 'b'].map((name) => [
        `/{${name}}`,
        { get: { responses, parameters: [{ name, in: 'path', required: true, schema: { type: 'string' } }] } },
      ]),
    ),
    /by two templates/,
  ],
  'one id for two operations': [
    { '/a': { get: { operationId: 'x', responses }, put: { operationId: 'x', responses } } },
    /`x` is declared twice/,
  ],
  'a parameter twice': [
    get({ parameters: [1, 2].map(() => ({ name: 'p', in: 'query', schema: { type: 'string' } })) }),
    /declared twice/,
  ],
  'a parameter without schema': [get({ parameters: [{ name: 'p', in: 'query' }] }), /no `schema`/],
  'a parameter that is an object': [parameter({ schema: { type: 'object' } }), /objects are not taken/],
  'a deep object': [parameter({ style: 'deepObject' }), /`deepObject` is not taken/],
  'a required cookie': [parameter({ in: 'cookie', required: true }), /required cookie/],
  'a credential as parameter': [parameter({ in: 'header', name: 'Cookie' }), /never reaches/],
  'a field of the profile as parameter': [parameter({ in: 'header', name: 'Comity-Agreement' }), /never reaches/],
  'no answers': [{ '/a': { get: {} } }, /responses is missing/],
  'a status that is none': [{ '/a': { get: { responses: { 2000: {} } } } }, /not a status/],
  'a form with a schema': [
    get({ requestBody: { content: { 'multipart/form-data': { schema: { type: 'object' } } } } }),
    /cannot be checked/,
  ],
  'a body without content': [get({ requestBody: {} }), /declares no content/],
  TRACE: [{ '/a': { trace: { responses } } }, /TRACE is not served/],
  'a reference to a file': [{ '/a': { $ref: 'b.yaml' } }, /only references inside/],
  'a reference that turns round': [{ '/a': { $ref: '#/paths/~1b' }, '/b': { $ref: '#/paths/~1a' } }, /does not end/],
}

for (const [name, [paths, expected]] of Object.entries(faulty)) {
  test(`refuses ${name}, with its place`, () => {
    const faults = faultsOf(paths)
    assert.ok(faults.length > 0)
    assert.match(faults[0] ?? '', expected)
    assert.match(faults[0] ?? '', /^\/paths/)
  })
}

test('lists all faults at once', () => {
  const faults = faultsOf({ '/a': { get: {}, put: {} }, '/b/{x}': { get: { responses } } })
  assert.equal(faults.length, 3)
})

test('finds schemas that do not compile before any call does', () => {
  const text = documentOf(get({ requestBody: { content: { 'application/json': { schema: { pattern: '(' } } } } }))
  const document = parseOpenApi(text, 'x')
  assert.doesNotThrow(() => compileProduct(document, { whole: false }))
  assert.throws(() => compileProduct(document, { whole: true }), { code: 'openapi-invalid' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { z } from 'zod'
import { openApiOf } from './openapi.ts'
import { referencePage } from './reference-page.ts'
import { defineRoute } from './route.ts'
import { judgedLater, limit, named } from './shapes.ts'

const thing = z.strictObject({ id: z.string(), parent: z.string().optional() }).meta({ id: 'Thing' })
const routes = [
  defineRoute({
    method: 'GET',
    path: '/v1/things',
    tag: 'node',
    summary: 'Things',
    query: { limit: limit(20) },
    result: z.array(thing),
    paging: { by: 'after', keyOf: ({ id }) => id },
    answer: () => [],
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/things/{id}',
    tag: 'node',
    summary: 'A thing',
    parameters: named('Id of a <thing>.'),
    result: thing,
    problems: ['product-unknown', 'replica-unknown'],
    answer: ({ path: { id } }) => ({ id }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/things/{id}/end',
    tag: 'node',
    summary: 'Ends a thing',
    parameters: named('Id.'),
    body: judgedLater(z.strictObject({ reason: z.string() })),
    result: thing,
    answer: ({ path: { id } }) => ({ id }),
  }),
]
const document = openApiOf(routes)

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
  assert.ok(valid, JSON.stringify(errors))
})

test('a named schema stands once, and answers may grow', () => {
  assert.deepEqual(document.components.schemas['Thing'], {
    type: 'object',
    properties: { id: { type: 'string' }, parent: { type: 'string' } },
    required: ['id'],
  })
  const answer = document.paths['/v1/things']?.['get']?.responses['200']
  assert.ok(answer !== undefined && 'content' in answer)
  assert.deepEqual(answer.content?.['application/json']?.schema, {
    type: 'array',
    items: { $ref: '#/components/schemas/Thing' },
  })
})

test('a number in a query is shown as one', () => {
  const [parameter] = document.paths['/v1/things']?.['get']?.parameters ?? []

  assert.ok(parameter !== undefined && 'schema' in parameter)
  assert.deepEqual(parameter.schema, { type: 'integer', minimum: 1, maximum: 1_000, default: 20 })
})

test('a body that a service judges is shown as the service judges it', () => {
  const body = document.paths['/v1/things/{id}/end']?.['post']?.requestBody
  assert.deepEqual(body?.content['application/json']?.schema, {
    type: 'object',
    properties: { reason: { type: 'string' } },
    required: ['reason'],
    additionalProperties: false,
  })
})

test('problems of one status are one answer', () => {
  const name = 'Problem-404-product-unknown-replica-unknown'
  const answer = { $ref: `#/components/responses/${name}` }
  assert.deepEqual(document.paths['/v1/things/{id}']?.['get']?.responses['404'], answer)
  assert.match(document.components.responses[name]?.description ?? '', /`product-unknown`.*`replica-unknown`/)
})

test('two schemas of one name are refused', () => {
  const other = z.strictObject({ other: z.string() }).meta({ id: 'Thing' })
  const route = defineRoute({
    method: 'GET',
    path: '/v1/others',
    tag: 'node',
    summary: 'Others',
    result: other,
    answer: () => ({ other: '' }),
  })
  assert.throws(() => openApiOf([...routes, route]))
})

test('the page runs nothing, loads nothing, and escapes what it shows', () => {
  const { headers, body } = referencePage(document)
  const page = new TextDecoder().decode(body)
  const policy = headers[headers.indexOf('content-security-policy') + 1] ?? ''
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='/)
  assert.ok(!/<script|src=|url\(|@import|https?:/.test(page))
  assert.ok(page.includes('Id of a &lt;thing&gt;.'))
  for (const { operationId } of Object.values(document.paths).flatMap((byMethod) => Object.values(byMethod)))
    assert.ok(page.includes(`<details id="${operationId}">`))
})

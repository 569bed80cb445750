/** Answers that a careless or hostile upstream could give for a person: nothing that was not released may leave. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FieldTransform } from '@comity/core/consent/consent-scope'
import type { Release } from '@comity/core/consent/release'
import { Problem } from '@comity/core/problems'
import { parseOpenApi } from '../openapi/openapi.ts'
import { productAdditionSchema } from '../product-config.ts'
import { createProduct, type Product } from '../product.ts'
import { documentOf, startHttpUpstream } from '../products-test-kit.ts'

const means = { keyedHash: (value: string) => `h(${value})`, pseudonym: `ps_${'A'.repeat(43)}` }
const open = { type: 'object', additionalProperties: true }
const tree = {
  type: 'object',
  properties: { name: { type: 'string' }, child: { $ref: '#/components/schemas/Tree' }, children: {} },
}

/** A product whose schema lets anything through, so that minimisation alone decides. */
const document = documentOf(
  {
    '/people/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: {
        operationId: 'person',
        responses: {
          200: {
            description: 'ok',
            content: { 'application/json': { schema: open }, 'application/hal+json': { schema: {} } },
          },
          '4XX': { description: 'no', content: { 'application/json': { schema: open } } },
          302: { description: 'elsewhere' },
        },
      },
    },
    '/trees/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: {
        operationId: 'tree',
        responses: { 200: { description: 'ok', content: { 'application/json': { schema: tree } } } },
      },
    },
  },
  { schemas: { Tree: tree } },
)
const personal = {
  subject: { in: 'path', name: 'id' },
  domains: { identity: ['name', 'address'], sport: ['results[].event', 'results[].time'], secret: ['diagnosis'] },
  operations: { tree: { action: 'query' } },
}

function productAt(upstream: string): Product {
  const base = { id: 'people', title: 'People', version: '1', class: 'personal', upstream, personal }
  const { document: _, ...settings } = productAdditionSchema.parse({ ...base, document: 'x' })
  return createProduct({ settings, document: parseOpenApi(document, 'test'), upstreamHeaders: [] }, { now: () => 0 })
}

interface GivenAnswer {
  readonly body: string | Buffer
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** What leaves: `status fields body`, or the code of the problem. */
async function left(
  answer: GivenAnswer,
  fields: string[],
  { path = '/people/7', transforms = [] }: { path?: string; transforms?: FieldTransform[] } = {},
) {
  await using server = await startHttpUpstream((_, response) => {
    const { status = 200, headers = {}, body } = answer
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  await using product = productAt(server.url)
  const call = {
    method: 'GET',
    path,
    query: '?',
    headers: new Map<string, string>(),
    body: Buffer.alloc(0),
    exchangeId: 'e',
  }
  const release: Release = { parts: [{ grant: 'g', fields, transforms, filters: [] }], released: fields, withheld: [] }
  try {
    const matched = product.match(call)
    const whole = await product.forward(matched, { ...call, subjectReference: '7' })
    const { status, headers, body } = product.minimise(matched, whole, { release, means })
    return `${status} ${headers.join()} ${Buffer.from(body).toString()}`
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    assert.ok(!JSON.stringify([error.message, error.members]).includes('SECRET'))
    return error.code
  }
}

const typed = (body: string) => `200 content-type,application/json ${body}`

const answers: [string, GivenAnswer, string][] = [
  [
    'members that nobody labelled',
    { body: '{"name":"Ada","password":"SECRET","links":{"self":"/SECRET"}}' },
    typed('{"name":"Ada"}'),
  ],
  ['a labelled field that was not released', { body: '{"name":"Ada","diagnosis":"SECRET"}' }, typed('{"name":"Ada"}')],
  ['a member named twice', { body: '{"name":"SECRET","name":"Ada"}' }, 'upstream-invalid'],
  ['half of a character', { body: String.raw`{"name":"\ud83d"}` }, 'upstream-invalid'],
  [
    'a name in other characters',
    { body: '{"\\u006eame":"Ada","nаme":"SECRET","NAME":"SECRET"}' },
    typed('{"name":"Ada"}'),
  ],
  ['a member that is the prototype', { body: '{"__proto__":{"name":"SECRET"},"results":[]}' }, typed('{"results":[]}')],
  ['a list of people', { body: '[{"name":"SECRET"}]' }, 'upstream-invalid'],
  [
    'an object where a list is expected',
    { body: '{"results":{"event":"SECRET","0":{"event":"SECRET"},"length":1}}' },
    typed('{}'),
  ],
  [
    'a list where an object is expected',
    { body: '{"name":"Ada","results":[["SECRET"],[{"event":"SECRET"}]]}' },
    typed('{"name":"Ada","results":[]}'),
  ],
  [
    'entries that are not objects',
    { body: '{"results":["SECRET",null,1,{"event":"judo","doctor":"SECRET"}]}' },
    typed('{"results":[{"event":"judo"}]}'),
  ],
  ['null for a list', { body: '{"name":null,"results":null}' }, typed('{"name":null}')],
  ['null', { body: 'null' }, 'upstream-invalid'],
  ['text', { body: '"SECRET"' }, 'upstream-invalid'],
  ['no JSON', { body: '<p>SECRET</p>' }, 'upstream-invalid'],
  ['nothing', { body: '' }, 'upstream-invalid'],
  ['bytes that are not UTF-8', { body: Buffer.from('{"name":"\xff"}', 'latin1') }, 'upstream-invalid'],
  ['JSON after a byte order mark', { body: '\ufeff{"name":"SECRET"}' }, 'upstream-invalid'],
  ['two texts', { body: '{"name":"Ada"}{"diagnosis":"SECRET"}' }, 'upstream-invalid'],
  ['another type', { body: '{"name":"SECRET"}', headers: { 'content-type': 'text/html' } }, 'upstream-invalid'],
  [
    'another charset',
    { body: '{"name":"SECRET"}', headers: { 'content-type': 'application/json; charset=utf-16' } },
    'upstream-invalid',
  ],
  [
    'a profile of its type',
    { body: '{"name":"Ada"}', headers: { 'content-type': 'application/hal+json; profile="/SECRET"' } },
    '200 content-type,application/hal+json {"name":"Ada"}',
  ],
  [
    'fields that hold data in place of what they are for',
    {
      body: '{"name":"Ada"}',
      headers: {
        'content-language': 'SECRET',
        'cache-control': 'max-age=60, name="SECRET"',
        expires: 'SECRET',
        deprecation: '@1;name=SECRET',
        sunset: 'SECRET',
      },
    },
    typed('{"name":"Ada"}'),
  ],
  ['an error that tells', { status: 404, body: '{"detail":"no SECRET"}', headers: { etag: '"SECRET"' } }, '404  '],
  ['a redirection to the person', { status: 302, body: 'SECRET', headers: { location: '/SECRET' } }, '302  '],
  ['a status that is not declared', { status: 206, body: '{"name":"SECRET"}' }, 'upstream-invalid'],
]

for (const [name, answer, expected] of answers) {
  test(`nothing leaves that was not released, given ${name}`, async () => {
    assert.equal(await left(answer, ['name', 'results[].event']), expected)
  })
}

test('an answer nested without end costs no stack, whatever the schema says of it', async () => {
  const depth = 50_000
  const nested = `${'{"child":'.repeat(depth)}{"name":"SECRET"}${'}'.repeat(depth)}`
  assert.equal(await left({ body: nested }, ['name'], { path: '/trees/7' }), 'upstream-invalid')
  const list = `{"name":"Ada","address":${'['.repeat(depth)}${']'.repeat(depth)}}`
  assert.equal(await left({ body: list }, ['name', 'address']), 'upstream-invalid')
})

test('what cannot be transformed is left out', async () => {
  const transforms: FieldTransform[] = [
    { path: 'name', op: 'round' },
    { path: 'address.street', op: 'drop' },
  ]
  const body = '{"name":"SECRET","address":["SECRET"]}'
  assert.equal(await left({ body }, ['name', 'address'], { transforms }), typed('{}'))
})

test('of any answer only released values leave', async () => {
  const cell = fc.constantFrom('SECRET', 'event', 'name', 1, null, true)
  const member = fc.constantFrom('name', 'results', 'event', 'time', 'diagnosis', 'x')
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      cell,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(member, tie('value'), { maxKeys: 4 }),
    ),
  }))
  await using server = await startHttpUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(current)
  })
  let current = ''
  await using product = productAt(server.url)
  const call = {
    method: 'GET',
    path: '/people/7',
    query: '?',
    headers: new Map<string, string>(),
    body: Buffer.alloc(0),
    exchangeId: 'e',
  }
  const release: Release = {
    parts: [{ grant: 'g', fields: ['results[].event'], transforms: [], filters: [] }],
    released: [],
    withheld: [],
  }
  const property = fc.asyncProperty(fc.dictionary(member, value, { maxKeys: 5 }), async (given) => {
    current = JSON.stringify(given)
    const matched = product.match(call)
    const whole = await product.forward(matched, { ...call, subjectReference: '7' })
    const result = JSON.parse(
      Buffer.from(product.minimise(matched, whole, { release, means }).body).toString(),
    ) as Record<string, unknown>
    const { results } = given
    const entries = Array.isArray(results) ? (results as unknown[]) : undefined
    const events = entries
      ?.filter((entry) => typeof entry === 'object' && entry !== null && !Array.isArray(entry) && 'event' in entry)
      .map((entry) => ({ event: (entry as { event: unknown }).event }))
    assert.deepEqual(result, JSON.parse(JSON.stringify(events === undefined ? {} : { results: events })))
  })
  await fc.assert(property, { numRuns: 100 })
})

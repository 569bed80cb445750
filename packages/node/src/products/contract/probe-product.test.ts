import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOpenApi } from '../openapi/openapi.ts'
import { productAdditionSchema } from '../product-config.ts'
import { documentOf, startHttpUpstream } from '../products-test-kit.ts'
import { probeProduct } from './probe-product.ts'

const json = (schema: unknown, more: object = {}) => ({
  200: { description: 'ok', content: { 'application/json': { schema, ...more } } },
})
const row = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: { type: 'string' } },
  additionalProperties: true,
}
const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer' } }
const one = (parameters: object[], responses: object = json(row)) => ({
  '/rows/{id}': { get: { operationId: 'row', parameters, responses } },
})

/** What is found, as `check outcome detail`; the upstream answers `[status, body]` and remembers what it was asked. */
async function probe(
  paths: object,
  {
    data,
    answer = [200, '{"id":1}'],
    values = {},
    personal,
  }: {
    readonly data?: object
    readonly personal?: object
    readonly answer?: readonly [number, string]
    readonly values?: Readonly<Record<string, string>>
  } = {},
): Promise<{ found: string[]; asked: string[] }> {
  const asked: string[] = []
  await using upstream = await startHttpUpstream((message, response) => {
    asked.push(`${message.method} ${message.url}`)
    response.writeHead(answer[0], { 'content-type': 'application/json' }).end(answer[1])
  })
  const { document: _, ...settings } = productAdditionSchema.parse({
    id: 'p',
    title: 'P',
    version: '1',
    upstream: upstream.url,
    document: 'x',
    ...(data && { data }),
    ...(personal && { class: 'personal', personal }),
  })
  const probed = {
    settings,
    document: parseOpenApi(documentOf(paths), 'test'),
    upstreamHeaders: [],
    values: new Map(Object.entries(values)),
  }
  const findings = await probeProduct(probed, { now: () => 0 })
  return { found: findings.map(({ check, outcome, detail }) => `${check} ${outcome} ${detail}`), asked }
}

const answered = ['call good the upstream answered 200', 'answer good is as declared']

test('a read is called with the example of its parameter', async () => {
  for (const place of [{ example: 7 }, { examples: { usual: { value: 7 } } }]) {
    const { found, asked } = await probe(one([{ ...id, ...place }]))
    assert.deepEqual(asked, ['GET /rows/7'])
    assert.deepEqual(
      found.filter((each) => !each.startsWith('example good')),
      answered,
    )
  }
  const named = { ...id, schema: { type: 'integer', enum: [3, 4] } }
  assert.deepEqual((await probe(one([named]))).asked, ['GET /rows/3'])
})

test('a given value comes before every example; optional parameters are left out', async () => {
  const limit = { name: 'limit', in: 'query', example: 5, schema: { type: 'integer' } }
  const kinds = {
    name: 'kind',
    in: 'query',
    required: true,
    schema: { type: 'array', items: { type: 'string' }, examples: [['a', 'b']] },
  }
  const { asked } = await probe(one([{ ...id, example: 7 }, limit, kinds]), { values: { id: '9' } })
  assert.deepEqual(asked, ['GET /rows/9?kind=a&kind=b'])
  assert.deepEqual((await probe(one([{ ...id, example: 7 }, limit]), { values: { limit: '2' } })).asked, [
    'GET /rows/7?limit=2',
  ])
})

test('an operation without an example is skipped, and says what is missing', async () => {
  const { found, asked } = await probe(one([id]))
  assert.deepEqual(asked, [])
  assert.match(found.join(), /^call skipped no example of the parameter `id`/)
})

test('only reads are called', async () => {
  const { asked } = await probe({
    '/rows': {
      post: { operationId: 'add', responses: json(row) },
      delete: { operationId: 'drop', responses: json(row) },
    },
  })
  assert.deepEqual(asked, [])
})

test('an answer that is not as declared is told with its place, without its value', async () => {
  const { found } = await probe(one([{ ...id, example: 1 }]), { answer: [200, '{"id":"SECRET"}'] })
  assert.match(found.join('\n'), /answer bad .*`\/id` must be integer/)
  assert.doesNotMatch(found.join('\n'), /SECRET/)
})

test('an upstream that fails or does not know the example is told', async () => {
  assert.match(
    (await probe(one([{ ...id, example: 1 }]), { answer: [404, '{}'] })).found.join(),
    /call bad the upstream answered 404/,
  )
  assert.match(
    (await probe(one([{ ...id, example: 1 }]), { answer: [500, '{}'] })).found.join(),
    /call bad the upstream failed/,
  )
})

test('every field without a label is told, in whichever row it is', async () => {
  const list = { '/rows': { get: { operationId: 'rows', responses: json({ type: 'array', items: row }) } } }
  const data = { rows: '[]', domains: { a: ['id'] }, withheld: ['name'] }
  const answer = [200, '[{"id":1,"name":"x"},{"id":2},{"id":3,"diagnosis":"SECRET"}]'] as const
  const { found } = await probe(list, { data, answer })
  assert.deepEqual(found, [...answered, 'labels bad the field `diagnosis` has no label'])
})

test('a personal product is called with the reference of its example', async () => {
  const personal = { subject: { in: 'path', name: 'id' }, domains: { a: ['id', 'name'] } }
  const { found, asked } = await probe(one([{ ...id, example: 7 }]), { personal })
  assert.deepEqual(asked, ['GET /rows/7'])
  assert.deepEqual(found.slice(1), answered)
})

test('examples that do not fit their schema are told with their place in the document', async () => {
  const examples = { good: { value: { id: 1 } }, wrong: { value: { id: 'x' } } }
  const { found } = await probe({
    ...one([{ ...id, example: 'seven' }], json(row, { examples })),
    '/rows': {
      post: {
        operationId: 'add',
        requestBody: {
          content: {
            'application/json': {
              schema: { type: 'object', properties: { a: { type: 'string' } } },
              example: { b: 1 },
            },
          },
        },
        responses: { 204: { description: 'done' } },
      },
    },
  })
  assert.deepEqual(
    found.filter((each) => each.startsWith('example bad')),
    [
      'example bad `/paths/~1rows~1{id}/get/parameters/0/example`: must be integer',
      'example bad `/paths/~1rows~1{id}/get/responses/200/content/application~1json/examples/wrong/value`: `/id` must be integer',
      'example bad `/paths/~1rows/post/requestBody/content/application~1json/example`: `/b` is not declared',
    ],
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Release, ReleasePart } from '@comity/core/consent/release'
import { parseOpenApi } from '../openapi/openapi.ts'
import { productAdditionSchema } from '../product-config.ts'
import { createProduct } from '../product.ts'
import { documentOf, startHttpUpstream } from '../products-test-kit.ts'

const json = (schema: unknown) => ({ description: 'ok', content: { 'application/json': { schema } } })
const optional = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })
const row = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    kind: { type: 'string' },
    day: { type: 'string' },
    place: { type: 'object', properties: { city: { type: 'string' }, street: { type: 'string' } } },
  },
}
const paths = {
  '/rows': {
    get: {
      operationId: 'rows',
      parameters: [optional('fields'), optional('since'), optional('page')],
      responses: { 200: json({ type: 'array', items: row }) },
    },
    post: {
      operationId: 'add',
      parameters: [optional('page')],
      responses: { 201: json({ type: 'array', items: row }) },
    },
  },
  '/names': {
    get: {
      operationId: 'names',
      responses: {
        200: json({ type: 'array', items: { type: 'object', properties: { alias: { type: 'string' } } } }),
      },
    },
  },
}
const section = {
  rows: '[]',
  date: 'day',
  domains: { a: ['id', 'name', 'place'], b: ['kind', 'day'], c: ['alias'] },
  operations: { names: { date: 'alias' } },
}

function releaseOf(...parts: Partial<ReleasePart>[]): Release {
  const full = parts.map((part) => ({ grant: 'g', fields: [], transforms: [], filters: [], ...part }))
  return { parts: full, released: full.flatMap(({ fields }) => fields), withheld: [] }
}

/** Everything that is wrong with a section, or nothing. */
function faultsOf(data: object): string[] {
  const parsed = productAdditionSchema.safeParse({
    id: 'p',
    title: 'P',
    version: '1',
    upstream: 'http://127.0.0.1:1',
    document: 'x',
    data: { ...section, ...data },
  })
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

/** What the upstream was asked for a call. */
async function asked(data: object, release: Release | undefined, call = 'GET /rows'): Promise<string> {
  let url = ''
  await using upstream = await startHttpUpstream((message, response) => {
    url = message.url ?? ''
    response.writeHead(200, { 'content-type': 'application/json' }).end('[]')
  })
  const { document: _, ...settings } = productAdditionSchema.parse({
    id: 'p',
    title: 'P',
    version: '1',
    upstream: upstream.url,
    document: 'x',
    data: { ...section, ...data },
  })
  const document = parseOpenApi(documentOf(paths), 'test')
  await using product = createProduct({ settings, document, upstreamHeaders: [] }, { now: () => 0 })
  const [method = '', target = ''] = call.split(' ')
  const [path = '', query = ''] = target.split('?')
  const request = { method, path, query: `?${query}`, headers: new Map(), body: Buffer.alloc(0) }
  const matched = product.match(request)
  await product.forward(matched, { ...request, exchangeId: 'x', release })
  return url
}

const all = {
  fields: { parameter: 'select' },
  from: { parameter: 'from' },
  to: { parameter: 'to' },
  filters: { kind: 'kind' },
}

test('the upstream is asked as the call asked, where the product does not say how else', async () => {
  const release = releaseOf({ fields: ['id'] })
  assert.equal(await asked({ requestedFields: 'fields' }, release, 'GET /rows?fields=id,name&page=2'), '/rows?page=2')
  assert.equal(await asked({ upstreamQuery: all }, undefined), '/rows')
})

test('the upstream gets the released fields, and those by which rows are chosen', async () => {
  const upstreamQuery = { fields: { parameter: 'select' } }
  assert.equal(
    await asked({ upstreamQuery }, releaseOf({ fields: ['id', 'place.city'] })),
    '/rows?select=id,place.city',
  )
  const filtered = releaseOf({
    fields: ['id'],
    filters: [{ path: 'kind', op: '!=', value: 'x' }],
    period: { fromMs: 0 },
  })
  assert.equal(await asked({ upstreamQuery }, filtered), '/rows?select=id,kind,day')
  const overlapping = releaseOf({ fields: ['place.city'] }, { fields: ['place'] })
  assert.equal(await asked({ upstreamQuery }, overlapping, 'GET /rows?page=2'), '/rows?page=2&select=place')
})

test('fields that the operation does not have are not asked for', async () => {
  const upstreamQuery = { fields: { parameter: 'select', separator: ' ' } }
  const release = releaseOf({ fields: ['alias', 'id', 'name'] })
  assert.equal(await asked({ upstreamQuery }, release), '/rows?select=id%20name')
  assert.equal(await asked({ upstreamQuery }, release, 'GET /names'), '/names?select=alias')
  assert.equal(await asked({ upstreamQuery }, releaseOf({ fields: ['alias'] })), '/rows')
})

test('released fields take the place of those that were asked for', async () => {
  const data = { requestedFields: 'fields', forwardReleasedFields: true }
  assert.equal(await asked(data, releaseOf({ fields: ['id'] }), 'GET /rows?fields=id,name'), '/rows?fields=id')
  assert.equal(await asked(data, releaseOf({ fields: ['id'] })), '/rows?fields=id')
  assert.equal(await asked(data, releaseOf({ fields: ['alias'] }), 'GET /names'), '/names')
})

test('fields by which rows are grouped are asked of the upstream, whatever the call asks for', async () => {
  const transforms = [{ path: 'id', op: 'aggregate', fn: 'count' } as const]
  const release = releaseOf({ fields: ['id'], givable: ['id', 'kind'], transforms })
  const call = 'GET /rows?fields=id'
  assert.equal(
    await asked({ requestedFields: 'fields', forwardReleasedFields: true }, release, call),
    '/rows?fields=id,kind',
  )
  assert.equal(
    await asked({ requestedFields: 'fields', forwardRequestedFields: true }, release, call),
    '/rows?fields=id%2Ckind',
  )
  const single = releaseOf({ fields: ['id'], givable: ['id', 'kind'] })
  assert.equal(await asked({ requestedFields: 'fields', forwardReleasedFields: true }, single, call), '/rows?fields=id')
})

test('the widest period of all parts goes upstream, none where one part has none', async () => {
  const upstreamQuery = { from: { parameter: 'since' }, to: { parameter: 'until', format: 'date' } }
  const [first, second] = [Date.UTC(2026, 0, 1, 12), Date.UTC(2026, 5, 1)]
  const part = (fields: string[], fromMs: number, toMs?: number) => ({ fields, period: { fromMs, toMs } })
  const release = releaseOf(part(['id'], second, second + 1), part(['name'], first, first))
  assert.equal(await asked({ upstreamQuery }, release), '/rows?since=2026-01-01T12%3A00%3A00Z&until=2026-06-02')
  assert.equal(await asked({ upstreamQuery }, releaseOf(part(['id'], first), { fields: ['name'] })), '/rows')
  const half = releaseOf(part(['id'], first, second), part(['name'], second))
  assert.equal(await asked({ upstreamQuery }, half), '/rows?since=2026-01-01T12%3A00%3A00Z')
})

test('what the call says itself of a period stands', async () => {
  const upstreamQuery = { from: { parameter: 'since' } }
  const release = releaseOf({ fields: ['id'], period: { fromMs: 0 } })
  assert.equal(await asked({ upstreamQuery }, release, 'GET /rows?since=2020'), '/rows?since=2020')
})

test('a filter goes upstream where every part demands the same value', async () => {
  const upstreamQuery = { filters: { kind: 'type' } }
  const part = (value: string, op: '=' | '!=' = '=') => ({ fields: ['id'], filters: [{ path: 'kind', op, value }] })
  assert.equal(await asked({ upstreamQuery }, releaseOf(part('a b'))), '/rows?type=a%20b')
  assert.equal(await asked({ upstreamQuery }, releaseOf(part('a', '!='))), '/rows')
  assert.equal(await asked({ upstreamQuery }, releaseOf(part('a'), { ...part('b'), fields: ['name'] })), '/rows')
})

test('only reads take parameters that the document does not declare', async () => {
  assert.equal(await asked({ upstreamQuery: all }, releaseOf({ fields: ['id'] }), 'POST /rows?page=1'), '/rows?page=1')
})

test('settings that contradict themselves are refused', () => {
  assert.deepEqual(faultsOf({ upstreamQuery: all, requestedFields: 'fields' }), [])
  const wrong: [object, RegExp][] = [
    [{ forwardReleasedFields: true }, /forwardReleasedFields: has no meaning without/],
    [
      { requestedFields: 'fields', forwardReleasedFields: true, forwardRequestedFields: true },
      /forwardReleasedFields: does not go with `forwardRequestedFields`/,
    ],
    [
      { requestedFields: 'fields', forwardReleasedFields: true, upstreamQuery: all },
      /forwardReleasedFields: does not go with `upstreamQuery.fields`/,
    ],
    [
      { upstreamQuery: { ...all, filters: { kind: 'from' } } },
      /data\.upstreamQuery\.filters\.kind: the parameter `from` is named twice/,
    ],
    [
      { upstreamQuery: all, date: undefined, operations: {} },
      /data\.upstreamQuery\.from: has no meaning without `date`/,
    ],
    [{ upstreamQuery: { filters: { 'a..b': 'x' } } }, /data\.upstreamQuery\.filters\.a\.\.b/],
    [{ upstreamQuery: { fields: { parameter: 'x', separator: '#' } } }, /data\.upstreamQuery\.fields\.separator/],
  ]
  for (const [data, message] of wrong) assert.match(faultsOf(data).join('\n'), message)
})

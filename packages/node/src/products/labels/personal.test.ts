import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import type { Release, ReleasePart } from '@comity/core/consent/release'
import { Problem } from '@comity/core/problems'
import { parseOpenApi } from '../openapi/openapi.ts'
import { productAdditionSchema } from '../product-config.ts'
import { createProduct, type Product } from '../product.ts'
import { documentOf, startHttpUpstream } from '../products-test-kit.ts'

const pairwise = `ps_${'A'.repeat(43)}`
const means = { keyedHash: (value: string) => `h(${value})`, pseudonym: pairwise }

const athlete = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    height: { type: ['number', 'null'] },
    born: { type: 'string', format: 'date' },
    address: { type: 'object', properties: { city: { type: 'string' }, street: { type: 'string' } } },
  },
}
const result = {
  type: 'object',
  properties: { event: { type: 'string' }, day: { type: 'string' }, athlete: { type: 'integer' } },
}
const json = (schema: unknown) => ({ description: 'ok', content: { 'application/json': { schema } } })
const optional = (name: string, schema: unknown) => ({ name, in: 'query', schema })
const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }
const fields = optional('fields', { type: 'string', maxLength: 200 })

const paths = {
  '/athletes/{id}': {
    get: {
      operationId: 'athlete',
      parameters: [id, fields, optional('lang', { enum: ['en', 'pt'] })],
      responses: { 200: json(athlete), 404: json({ type: 'object' }) },
    },
    head: { operationId: 'athlete-head', parameters: [id], responses: { 200: { description: 'ok' } } },
    patch: {
      operationId: 'change',
      parameters: [id],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { type: 'object', properties: { height: { type: 'number' } } } } },
      },
      responses: { 204: { description: 'done' } },
    },
  },
  '/results': {
    get: {
      operationId: 'results',
      parameters: [{ name: 'athlete', in: 'query', required: true, schema: { type: 'integer' } }, fields],
      responses: {
        200: json({
          type: 'object',
          properties: { items: { type: 'array', items: result }, total: { type: 'integer' } },
        }),
      },
    },
  },
  '/observations': {
    post: {
      operationId: 'observe',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['about', 'value'],
              properties: {
                about: { type: 'object', required: ['athlete'], properties: { athlete: { type: 'integer' } } },
                value: { type: 'number' },
              },
            },
          },
        },
      },
      responses: {
        201: json({ type: 'object', properties: { name: { type: 'string' }, height: { type: 'number' } } }),
      },
    },
  },
  '/sports': {
    get: { operationId: 'sports', responses: { 200: json({ type: 'array', items: { type: 'string' } }) } },
  },
}

const personal = {
  subject: { in: 'path', name: 'id' },
  domains: {
    'athlete.identity': ['id', 'name'],
    'athlete.body': ['height', 'born'],
    'athlete.home': ['address.city', 'address.street'],
    'athlete.results': ['event'],
  },
  operations: {
    results: { subject: { in: 'query', name: 'athlete' }, rows: 'items[]', date: 'day', open: ['total'] },
    observe: { subject: { in: 'body', pointer: '/about/athlete' }, action: 'append', body: { open: ['value'] } },
  },
  withoutSubject: ['sports'],
  requestedFields: 'fields',
}

function settingsOf(section: object = personal, upstream = 'http://127.0.0.1:1') {
  const base = { id: 'athletes', title: 'Athletes', version: '1', class: 'personal', upstream }
  const { document: _, ...settings } = productAdditionSchema.parse({ ...base, personal: section, document: 'x' })
  return settings
}

function productOf(section?: object, upstream?: string, documentPaths: unknown = paths): Product {
  const document = parseOpenApi(documentOf(documentPaths), 'test')
  return createProduct({ settings: settingsOf(section, upstream), document, upstreamHeaders: [] }, { now: () => 0 })
}

function callOf(method: string, target: string, body: unknown = undefined) {
  const [path = '', query = ''] = target.split('?')
  const headers = new Map(body === undefined ? [] : [['content-type', 'application/json']])
  const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body))
  return { method, path, query: `?${query}`, headers, body: bytes, exchangeId: 'e-1' }
}

function releaseOf(given: string[], more: Partial<ReleasePart> = {}): Release {
  return { parts: [{ grant: 'g', fields: given, transforms: [], filters: [], ...more }], released: given, withheld: [] }
}

/** What a call names, or the code it is refused with. */
function matched(product: Product, call: ReturnType<typeof callOf>) {
  try {
    const { personal: found } = product.match(call)
    return found === undefined ? 'nobody' : [found.action, found.subject, ...(found.requested ?? ['*'])].join(' ')
  } catch (error) {
    return error instanceof Problem ? `${error.code}: ${error.message}` : String(error)
  }
}

test('a call names its subject where the operation says', () => {
  const product = productOf()
  assert.equal(matched(product, callOf('GET', '/athletes/7')), 'read 7 *')
  assert.equal(matched(product, callOf('HEAD', '/athletes/7')), 'read 7 *')
  assert.equal(matched(product, callOf('PATCH', '/athletes/7', { height: 1.8 })), 'write 7 *')
  assert.equal(matched(product, callOf('GET', '/results?athlete=12')), 'read 12 *')
  assert.equal(matched(product, callOf('POST', '/observations', { about: { athlete: 7 }, value: 1 })), 'append 7 *')
  assert.equal(matched(product, callOf('GET', '/sports')), 'nobody')
})

test('a pairwise id may stand where the operation takes only the reference', () => {
  const product = productOf()
  assert.equal(matched(product, callOf('GET', `/athletes/${pairwise}`)), `read ${pairwise} *`)
  assert.equal(matched(product, callOf('GET', `/athletes/%70s_${'A'.repeat(43)}`)), `read ${pairwise} *`)
  assert.equal(matched(product, callOf('GET', `/results?athlete=${pairwise}`)), `read ${pairwise} *`)
  assert.equal(
    matched(product, callOf('POST', '/observations', { about: { athlete: pairwise }, value: 1 })),
    `append ${pairwise} *`,
  )
})

const refusedCalls: [string, string, unknown, RegExp][] = [
  ['GET', '/athletes/Ada', undefined, /^invalid-parameters/],
  ['GET', '/athletes/ps_short', undefined, /^invalid-parameters/],
  ['GET', '/results', undefined, /^invalid-parameters: .*`athlete` is missing/],
  ['GET', `/results?athlete=7&athlete=8`, undefined, /^invalid-parameters: .*repeated/],
  ['GET', `/athletes/7?lang=${pairwise}`, undefined, /^invalid-parameters: .*`lang`/],
  ['GET', '/athletes/7?fields=shoe', undefined, /^invalid-parameters: .*`shoe`/],
  ['GET', '/athletes/7?fields=', undefined, /^invalid-parameters: .*no field/],
  ['GET', '/athletes/7?fields=name,,height', undefined, /^invalid-parameters: .*no field/],
  ['GET', '/athletes/7?fields=a..b', undefined, /^invalid-parameters/],
  ['POST', '/observations', { value: 1 }, /^invalid-body/],
  ['POST', '/observations', { about: { athlete: [7] }, value: 1 }, /^invalid-body/],
  ['POST', '/observations', { about: [{ athlete: 7 }], value: 1 }, /^invalid-body/],
  ['POST', '/observations', { about: { athlete: 'ps_short' }, value: 1 }, /^invalid-body/],
]

for (const [method, target, body, expected] of refusedCalls) {
  test(`refuses ${method} ${target} ${body === undefined ? '' : JSON.stringify(body)}`, () => {
    assert.match(matched(productOf(), callOf(method, target, body)), expected)
  })
}

test('fields that a call asks for are labelled ones, parts of one, or several at once', () => {
  const product = productOf()
  assert.equal(matched(product, callOf('GET', '/athletes/7?fields=name,height')), 'read 7 name height')
  assert.equal(matched(product, callOf('GET', '/athletes/7?fields=address,%20name,name')), 'read 7 address name')
})

interface Seen {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A product before an upstream that answers everything in the same way, and what that one saw. */
async function withUpstream(
  answer: { status?: number; headers?: Record<string, string>; body?: string },
  work: (product: Product, seen: Seen[]) => Promise<void>,
  section: object = personal,
) {
  const seen: Seen[] = []
  await using server = await startHttpUpstream((request, response) => {
    void text(request).then((body) => {
      seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
      const { status = 200, headers = { 'content-type': 'application/json' }, body: content = '{}' } = answer
      response.writeHead(status, headers).end(content)
    })
  })
  await using product = productOf(section, server.url)
  await work(product, seen)
}

async function forwarded(product: Product, call: ReturnType<typeof callOf>, subjectReference: string) {
  const operation = product.match(call)
  return { operation, answer: await product.forward(operation, { ...call, subjectReference }) }
}

test('the upstream gets its own reference in the place of the pairwise id, and no list of fields', async () => {
  await withUpstream({}, async (product, seen) => {
    await forwarded(product, callOf('GET', `/athletes/${pairwise}?lang=pt&fields=name`), '7')
    await forwarded(product, callOf('GET', '/athletes/7?fields=name'), '7')
    await forwarded(product, callOf('GET', `/results?fields=event&athlete=${pairwise}`), '12')
    await forwarded(product, callOf('POST', '/observations', { about: { athlete: pairwise }, value: 1 }), '7')
    await forwarded(product, callOf('POST', '/observations', { value: 1, about: { athlete: 7 } }), '7')
    assert.deepEqual(
      seen.map(({ line, body }) => `${line} ${body}`.trim()),
      [
        'GET /athletes/7?lang=pt',
        'GET /athletes/7',
        'GET /results?athlete=12',
        'POST /observations {"about":{"athlete":7},"value":1}',
        'POST /observations {"value":1,"about":{"athlete":7}}',
      ],
    )
  })
})

test('of a body only the subject changes on the way', async () => {
  await withUpstream({}, async (product, seen) => {
    const call = callOf('POST', '/observations', {})
    const body = Buffer.from(`{ "value": 1.10e0, "about": {"athlete" : "${pairwise}"} }`)
    await forwarded(product, { ...call, body }, '7')
    assert.equal(seen[0]?.body, '{ "value": 1.10e0, "about": {"athlete" : 7} }')
  })
})

test('the list of fields goes upstream only where that is declared', async () => {
  const section = { ...personal, forwardRequestedFields: true }
  const work = async (product: Product, seen: Seen[]) => {
    await forwarded(product, callOf('GET', `/athletes/${pairwise}?fields=name,height`), '7')
    assert.equal(seen[0]?.line, 'GET /athletes/7?fields=name%2Cheight')
  }
  await withUpstream({}, work, section)
})

test('the upstream is never asked under a condition, which would tell of what is withheld', async () => {
  await withUpstream({}, async (product, seen) => {
    const call = callOf('GET', '/athletes/7')
    call.headers.set('if-none-match', '"a"').set('if-modified-since', 'x').set('accept-language', 'pt')
    await forwarded(product, call, '7')
    const { headers } = seen[0] as Seen
    assert.deepEqual(
      [headers['if-none-match'], headers['if-modified-since'], headers['accept-language']],
      [undefined, undefined, 'pt'],
    )
  })
})

test('nothing goes upstream without the reference, or with one that the operation does not take', async () => {
  await withUpstream({}, async (product, seen) => {
    const call = callOf('GET', `/athletes/${pairwise}`)
    await assert.rejects(product.forward(product.match(call), call), /without the reference/)
    await assert.rejects(forwarded(product, call, 'SECRET'), (error: Error) => {
      assert.ok(!(error instanceof Problem) && !error.message.includes('SECRET'))
      return true
    })
    const body = callOf('POST', '/observations', { about: { athlete: pairwise }, value: 1 })
    await assert.rejects(forwarded(product, body, 'SECRET'), /does not fit/)
    assert.deepEqual(seen, [])
  })
})

test('what a pairwise id in a body hid from the check is found before the upstream is called', async () => {
  await withUpstream({}, async (product, seen) => {
    const body = { about: { athlete: pairwise }, value: 'SECRET' }
    const call = callOf('POST', '/observations', body)
    await assert.rejects(forwarded(product, call, '7'), { code: 'invalid-body' })
    assert.deepEqual(seen, [])
  })
})

/** What leaves of an answer: status, fields, body. */
async function released(
  answer: { status?: number; headers?: Record<string, string>; body?: string },
  call: ReturnType<typeof callOf>,
  release: Release,
) {
  let left = ''
  await withUpstream(answer, async (product) => {
    const { operation, answer: whole } = await forwarded(product, call, '7')
    try {
      const { status, headers, body } = product.minimise(operation, whole, { release, means })
      left = [status, headers.join(), Buffer.from(body).toString()].join(' ')
    } catch (error) {
      left = error instanceof Problem ? error.code : String(error)
    }
  })
  return left
}

const athletes: [string, unknown, string][] = [
  [
    'a whole answer',
    { id: 7, name: 'Ada', height: 1.8, address: { city: 'Rio', street: 'S' } },
    '{"name":"Ada","address":{"city":"Rio"}}',
  ],
  ['a null', { name: null }, 'upstream-invalid'],
  ['a missing field', { id: 7 }, '{}'],
  ['a member that is not declared', { name: 'Ada', diagnosis: 'SECRET' }, 'upstream-invalid'],
  ['a list where an object is declared', [{ name: 'SECRET' }], 'upstream-invalid'],
  ['a list inside', { address: [{ city: 'SECRET' }] }, 'upstream-invalid'],
  ['a text where an object is declared', { address: 'SECRET' }, 'upstream-invalid'],
  ['null', null, 'upstream-invalid'],
  ['a text', 'SECRET', 'upstream-invalid'],
]

for (const [name, body, expected] of athletes) {
  test(`of ${name} only what was released leaves`, async () => {
    const call = callOf('GET', `/athletes/${pairwise}`)
    const left = await released({ body: JSON.stringify(body) }, call, releaseOf(['name', 'address.city']))
    assert.equal(left.replace('200 content-type,application/json ', ''), expected)
  })
}

test('rows are chosen and their envelope is kept as the layout says', async () => {
  const body = JSON.stringify({
    total: 2,
    items: [
      { event: '100 m', day: '2016-08-06', athlete: 7 },
      { event: '200 m', day: '2017-08-06', athlete: 7 },
    ],
  })
  const period = { fromMs: Date.UTC(2016, 0), toMs: Date.UTC(2017, 0) }
  const left = await released({ body }, callOf('GET', '/results?athlete=7'), releaseOf(['event'], { period }))
  assert.equal(left, '200 content-type,application/json {"total":2,"items":[{"event":"100 m"}]}')
})

test('an answer whose rows carry no date gives nothing of a part that is limited to a period', async () => {
  const period = { fromMs: 0, toMs: Date.UTC(2100, 0) }
  const body = '{"name":"Ada","born":"1999-04-17"}'
  assert.equal(
    await released({ body }, callOf('GET', '/athletes/7'), releaseOf(['name', 'born'], { period })),
    '200 content-type,application/json {}',
  )
})

test('fields of the answer that tell of the whole body or name the person stay behind', async () => {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-language': 'pt',
    'cache-control': 'no-store',
    etag: '"SECRET"',
    'last-modified': 'Sat, 06 Aug 2016 00:00:00 GMT',
    link: '</athletes/SECRET>; rel=self',
    location: '/athletes/SECRET',
    'repr-digest': 'sha-256=:SECRET:',
    vary: 'SECRET',
    'x-name': 'SECRET',
  }
  const left = await released({ headers, body: '{"name":"Ada"}' }, callOf('GET', '/athletes/7'), releaseOf(['name']))
  assert.equal(left, '200 content-type,application/json,content-language,pt,cache-control,no-store {"name":"Ada"}')
})

test('of an answer that is no success the status alone leaves', async () => {
  const headers = { 'content-type': 'text/html', link: '</SECRET>', 'cache-control': 'SECRET' }
  const call = callOf('GET', '/athletes/7')
  assert.equal(await released({ status: 404, headers, body: 'no SECRET here' }, call, releaseOf(['name'])), '404  ')
  assert.equal(await released({ status: 410, headers, body: 'SECRET' }, call, releaseOf(['name'])), 'upstream-invalid')
})

test('answers without a body stay without one', async () => {
  assert.equal(
    await released({ headers: { etag: '"x"' } }, callOf('HEAD', '/athletes/7'), releaseOf(['name'])),
    '200  ',
  )
  const change = callOf('PATCH', '/athletes/7', { height: 1.8 })
  assert.equal(await released({ status: 204, headers: {} }, change, releaseOf(['name'])), '204  ')
  assert.equal(await released({ body: '' }, callOf('GET', '/athletes/7'), releaseOf(['name'])), 'upstream-invalid')
})

test('an answer about a person leaves by minimisation only', async () => {
  await withUpstream({ body: '{"name":"Ada"}' }, async (product) => {
    const { operation, answer } = await forwarded(product, callOf('GET', '/athletes/7'), '7')
    assert.throws(() => product.judge(operation, answer), /must be minimised/)
  })
  await withUpstream({ body: '["judo"]' }, async (product) => {
    const call = callOf('GET', '/sports')
    const operation = product.match(call)
    const answer = await product.forward(operation, call)
    assert.equal(Buffer.from(product.judge(operation, answer).body).toString(), '["judo"]')
    assert.throws(
      () => product.minimise(operation, answer, { release: releaseOf([]), means }),
      /without labelled fields/,
    )
  })
})

test('a personal product describes what a consent can speak about', () => {
  assert.deepEqual(productOf().personal?.describe(), {
    labels: [
      { path: 'id', domain: 'athlete.identity', sensitivity: 'confidential' },
      { path: 'name', domain: 'athlete.identity', sensitivity: 'confidential' },
      { path: 'height', domain: 'athlete.body', sensitivity: 'confidential' },
      { path: 'born', domain: 'athlete.body', sensitivity: 'confidential' },
      { path: 'address.city', domain: 'athlete.home', sensitivity: 'confidential' },
      { path: 'address.street', domain: 'athlete.home', sensitivity: 'confidential' },
      { path: 'event', domain: 'athlete.results', sensitivity: 'confidential' },
    ],
    domains: ['athlete.identity', 'athlete.body', 'athlete.home', 'athlete.results'],
    actions: ['read', 'write', 'append'],
    undated: [
      { id: 'athlete', action: 'read', fields: ['id', 'name', 'height', 'born', 'address.city', 'address.street'] },
      { id: 'athlete-head', action: 'read', fields: [] },
      { id: 'change', action: 'write', fields: [] },
      { id: 'observe', action: 'append', fields: ['name', 'height'] },
    ],
    takesRequestedFields: true,
  })
})

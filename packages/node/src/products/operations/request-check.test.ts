import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '@comity/core/problems'
import { matchOperation } from './matching.ts'
import { treeOf } from '../products-test-kit.ts'
import { checkRequest } from './request-check.ts'

const integer = { type: 'integer', minimum: 0 }
const json = (schema: unknown) => ({ 'application/json': { schema } })
const responses = { 200: { description: 'ok' } }

const tree = treeOf(
  {
    '/athletes': {
      get: {
        parameters: [
          { name: 'limit', in: 'query', schema: { ...integer, maximum: 100 } },
          { name: 'sport', in: 'query', schema: { type: 'array', items: { type: 'string' }, maxItems: 3 } },
          { name: 'ids', in: 'query', explode: false, schema: { type: 'array', items: { type: 'integer' } } },
          { name: 'pipes', in: 'query', style: 'pipeDelimited', schema: { type: 'array', items: {} } },
          { name: 'gold', in: 'query', schema: { type: 'boolean' } },
          { name: 'q', in: 'query', schema: { type: 'string', maxLength: 20 } },
          {
            name: 'weight',
            in: 'query',
            schema: { anyOf: [{ type: 'number' }, { $ref: '#/components/schemas/any' }] },
          },
          { name: 'X-Lang', in: 'header', schema: { enum: ['nl', 'en'] } },
          { name: 'theme', in: 'cookie', schema: { type: 'string' } },
        ],
        responses,
      },
      post: {
        requestBody: {
          required: true,
          content: {
            ...json({ $ref: '#/components/schemas/athlete' }),
            'text/plain': { schema: { type: 'string', maxLength: 5 } },
            'image/*': {},
          },
        },
        responses,
      },
    },
    '/athletes/{id}/{year}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[a-z0-9;-]+$' } }],
      get: {
        parameters: [
          { name: 'year', in: 'path', required: true, schema: { type: 'integer', minimum: 1896 } },
          { name: 'key', in: 'query', required: true, schema: { type: 'string' } },
        ],
        responses,
      },
    },
  },
  {
    schemas: {
      any: { type: 'string', const: 'any' },
      athlete: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, medals: { type: 'object', properties: { gold: { type: 'integer' } } } },
      },
    },
  },
)

interface Call {
  method?: string
  path?: string
  query?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

function check({ method = 'GET', path = '/athletes', query = '?', headers = {}, body = '' }: Call) {
  const found = matchOperation(tree, method, path)
  assert.ok(typeof found === 'object' && 'operation' in found)
  return checkRequest(found, { query, header: (name) => headers[name], body: Buffer.from(body as string) })
}

function codeOf(call: Call): string {
  try {
    check(call)
    return 'taken'
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}

/** Queries that pass, and what the upstream is sent. */
const written: Record<string, string> = {
  '?': '',
  '': '',
  '?limit=5': '?limit=5',
  '?limit=%35': '?limit=5',
  '?sport=judo&sport=rowing': '?sport=judo&sport=rowing',
  '?sport=a,b': '?sport=a%2Cb',
  '?ids=1,2,3': '?ids=1,2,3',
  '?ids=': '?ids=',
  '?pipes=a|b%7Cc': '?pipes=a%7Cb%7Cc',
  '?gold=true': '?gold=true',
  '?q=a+b%20c': '?q=a%20b%20c',
  '?q=a%2Bb': '?q=a%2Bb',
  '?q=a=b;c': '?q=a%3Db%3Bc',
  '?q': '?q=',
  '?q=%26admin%3D1': '?q=%26admin%3D1',
  '?%71=x': '?q=x',
  '?weight=1.5e1': '?weight=1.5e1',
  '?weight=any': '?weight=any',
}

for (const [query, expected] of Object.entries(written)) {
  test(`sends \`${query}\` upstream as \`${expected}\``, () => assert.equal(check({ query }).query, expected))
}

const refusedQueries = [
  '?undeclared=1',
  '?limit=5&admin=1',
  '?limit=1&limit=2',
  '?ids=1&ids=2',
  '?limit=-1',
  '?limit=101',
  '?limit=1.5',
  '?limit=0x10',
  '?limit=01',
  '?limit=1e1',
  '?limit=',
  '?limit= 5',
  '?limit=%205',
  '?limit=null',
  '?limit=١',
  '?ids=1,x',
  '?ids=1,,2',
  '?sport=a&sport=b&sport=c&sport=d',
  '?gold=1',
  '?gold=TRUE',
  '?q=%00',
  '?q=%0d%0aX: y'.replaceAll(' ', '%20').replace('%0d', '%01'),
  '?q=%',
  '?q=%zz',
  '?q=%c0%af',
  '?q=%ed%a0%80',
  `?q=${'x'.repeat(21)}`,
  '?weight=heavy',
  '?weight=Infinity',
  '?limit[]=1',
  '?limit[gt]=1',
  '?Limit=1',
  '?q=a&',
  '?&q=a',
  '?q=a&&gold=true',
  '?=1',
  '?theme=dark',
  '?constructor=1',
  '?__proto__=1',
  `?${'q=1&'.repeat(300)}q=1`,
]

for (const query of refusedQueries) {
  test(`refuses \`${query.slice(0, 40)}\``, () => assert.equal(codeOf({ query }), 'invalid-parameters'))
}

test('lists what is wrong, parameter by parameter', () => {
  assert.throws(
    () => check({ query: '?limit=x&nope=1&gold=2', headers: { 'x-lang': 'de' } }),
    (error: Problem) => {
      assert.deepEqual(error.members.errors, [
        { parameter: 'nope', in: 'query', detail: 'is not declared' },
        { parameter: 'limit', in: 'query', detail: 'must be integer' },
        { parameter: 'gold', in: 'query', detail: 'must be boolean' },
        { parameter: 'x-lang', in: 'header', detail: 'must be equal to one of the allowed values' },
      ])
      return true
    },
  )
})

test('path parameters are decoded once, checked, and escaped again for the upstream', () => {
  const query = '?key=k'
  assert.equal(check({ path: '/athletes/a-1/1924', query }).path, '/athletes/a-1/1924')
  assert.equal(check({ path: '/athletes/a;b/1924', query }).path, '/athletes/a%3Bb/1924')
  for (const path of [
    '/athletes/A/1924',
    '/athletes/a/1895',
    '/athletes/a/x',
    '/athletes/a%41/1924',
    '/athletes/a%2541/1924',
  ]) {
    assert.equal(codeOf({ path, query }), 'invalid-parameters', path)
  }
})

test('a required parameter must be there', () => {
  assert.equal(codeOf({ path: '/athletes/a/1924' }), 'invalid-parameters')
  assert.equal(codeOf({ path: '/athletes/a/1924', query: '?key=' }), 'taken')
})

const post = (
  body: string | Buffer,
  type: string | undefined = 'application/json',
  headers: Record<string, string> = {},
) => codeOf({ method: 'POST', body, headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers } })

const bodies: [string, string | Buffer, string, string][] = [
  ['a good one', '{"name":"x"}', 'application/json', 'taken'],
  ['a good one with charset', '{"name":"x"}', 'Application/JSON; charset="UTF-8"', 'taken'],
  ['another charset', '{"name":"x"}', 'application/json; charset=utf-16', 'unsupported-media-type'],
  ...[
    'charset =utf-7',
    'charset= utf-8',
    'charset\t=utf-7',
    "charset*=utf-8''utf-7",
    'charset*0=utf-7',
    'charset=utf-8; charset=utf-7',
    'charset="utf-8',
    'charset="utf\\-8"',
    'charset',
    'profile=x',
    'header=present',
  ].map((parameter): (typeof bodies)[number] => [
    `JSON with \`${parameter}\``,
    '{"name":"x"}',
    `application/json; ${parameter}`,
    'unsupported-media-type',
  ]),
  ['an undeclared member', '{"name":"x","admin":true}', 'application/json', 'invalid-body'],
  ['an undeclared member inside', '{"name":"x","medals":{"platinum":1}}', 'application/json', 'invalid-body'],
  ['a member of the prototype', '{"name":"x","__proto__":{"admin":true}}', 'application/json', 'invalid-body'],
  ['a missing member', '{}', 'application/json', 'invalid-body'],
  ['a wrong type', '{"name":1}', 'application/json', 'invalid-body'],
  ['another shape', '[]', 'application/json', 'invalid-body'],
  ['a member twice', '{"name":"x","name":"y"}', 'application/json', 'json-duplicate-member'],
  ['too many levels', '['.repeat(65) + ']'.repeat(65), 'application/json', 'json-too-deep'],
  ['too many numbers', `[${'1.0,'.repeat(262_144)}1.0]`, 'application/json', 'json-too-wide'],
  ['half of a character', '"\\ud800"', 'application/json', 'json-invalid'],
  ['no JSON', '{name:1}', 'application/json', 'json-invalid'],
  ['bytes that are no text', Buffer.from([0xff, 0xfe]), 'application/json', 'text-not-utf8'],
  ['text that is none', Buffer.from([0xff, 0xfe]), 'text/plain', 'text-not-utf8'],
  ['nothing', '', 'application/json', 'json-invalid'],
  ['a form', 'name=x', 'application/x-www-form-urlencoded', 'unsupported-media-type'],
  ['no content type it can read', '{"name":"x"}', 'json', 'unsupported-media-type'],
  ['short text', 'abc', 'text/plain', 'taken'],
  ['long text', 'abcdef', 'text/plain', 'invalid-body'],
  ['an opaque image', Buffer.from([1, 2, 255]), 'image/png', 'taken'],
]

for (const [name, body, type, expected] of bodies) {
  test(`a body: ${name} is ${expected}`, () => assert.equal(post(body, type), expected))
}

test('the content type that goes upstream says what the body was judged as', () => {
  const sent = (type: string) =>
    check({ method: 'POST', body: /^a/i.test(type) ? '{"name":"x"}' : 'abc', headers: { 'content-type': type } })
      .contentType
  assert.equal(sent('Application/JSON;charset="UTF-8"'), 'application/json')
  assert.equal(sent('text/plain'), 'text/plain; charset=utf-8')
  assert.equal(sent('text/plain ; charset=US-ASCII'), 'text/plain; charset=utf-8')
  assert.equal(sent('image/PNG;  Colour="a b";\tDepth=8;'), 'image/png; colour="a b"; depth=8')
})

test('a body must not be compressed, must be there when required, and must not be there when undeclared', () => {
  assert.equal(post('{"name":"x"}', 'application/json', { 'content-encoding': 'gzip' }), 'unsupported-media-type')
  assert.equal(codeOf({ method: 'POST' }), 'invalid-body')
  assert.equal(codeOf({ method: 'POST', body: '{"name":"x"}' }), 'unsupported-media-type')
  assert.equal(codeOf({ body: 'x' }), 'invalid-body')
})

test('what is wrong with a body is said with its place, and without one where it is the whole body', () => {
  const body = (text: string) => () =>
    check({ method: 'POST', body: text, headers: { 'content-type': 'application/json' } })
  assert.throws(body('{"name":1}'), { message: 'the body is wrong at `/name`: must be string' })
  assert.throws(body('[]'), { message: 'the body is wrong: must be object' })
})

test('a refused type is told which ones are taken', () => {
  assert.throws(
    () => check({ method: 'POST', body: 'x', headers: { 'content-type': 'a/b' } }),
    (error: Problem) => {
      assert.deepEqual(error.members.accepted, ['application/json', 'text/plain', 'image/*'])
      return true
    },
  )
})

test('whatever the query, the answer is a problem or a query that says the same again', () => {
  const piece = fc.oneof(
    fc.constantFrom('q', 'limit', 'sport', '=', '&', '%', '%20', '+', ';', '5', 'ü', '#', '['),
    fc.string(),
  )
  const property = fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const query = `?${pieces.join('')}`
    const outcome = codeOf({ query })
    assert.ok(outcome === 'taken' || outcome === 'invalid-parameters', outcome)
    if (outcome !== 'taken') return
    const once = check({ query }).query
    assert.equal(check({ query: once }).query, once)
    assert.match(once, /^(\?[\w!'()*.~%=&,-]*)?$/)
  })
  fc.assert(property, { numRuns: 200 })
})

test('every text comes out of the query as it went in', () => {
  const property = fc.property(fc.string({ unit: 'grapheme', maxLength: 5 }), (text) => {
    // oxlint-disable-next-line no-control-regex
    fc.pre(!/[\u0000-\u001f\u007f]/.test(text) && text.isWellFormed())
    const { query } = check({ query: `?q=${encodeURIComponent(text)}` })
    assert.equal(new URLSearchParams(query).get('q'), text)
  })
  fc.assert(property, { numRuns: 100 })
})

test('a number beyond a double is a number: bounds judge the nearest that there is', () => {
  const schema = { type: 'object', properties: { free: { type: 'number' }, small: { type: 'number', maximum: 10 } } }
  const found = matchOperation(
    treeOf({ '/n': { post: { requestBody: { content: json(schema) }, responses } } }),
    'POST',
    '/n',
  )
  if (typeof found === 'string' || 'allow' in found) assert.fail('not found')
  const checked = (text: string) =>
    checkRequest(found, {
      query: '?',
      body: Buffer.from(text),
      header: (name) => (name === 'content-type' ? 'application/json' : undefined),
      subject: undefined,
    })
  assert.deepEqual(checked('{"free":-1e400,"small":1.0}').body, { free: -Number.MAX_VALUE, small: 1 })
  assert.throws(() => checked('{"small":1e400}'), { code: 'invalid-body', message: /small/ })
})

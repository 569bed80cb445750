/** What the admin listener refuses, and that refusing changes nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { adminOf, type AdminCaller, type AdminQuestion } from './admin-call.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

const wrongTokens: Record<string, string | undefined> = {
  'no token': undefined,
  'an empty field': '',
  'another token': `Bearer ${'A'.repeat(43)}`,
  'another scheme': 'Basic YTpi',
  'the scheme alone': 'Bearer',
  'a scheme and blanks': 'Bearer    ',
  'a long token': `Bearer ${'x'.repeat(8_000)}`,
}

/** Name -> question, status, code. All with the right token. */
const hostile: Record<string, [AdminQuestion, number, string]> = {
  'another address': [{ path: '/v2/status' }, 404, 'not-found'],
  'the root': [{ path: '/' }, 404, 'not-found'],
  'a trailing slash': [{ path: '/v1/status/' }, 404, 'not-found'],
  'an empty segment': [{ path: '/v1//status' }, 404, 'not-found'],
  'a leading empty segment': [{ path: '//v1/status' }, 400, 'malformed-request'],
  'another case': [{ path: '/V1/Status' }, 404, 'not-found'],
  'an escaped letter': [{ path: '/v1/%73tatus' }, 404, 'not-found'],
  'dot segments': [{ path: '/v1/partners/../status' }, 404, 'not-found'],
  'escaped dot segments': [{ path: '/v1/partners/%2e%2e', method: 'DELETE' }, 404, 'partner-unknown'],
  'an escaped slash': [{ path: '/v1/partners%2frecipient', method: 'DELETE' }, 404, 'not-found'],
  'an escaped slash in a name': [{ path: '/v1/partners/a%2fb', method: 'DELETE' }, 404, 'partner-unknown'],
  'a NUL': [{ path: '/v1/partners/recipient%00', method: 'DELETE' }, 400, 'malformed-request'],
  'an escape that is not UTF-8': [{ path: '/v1/partners/%ff', method: 'DELETE' }, 400, 'malformed-request'],
  'a broken escape': [{ path: '/v1/partners/%zz', method: 'DELETE' }, 400, 'malformed-request'],
  'an empty name': [{ path: '/v1/partners/', method: 'DELETE' }, 404, 'not-found'],
  'a long path': [{ path: `/v1/partners/${'a'.repeat(5_000)}`, method: 'DELETE' }, 414, 'target-too-long'],
  'another method': [{ path: '/v1/status', method: 'POST', body: {} }, 405, 'method-not-allowed'],
  PUT: [{ path: '/v1/partners', method: 'PUT', body: {} }, 405, 'method-not-allowed'],
  PATCH: [{ path: '/v1/partners/recipient', method: 'PATCH', body: {} }, 405, 'method-not-allowed'],
  OPTIONS: [{ path: '/v1/partners', method: 'OPTIONS' }, 405, 'method-not-allowed'],
  'writing to the metrics': [{ path: '/metrics', method: 'POST', body: {} }, 405, 'method-not-allowed'],
  'no content type': [
    { path: '/v1/partners', method: 'POST', rawBody: '{}', headers: { 'content-type': undefined } },
    415,
    'unsupported-media-type',
  ],
  'a form': [
    { path: '/v1/partners', method: 'POST', rawBody: 'a=b', headers: { 'content-type': 'text/plain' } },
    415,
    'unsupported-media-type',
  ],
  'a compressed body': [
    { path: '/v1/partners', method: 'POST', rawBody: '{}', headers: { 'content-encoding': 'gzip' } },
    415,
    'unsupported-media-type',
  ],
  'no body': [{ path: '/v1/partners', method: 'POST', rawBody: '' }, 400, 'malformed-request'],
  'bad JSON': [{ path: '/v1/partners', method: 'POST', rawBody: '{"alias": ' }, 400, 'malformed-request'],
  'a member twice': [
    { path: '/v1/partners', method: 'POST', rawBody: '{"alias":"a","alias":"b"}' },
    400,
    'malformed-request',
  ],
  'bytes that are not UTF-8': [
    { path: '/v1/partners', method: 'POST', rawBody: new Uint8Array([0x22, 0xff, 0x22]) },
    400,
    'malformed-request',
  ],
  'a list for an object': [{ path: '/v1/partners', method: 'POST', body: [] }, 400, 'malformed-request'],
  null: [{ path: '/v1/keys/rotate', method: 'POST', body: null }, 400, 'malformed-request'],
  'an unknown member': [
    {
      path: '/v1/keys/rotate',
      method: 'POST',
      body: { purposes: ['tls'], publishForMs: 1, overlapMs: 1, force: true },
    },
    400,
    'malformed-request',
  ],
  'a prototype': [
    { path: '/v1/partners', method: 'POST', rawBody: '{"__proto__":{"alias":"a"},"did":"did:web:a.example"}' },
    400,
    'malformed-request',
  ],
  'the key of the log': [
    { path: '/v1/keys/rotate', method: 'POST', body: { purposes: ['log'], publishForMs: 0, overlapMs: 0 } },
    400,
    'malformed-request',
  ],
  'a body that is too large': [
    { path: '/v1/partners', method: 'POST', rawBody: `"${'a'.repeat(1_100_000)}"` },
    413,
    'body-too-large',
  ],
  'a draft with a stranger by alias': [
    { path: '/v1/agreements/draft', method: 'POST', body: { partner: 'nobody', role: 'holder', products: ['items'] } },
    404,
    'partner-unknown',
  ],
  'a draft until no time': [
    {
      path: '/v1/agreements/draft',
      method: 'POST',
      body: { partner: 'recipient', role: 'holder', products: ['items'], notAfter: 'tomorrow' },
    },
    400,
    'malformed-request',
  ],
  'an agreement that is none': [{ path: '/v1/agreements', method: 'POST', body: {} }, 422, 'agreement-malformed'],
  'an agreement that nobody knows': [{ path: '/v1/agreements/urn%3Auuid%3Ax' }, 404, 'agreement-unknown'],
  'a termination without a reason': [
    { path: '/v1/agreements/x/terminate', method: 'POST', body: {} },
    400,
    'malformed-request',
  ],
  'an unknown parameter': [{ path: '/v1/log/events?form=1' }, 400, 'malformed-request'],
  'a parameter twice': [{ path: '/v1/log/events?from=1&from=2' }, 400, 'malformed-request'],
  'a negative position': [{ path: '/v1/log/events?from=-1' }, 400, 'malformed-request'],
  'too much at once': [{ path: '/v1/log/events?limit=10001' }, 400, 'malformed-request'],
  'a number in another notation': [{ path: '/v1/log/events?limit=1e3' }, 400, 'malformed-request'],
  'SQL for an id': [{ path: `/v1/receipts?before=${encodeURIComponent("' OR 1=1 --")}` }, 400, 'malformed-request'],
  'a web page': [{ path: '/v1/status', headers: { origin: 'https://evil.example' } }, 403, 'local-caller-refused'],
  'a page of another site': [
    { path: '/v1/status', headers: { 'sec-fetch-site': 'cross-site' } },
    403,
    'local-caller-refused',
  ],
  'a name that was rebound': [{ path: '/v1/status', headers: { host: 'evil.example' } }, 403, 'local-caller-refused'],
  'metrics under a name that was rebound': [
    { path: '/metrics', headers: { host: 'evil.example' } },
    403,
    'local-caller-refused',
  ],
}

describe('the admin listener', () => {
  let network: TestNetwork
  let admin: AdminCaller
  before(async () => {
    network = await startTestNetwork()
    admin = await adminOf(network.holder)
  })
  after(() => network[Symbol.asyncDispose]())

  const stateOf = async () => {
    const paths = ['/v1/partners', '/v1/products', '/v1/agreements', '/v1/keys']
    return Promise.all(paths.map(async (path) => (await admin.call({ path })).json))
  }

  for (const [name, authorization] of Object.entries(wrongTokens)) {
    test(`refuses ${name}, whatever is asked`, async () => {
      for (const path of ['/v1/status', '/v1/nothing', '/v1/keys/rotate']) {
        const { status, headers, text } = await admin.call({ path, headers: { authorization } })
        assert.equal(status, 401)
        assert.equal(headers['www-authenticate'], 'Bearer realm="comity"')
        assert.ok(!text.includes(admin.token))
      }
    })
  }

  test('answers each hostile call with its 4xx problem, and nothing changes', async () => {
    const earlier = await stateOf()
    for (const [name, [question, status, code]] of Object.entries(hostile)) {
      const answer = await admin.call(question)
      assert.equal(answer.status, status, `${name}: ${answer.text}`)
      assert.equal(answer.headers['content-type'], 'application/problem+json', name)
      const problem = answer.json as { code: string; requestId: string; status: number }
      assert.equal(problem.code, code, name)
      assert.match(problem.requestId, /^[0-9a-f-]{36}$/, name)
      if (status === 405) assert.ok((answer.headers['allow'] ?? '').length > 0, name)
    }
    assert.deepEqual(await stateOf(), earlier)
  })

  test('judges the token before it reads a body', async () => {
    const { status } = await admin.call({
      path: '/v1/products',
      method: 'POST',
      rawBody: 'x'.repeat(64),
      headers: { authorization: undefined, 'content-length': '15000000' },
    })
    assert.equal(status, 401)
  })

  test('answers what is no HTTP with 400 and stays', async () => {
    for (const text of ['\r\n\r\n\r\nGARBAGE\r\n\r\n', 'GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n']) {
      assert.match(await admin.raw(text), /^HTTP\/1\.1 4\d\d /)
    }
    assert.equal((await admin.call({ path: '/v1/status' })).status, 200)
  })

  test('never answers with 5xx, whatever JSON comes to whatever address', async () => {
    const paths = [
      '/v1/partners',
      '/v1/products',
      '/v1/agreements',
      '/v1/agreements/sign',
      '/v1/agreements/draft',
      '/v1/keys/rotate',
    ]
    const names = [
      'alias',
      'did',
      'id',
      'partner',
      'products',
      'purposes',
      'agreement',
      'signatures',
      'document',
      'upstreamHeaders',
    ]
    const body = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 2 })),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, value) => {
        const { status, text } = await admin.call({ method: 'POST', path, body: value })
        assert.ok(status >= 400 && status < 500, `${path} ${JSON.stringify(value)}: ${status} ${text}`)
      }),
      { numRuns: 150 },
    )
  })

  test('never answers with 5xx, whatever the path', async () => {
    const piece = fc.oneof(
      fc.constantFrom('v1', 'partners', '%2e%2e', '%00', '..', '.', '', '%', 'a?b=c', '%c0%af', '&&', '='),
      fc.webSegment(),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 6 }),
        fc.constantFrom('GET', 'DELETE', 'HEAD'),
        async (pieces, method) => {
          const path = `/v1/${pieces.join('/')}`
          const { status } = await admin.call({ method, path })
          assert.ok(status < 500, `${method} ${path}: ${status}`)
        },
      ),
      { numRuns: 150 },
    )
    assert.equal(network.holder.logged.filter((line) => line.includes('error.internal')).length, 0)
  })
})

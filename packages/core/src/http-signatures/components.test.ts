import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../problems.ts'
import { componentOf, componentValue } from './components.ts'
import type { RequestParts, ResponseParts, SignedMessage } from './message.ts'
import { signatureBase } from './signature-base.ts'

const lines: Record<string, string[]> = {
  'cache-control': ['max-age=60', 'must-revalidate'],
  'content-digest': ['sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:,   sha-512=:AAAA:'],
  priority: ['u=1;a=2,   i;x="y"'],
  'x-obs': ['  padded  '],
  'x-bytes': ['value, with, lots', 'of, commas'],
  'idempotency-key': ['"key"  '],
  'proxy-status': ['a;b=1,c'],
  'x-empty': [''],
}

const request: RequestParts = {
  method: 'GET',
  authority: 'www.example.com:8443',
  scheme: 'https',
  path: '/path',
  query: '?param=value&foo=bar&baz=batman%20man&twice=1&twice=2&qux=',
  header: (name) => lines[name]?.join(', '),
  headerLines: (name) => lines[name] ?? [],
  trailer: (name) => (name === 'expires' ? 'Wed, 9 Nov 2022 07:28:00 GMT' : undefined),
}
const response: ResponseParts = { status: 503, header: (name) => (name === 'date' ? 'today' : undefined) }

const value = (text: string, message: SignedMessage = { request }) => componentValue(componentOf(text), message)
const malformed = (error: unknown) => error instanceof Problem && error.code === 'signature-malformed'

test('RFC 9421 §2.2: derived components of a request', () => {
  assert.equal(value('"@method"'), 'GET')
  assert.equal(value('"@authority"'), 'www.example.com:8443')
  assert.equal(value('"@scheme"'), 'https')
  assert.equal(value('"@path"'), '/path')
  assert.equal(value('"@query"'), request.query)
  assert.equal(value('"@target-uri"'), `https://www.example.com:8443/path${request.query}`)
  assert.equal(value('"@request-target"'), `/path${request.query}`)
  const bare = { request: { ...request, query: '?' } }
  assert.equal(value('"@query"', bare), '?')
  assert.equal(value('"@request-target"', bare), '/path')
  assert.equal(value('"@request-target"', { request: { ...request, requestTarget: '*' } }), '*')
})

test('RFC 9421 §2.2.8: query parameters, re-encoded one by one', () => {
  const query = '?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something'
  const message = { request: { ...request, query } }
  assert.equal(value('"@query-param";name="var"', message), 'this%20is%20a%20big%0Amultiline%20value')
  assert.equal(value('"@query-param";name="bar"', message), 'with%20plus%20whitespace')
  assert.equal(value('"@query-param";name="fa%C3%A7ade%22%3A%20"', message), 'something')
  assert.equal(value('"@query-param";name="qux"'), '')
  assert.throws(() => value('"@query-param";name="twice"'), malformed)
  assert.throws(() => value('"@query-param";name="none"'), malformed)
})

test('RFC 9421 §2.1: fields as they are, strict, as bytes, by key and from trailers', () => {
  assert.equal(value('"cache-control"'), 'max-age=60, must-revalidate')
  assert.equal(value('"x-obs"'), 'padded')
  assert.equal(value('"x-empty"'), '')
  assert.equal(value('"priority";sf'), 'u=1;a=2, i;x="y"')
  assert.equal(value('"proxy-status";sf'), 'a;b=1, c')
  assert.equal(value('"idempotency-key";sf'), '"key"')
  assert.equal(value('"priority";key="u"'), '1;a=2')
  assert.equal(value('"priority";key="i"'), '?1;x="y"')
  assert.equal(value('"content-digest";key="sha-512"'), ':AAAA:')
  assert.equal(value('"x-bytes";bs'), ':dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:')
  assert.equal(value('"expires";tr'), 'Wed, 9 Nov 2022 07:28:00 GMT')
})

test('RFC 9421 §2.4: a response covers its status, its fields and the request it answers', () => {
  const message = { response, request }
  assert.equal(value('"@status"', message), '503')
  assert.equal(value('"date"', message), 'today')
  assert.equal(value('"@method";req', message), 'GET')
  assert.equal(value('"priority";req;key="u"', message), '1;a=2')
  assert.throws(() => value('"@method";req', { response }), malformed)
  assert.throws(() => value('"date";req'), malformed)
})

test('refuses identifiers that RFC 9421 does not define', () => {
  for (const text of [
    '"@unknown"',
    '"@signature-params"',
    '"Content-Type"',
    '"a b"',
    '""',
    'token',
    '1',
    '"@method";sf',
    '"@method";tr',
    '"@method";key="x"',
    '"@method";name="x"',
    '"@query-param"',
    '"x-bytes";bs;sf',
    '"x-bytes";bs;key="a"',
    '"x-bytes";unknown',
    '"x-bytes";sf=?0',
    '"x-bytes";key=token',
    '"x-bytes" "y"',
  ]) {
    assert.throws(() => componentOf(text), malformed, text)
  }
})

test('refuses values that a message does not have or that cannot be told', () => {
  for (const text of ['"absent"', '"@status"', '"x-obs";sf', '"x-obs";key="a"', '"priority";key="none"', '"date";tr']) {
    assert.throws(() => value(text), malformed, text)
  }
  const { scheme: _, ...schemeless } = request
  assert.throws(() => value('"@target-uri"', { request: schemeless }), malformed)
  assert.throws(() => value('"@method"', { response }), malformed)
  const noisy = { request: { ...request, header: () => 'caf\u00e9' } }
  assert.throws(() => value('"x"', noisy), malformed)
  assert.throws(() => value('"proxy-status";sf', { request: { ...request, header: () => 'a,,' } }), malformed)
})

test('refuses a component that is covered twice, also with its parameters in another order', () => {
  const twice = [componentOf('"priority";req;key="u"'), componentOf('"priority";key="u";req')]
  assert.throws(() => signatureBase(twice, '()', { request, response }), malformed)
  const both = [componentOf('"priority"'), componentOf('"priority";sf')]
  assert.equal(signatureBase(both, '()', { request }).split('\n').length, 3)
})

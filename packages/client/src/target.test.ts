import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ComityError } from './comity-error.ts'
import { fillPath, parseNodeAddress, productAddress, queryText } from './target.ts'

const isInvalidCall = (error: unknown) => error instanceof ComityError && error.code === 'invalid-call'

test('takes an http address, with or without a path and a final slash, and a path of the own origin', () => {
  assert.equal(parseNodeAddress('http://127.0.0.1:8081'), 'http://127.0.0.1:8081')
  assert.equal(parseNodeAddress('http://[::1]:8081/'), 'http://[::1]:8081')
  assert.equal(parseNodeAddress('https://node.example.org/comity//'), 'https://node.example.org/comity')
  assert.equal(parseNodeAddress('/comity/'), '/comity')
})

test('refuses what is not such an address, without repeating it', () => {
  for (const address of [
    '',
    '127.0.0.1:8081',
    'ftp://a.example',
    'http://a.example?x',
    'http://a.example#x',
    '//a.example',
    '/\\a.example',
  ]) {
    assert.throws(() => parseNodeAddress(address), isInvalidCall, address)
  }
  assert.throws(
    () => parseNodeAddress('http://user:hunter2@a.example'),
    (error) => isInvalidCall(error) && !String(error).includes('hunter2'),
  )
})

test('a partner may be a DID: its colons and escapes are escaped once more', () => {
  const address = productAddress('http://n', 'did:web:a.example%3A8443', 'athletes')
  assert.equal(address, 'http://n/did%3Aweb%3Aa.example%253A8443/athletes')
  for (const name of ['', '.', '..']) assert.throws(() => productAddress('http://n', name, 'athletes'), isInvalidCall)
})

test('fills a path and escapes values whole', () => {
  assert.equal(fillPath('/athletes/{id}/photo', { id: 7 }), '/athletes/7/photo')
  assert.equal(fillPath('/{a}-{b}', { a: 'x/y?z#', b: 'é ' }), '/x%2Fy%3Fz%23-%C3%A9%20')
})

test('refuses missing, empty, dotted and ill-formed values', () => {
  const values = [undefined, null, '', '.', '..', '\ud800', {}, [], Number.NaN]
  for (const id of values) assert.throws(() => fillPath('/athletes/{id}', { id }), isInvalidCall, String(id))
  assert.throws(() => fillPath('/{toString}'), isInvalidCall)
})

test('refuses a path that an address parser would change', () => {
  const paths = [
    'athletes',
    '/a?b',
    '/a#b',
    '/../power/hours',
    '/a/..',
    '/a/%2e%2e/b',
    '/a/.%2E/b',
    '/a\\b',
    '/a\tb',
    '/ü',
    '/a b',
  ]
  for (const path of paths) assert.throws(() => fillPath(path), isInvalidCall, path)
  assert.throws(() => fillPath('/a/.{x}', { x: '.' }), isInvalidCall)
})

test('no value leaves its segment of the path or its query parameter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), (id, q) => {
      fc.pre(!/^\.{1,2}$/.test(id) && id.isWellFormed() && q.isWellFormed())
      const url = new URL(`http://n/p/athletes${fillPath('/athletes/{id}', { id })}${queryText({ q })}`)
      const segments = url.pathname.split('/')
      assert.deepEqual(segments.slice(0, 4), ['', 'p', 'athletes', 'athletes'])
      assert.equal(decodeURIComponent(segments[4] ?? ''), id)
      assert.equal(segments.length, 5)
      assert.deepEqual([...url.searchParams], [['q', q]])
      assert.equal(url.hash, '')
    }),
    { numRuns: 200 },
  )
})

test('a query repeats lists and leaves out what is not given', () => {
  assert.equal(queryText(), '')
  assert.equal(queryText({ a: undefined, b: null, c: [] }), '')
  assert.equal(queryText({ 'a b': 'x y&z', n: [1, 2], t: true }), '?a%20b=x%20y%26z&n=1&n=2&t=true')
  for (const value of [{}, [[]], Number.POSITIVE_INFINITY]) assert.throws(() => queryText({ value }), isInvalidCall)
})

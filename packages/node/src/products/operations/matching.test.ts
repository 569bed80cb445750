import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalisePath } from '@comity/core/exchange/path'
import { matchLine, operationsNamed, pathParameters, treeOf } from '../products-test-kit.ts'

const tree = treeOf({
  '/': operationsNamed('root', 'get'),
  '/athletes': operationsNamed('list', 'get', 'post'),
  '/athletes/': operationsNamed('slash', 'get'),
  '/athletes/me': operationsNamed('me', 'get'),
  '/athletes/{id}': { ...operationsNamed('one', 'get', 'delete'), ...pathParameters('id') },
  '/athletes/{id}/results': { ...operationsNamed('results', 'get'), ...pathParameters('id') },
  '/athletes/me/photo': operationsNamed('photo', 'get'),
  '/files/{name}.json': { ...operationsNamed('json', 'get'), ...pathParameters('name') },
  '/files/{name}': { ...operationsNamed('file', 'get'), ...pathParameters('name') },
  '/a b/ü': operationsNamed('escaped', 'get'),
  '/r/v{n}': { ...operationsNamed('version', 'get'), ...pathParameters('n') },
})

const table: [string, string, string][] = [
  ['GET', '/', 'root-get'],
  ['GET', '/athletes', 'list-get'],
  ['POST', '/athletes', 'list-post'],
  ['GET', '/athletes/', 'slash-get'],
  ['GET', '/athletes/17', 'one-get 17'],
  ['GET', '/athletes/a%20b', 'one-get a%20b'],
  ['GET', '/athletes/me', 'me-get'],
  ['DELETE', '/athletes/me', 'allow GET'],
  ['PUT', '/athletes/17', 'allow DELETE,GET'],
  ['get', '/athletes', 'allow GET,POST'],
  ['GET', '/athletes/me/results', 'results-get me'],
  ['GET', '/athletes/me/photo', 'photo-get'],
  ['GET', '/athletes/17/photo', 'not-found'],
  ['GET', '/athletes/17/', 'not-found'],
  ['GET', '/Athletes', 'not-found'],
  ['GET', '/athletes//results', 'not-found'],
  ['GET', '/files/a.json', 'json-get a'],
  ['GET', '/files/.json', 'file-get .json'],
  ['GET', '/files/a.jsonx', 'file-get a.jsonx'],
  ['GET', '/a%20b/%C3%BC', 'escaped-get'],
  ['GET', '/r/v2', 'version-get 2'],
  ['GET', '/r/v', 'not-found'],
  ['GET', '/constructor', 'not-found'],
  ['GET', '/__proto__', 'not-found'],
  ['CONSTRUCTOR', '/', 'allow GET'],
]

for (const [method, path, expected] of table) {
  test(`${method} ${path} is ${expected}`, () => assert.equal(matchLine(tree, method, path), expected))
}

test('no spelling of a path that is refused or foreign reaches an operation', () => {
  const hostile = [
    '/athletes/../admin',
    '/athletes/%2e%2e/admin',
    '/athletes/%2E./x',
    '/athletes/17%2fresults',
    '/athletes/17%5cresults',
    '/athletes/17%252fresults',
    '/athletes/17%00',
    '/athletes/..;/admin',
    '//athletes',
    '/athletes/./me',
    '/athletes/%c0%af',
    '/athletes\\me',
  ]
  for (const path of hostile) assert.throws(() => normalisePath(path), { code: 'malformed-request' }, path)
})

test('a parameter keeps escapes of the normalised path: %2c stays one value', () => {
  assert.equal(matchLine(tree, 'GET', normalisePath('/athletes/a%2cb')), 'one-get a%2Cb')
  assert.equal(matchLine(tree, 'GET', normalisePath('/%61thletes/%6de')), 'me-get')
})

const segment = fc.constantFrom<string>('a', 'b', 'c', '{}', 'x{}', '{}y')
const templates = fc.uniqueArray(fc.array(segment, { minLength: 1, maxLength: 4 }), {
  selector: (list) => list.join('/'),
  minLength: 1,
  maxLength: 12,
})

function declare(list: readonly string[][]) {
  return treeOf(
    Object.fromEntries(
      list.map((segments, index) => {
        const names = segments.flatMap((text, at) => (text.includes('{}') ? [`p${at}`] : []))
        const path = segments.map((text, at) => text.replace('{}', `{p${at}}`)).join('/')
        return [`/${path}`, { ...operationsNamed(`t${index}`, 'get'), ...pathParameters(...names) }]
      }),
    ),
  )
}

const pattern = (segments: readonly string[]) =>
  new RegExp(`^/${segments.map((text) => text.replace('{}', '[^/]+')).join('/')}$`)

test('finds an operation exactly when some template matches, and one whose template does', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'xa', 'ay', 'xy', 'x', 'zz'), { minLength: 1, maxLength: 4 })
  const property = fc.property(templates, path, (list, segments) => {
    const target = `/${segments.join('/')}`
    const line = matchLine(declare(list), 'GET', target)
    const matching = list.flatMap((template, index) => (pattern(template).test(target) ? [`t${index}-get`] : []))
    if (matching.length === 0) assert.equal(line, 'not-found')
    else assert.ok(matching.includes(line.split(' ')[0] ?? ''), `${target} gave ${line}, not one of ${matching.join()}`)
  })
  fc.assert(property, { numRuns: 200 })
})

test('a literal path is preferred to every template', () => {
  const property = fc.property(
    templates,
    fc.array(fc.constantFrom<string>('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
    (list, literal) => {
      const others = list.filter((segments) => segments.join('/') !== literal.join('/'))
      assert.equal(matchLine(declare([literal, ...others]), 'GET', `/${literal.join('/')}`), 't0-get')
    },
  )
  fc.assert(property, { numRuns: 100 })
})

test('matching stays fast among templates made to mislead it', () => {
  const misleading = Array.from({ length: 400 }, (_, index) =>
    Array.from({ length: 9 }, (_unused, at): string => ((index >> at) & 1 ? 'a' : '{}')).concat(`end${index}`),
  )
  const wide = declare(misleading)
  const before = process.cpuUsage()
  for (let round = 0; round < 100; round++) matchLine(wide, 'GET', `/${'a/'.repeat(9)}nowhere`)
  assert.ok(process.cpuUsage(before).user < 2_000_000)
})

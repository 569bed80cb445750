import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { maxPathLength, maxQueryLength, normalisePath, parseTarget } from './path.ts'

const hostile: readonly (readonly [path: string, reason: string])[] = [
  ['', 'no path'],
  ['a', 'relative'],
  ['/.', 'dot segment'],
  ['/..', 'dot segment'],
  ['/a/../b', 'dot segment inside'],
  ['/a/./b', 'dot segment inside'],
  ['/a/..', 'dot segment at the end'],
  ['/%2e%2e/b', 'encoded dot segment'],
  ['/%2E./b', 'dot segment, half encoded, upper case'],
  ['/.%2e/b', 'dot segment, half encoded'],
  ['/a/%2e', 'encoded single dot'],
  ['/a/..;/b', 'Tomcat drops the parameter, then resolves the dots'],
  ['/a/..;x=1/b', 'likewise'],
  ['/a/.;/b', 'likewise with one dot'],
  ['/a/..%3b/b', 'likewise with an encoded semicolon'],
  ['/a/..%20/b', 'Windows drops trailing spaces'],
  ['/a/;x/b', 'becomes an empty segment where parameters are dropped'],
  ['//', 'empty segment'],
  ['//host/a', 'empty segment; a network-path reference to a URL parser'],
  ['/a//b', 'empty segment'],
  ['/a//', 'empty segment at the end'],
  ['/a%2fb', 'encoded slash'],
  ['/a%2Fb', 'encoded slash, upper case'],
  ['/..%2f..%2fetc', 'encoded slash with dots'],
  ['/a\\b', 'backslash'],
  ['/a%5cb', 'encoded backslash'],
  ['/..%5C', 'encoded backslash with dots'],
  ['/a\0b', 'NUL'],
  ['/a%00b', 'encoded NUL'],
  ['/a%00.json', 'encoded NUL before an extension'],
  ['/a%0d%0aX:1', 'encoded line break: header injection upstream'],
  ['/a%09', 'encoded tab'],
  ['/a%1F', 'encoded control character'],
  ['/a%7f', 'encoded DEL'],
  ['/a\tb', 'raw tab'],
  ['/a\r\nb', 'raw line break'],
  ['/a b', 'raw space'],
  ['/a%c2%85b', 'C1 control character: next line'],
  ['/a%e2%80%a8b', 'line separator'],
  ['/%EF%BB%BFa', 'byte order mark'],
  ['/%252e%252e/b', 'dot segment encoded twice'],
  ['/a%252fb', 'slash encoded twice'],
  ['/a%25%32%66b', 'slash encoded twice, the second time in pieces'],
  ['/a%2525252fb', 'slash encoded four times'],
  ['/a%255cb', 'backslash encoded twice'],
  ['/a%2500', 'NUL encoded twice'],
  ['/a%2541', 'letter encoded twice: two servers, two routes'],
  ['/a%', 'escape without digits'],
  ['/a%2', 'escape with one digit'],
  ['/a%zz', 'escape without hexadecimal digits'],
  ['/a%u002f', 'IIS Unicode escape'],
  ['/a%%32f', 'escape of an escape'],
  ['/a%+2f', 'a sign that parseInt would take'],
  ['/a% f', 'a space that parseInt would take'],
  ['/a%c0%af', 'overlong slash'],
  ['/a%c0%ae%c0%ae/', 'overlong dots'],
  ['/a%e0%80%af', 'overlong slash in three bytes'],
  ['/a%c1%9c', 'overlong backslash'],
  ['/a%ff', 'not UTF-8'],
  ['/a%c3', 'UTF-8 cut short'],
  ['/a%c3/%a9', 'UTF-8 across segments'],
  ['/a%ed%a0%80', 'surrogate in UTF-8'],
  ['/a%f4%90%80%80', 'beyond Unicode'],
  ['/é', 'raw character beyond ASCII'],
  ['/a\u00a0', 'raw no-break space'],
  ['/\ud800', 'raw lone surrogate'],
  ['/a%EF%BC%8Fb', 'full-width slash folds to a slash'],
  ['/%EF%BC%8E%EF%BC%8E/b', 'full-width dots fold to a dot segment'],
  ['/%E2%80%A4%E2%80%A4/b', 'one dot leaders fold to a dot segment'],
  ['/%E2%80%A5/b', 'two dot leader folds to a dot segment'],
  ['/.%EF%BC%8E/b', 'half folded dot segment'],
  ['/a%EF%BC%BCb', 'full-width backslash folds to a backslash'],
  ['/a%EF%BC%852f', 'full-width percent sign folds to an escape'],
  ['/a%EF%BC%9Bx', 'full-width semicolon folds to a parameter'],
  ['/%E2%84%80', 'account-of sign folds to a/c'],
  ['/a?b', 'query'],
  ['/a#b', 'fragment'],
  ['/a|b', 'raw character that RFC 3986 does not allow'],
  ['/a"b', 'likewise'],
  ['/a<b>', 'likewise'],
  ['/a[0]', 'likewise'],
  ['/{id}', 'likewise: a template, not a path'],
  ['/a^b', 'likewise'],
  ['/a`b', 'likewise'],
]

for (const [path, reason] of hostile) {
  test(`refuses the path ${JSON.stringify(path)}: ${reason}`, () => {
    assert.throws(() => normalisePath(path), { name: 'Problem', code: 'malformed-request' })
  })
}

test('normalises what RFC 3986 §6.2.2 calls equivalent', () => {
  const cases = [
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['/%61%7e%2D%5f', '/a~-_'],
    ['/a%2eb', '/a.b'],
    ['/...', '/...'],
    ['/..a', '/..a'],
    ['/a..', '/a..'],
    ['/.well-known/did.json', '/.well-known/did.json'],
    ['/%3a%3A:', '/%3A%3A:'],
    ['/%c3%a9', '/%C3%A9'],
    ['/a;x=1,2/b', '/a;x=1,2/b'],
    ['/a%3bx', '/a%3Bx'],
    ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
    ['/a%20b', '/a%20b'],
    ['/100%25', '/100%25'],
    ['/a%3fb%23c', '/a%3Fb%23c'],
    ['/wait%E2%80%A6', '/wait%E2%80%A6'],
    ['/%F0%9F%98%80', '/%F0%9F%98%80'],
  ] as const
  for (const [path, expected] of cases) assert.equal(normalisePath(path), expected)
})

const pieces = [
  '/',
  '/',
  'a',
  'Z',
  '.',
  '..',
  '%',
  '%2e',
  '%2F',
  '%25',
  '%32',
  '%41',
  '%c3%a9',
  '%ff',
  '%00',
  '%5c',
  ';',
  '5',
  '\\',
  '%20',
  '%3b',
  '%EF%BC%8F',
  '%e2%80%a5',
  '~',
  'é',
  '?',
  '//',
  '%7E',
  'c0',
  '%C0%AF',
]
const rawPath = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((chosen) => `/${chosen.join('')}`)

test('normalising twice changes nothing, and what is refused is refused with a problem', () => {
  fc.assert(
    fc.property(fc.oneof(rawPath, fc.string(), fc.webPath()), (path) => {
      const normal = normalOrProblem(path)
      if (normal !== undefined) assert.equal(normalisePath(normal), normal)
    }),
  )
})

test('an accepted path means the same to a URL parser and to a server that decodes first', () => {
  fc.assert(
    fc.property(rawPath, (path) => {
      const normal = normalOrProblem(path)
      if (normal === undefined) return
      assert.equal(new URL(normal, 'http://h').pathname, normal)
      const decoded = decodeURIComponent(normal)
      assert.equal(decoded.split('/').length, normal.split('/').length)
      assert.ok(!decoded.split('/').some((segment) => segment === '.' || segment === '..'))
      assert.ok(!/%[0-9A-Fa-f]{2}/.test(decoded))
    }),
  )
})

test('splits a target into path and query as they were sent', () => {
  assert.deepEqual(parseTarget('/a%2e'), { path: '/a%2e', query: '?' })
  assert.deepEqual(parseTarget('/a?'), { path: '/a', query: '?' })
  assert.deepEqual(parseTarget('/a?b=c?d&e[]=%20/'), { path: '/a', query: '?b=c?d&e[]=%20/' })
})

test('refuses every form of target but origin-form, and what may not stand raw in it', () => {
  const targets = ['', '*', 'a', 'h:443', 'http://h/a', 'HTTPS://h', '//h/a', '?a', '/a#b', '/a?b#c', '/a b', '/a?b c']
  const raw = ['/a\0', '/a?\r\n', '/é', '/a?é', '/a?\x7f', '/a?b=%', '/a?b=%zz', '\\a', ' /a']
  for (const target of [...targets, ...raw]) {
    assert.throws(() => parseTarget(target), { code: 'malformed-request' }, JSON.stringify(target))
  }
})

test('refuses a path over 4 KiB and a query over 8 KiB before anything else is looked at', () => {
  const path = `/${'a'.repeat(maxPathLength - 1)}`
  const query = `?${'a'.repeat(maxQueryLength - 1)}`
  assert.deepEqual(parseTarget(path + query), { path, query })
  assert.equal(normalisePath(path), path)
  assert.throws(() => parseTarget(`${path}a`), { code: 'target-too-long' })
  assert.throws(() => normalisePath(`${path}/../`), { code: 'target-too-long' })
  assert.throws(() => parseTarget(`/${query}a`), { code: 'target-too-long' })
})

function normalOrProblem(path: string): string | undefined {
  try {
    return normalisePath(path)
  } catch (error) {
    assert.ok(error instanceof Problem)
    return undefined
  }
}

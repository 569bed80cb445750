import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJson } from './json.ts'

test('refuses an object that names a member twice, at any depth and in any spelling', () => {
  const texts = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"x":[{"b":{"a":1,"c":{"a":1},"a" \n: 2}}]}',
    '{"\\"":1,"\\u0022":2}',
    '{"":1,"":2}',
    '[{"a":{},"b":"}{","a":0}]',
    '{"__proto__":1,"__proto__":2}',
  ]
  for (const text of texts) assert.throws(() => parseJson(text), { code: 'malformed-request' }, text)
})

test('takes the same name in different objects, and names that stand as values', () => {
  for (const text of [
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":"a"}}}',
    '{"a":"b","b":"a"}',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
  ]) {
    assert.deepEqual(parseJson(text), JSON.parse(text))
  }
})

test('refuses what is not JSON', () => {
  for (const text of ['', '{', '{a:1}', "{'a':1}", '[1,]', 'NaN', '{"a":1}x', '\ufeff{}', '01', '"\n"']) {
    assert.throws(() => parseJson(text), { code: 'malformed-request' }, text)
  }
})

test('reads whatever JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(parseJson(text), JSON.parse(text))
    }),
  )
})

test('takes time in proportion to the text', () => {
  const nested = '['.repeat(5_000) + ']'.repeat(5_000)
  assert.ok(Array.isArray(parseJson(nested)))
  for (const unit of ['x', '\\', '"', '\\"']) {
    const long = unit.repeat(1_000_000)
    assert.equal(parseJson(JSON.stringify(long)), long)
  }
})

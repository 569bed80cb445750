import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JsonFault } from '@comity/core/bytes/json-scan'
import { parseStrictJson } from './strict-json.ts'

const parse = (text: string) => parseStrictJson(Buffer.from(text))

const refused = {
  'a member twice': '{"a":1,"a":2}',
  'a member twice in another spelling': '{"a":1,"\\u0061":2}',
  'a member twice deep inside': '{"x":[{"y":{"k":[],"k":1}}]}',
  'a member twice around a nested object': '{"a":{"b":1},"a":2}',
  'a member twice around a text of quotes': '{"a":"\\"\\\\","b":"{\\"a\\":1}","a":2}',
  '__proto__ twice': '{"__proto__":1,"__proto__":2}',
  'a byte order mark': '\uFEFF{}',
  'text behind the value': '{} {}',
  'a comment': '{/**/}',
  'a trailing comma': '[1,]',
  'single quotes': "{'a':1}",
  NaN: '[NaN]',
  nothing: '',
  'a lone control character in a string': '"\u0001"',
  'too deep lists': '['.repeat(65) + ']'.repeat(65),
  'too deep objects': '{"a":'.repeat(65) + '1' + '}'.repeat(65),
}

for (const [name, text] of Object.entries(refused)) {
  test(`refuses ${name}`, () => assert.throws(() => parse(text), JsonFault))
}

test('refuses bytes that are not UTF-8', () => {
  assert.throws(() => parseStrictJson(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), JsonFault)
  assert.throws(() => parseStrictJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), JsonFault)
})

test('the same name in different objects is no repetition', () => {
  assert.deepEqual(parse('[{"a":1},{"a":{"a":"a"}},"a","a"]'), [{ a: 1 }, { a: { a: 'a' } }, 'a', 'a'])
})

test('takes 64 levels', () => {
  assert.doesNotThrow(() => parse('['.repeat(64) + ']'.repeat(64)))
})

test('reads every value that JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 4 }), (value, indent) => {
      assert.deepEqual(parse(JSON.stringify(value, undefined, indent)), JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 200 },
  )
})

test('refuses every object with one of its members repeated', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 })
  fc.assert(
    fc.property(object, fc.nat(), (value, pick) => {
      const names = Object.keys(value)
      const again = JSON.stringify(names[pick % names.length])
      assert.throws(() => parse(`${JSON.stringify(value).slice(0, -1)},${again}:0}`), JsonFault)
    }),
    { numRuns: 200 },
  )
})

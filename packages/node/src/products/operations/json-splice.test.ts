import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { spliceMember } from './json-splice.ts'

const examples: [string, string[], string, string][] = [
  ['{"a":1}', ['a'], '2', '{"a":2}'],
  [' { "b" : [ 1 , {"a":0} ] , "a" : "x" } ', ['a'], '2', ' { "b" : [ 1 , {"a":0} ] , "a" : 2 } '],
  ['{"n":12345678901234567890.10,"a":{"b":"x"}}', ['a', 'b'], '7', '{"n":12345678901234567890.10,"a":{"b":7}}'],
  ['{"x":"\\"a\\":1,\\\\","a":"y"}', ['a'], '2', '{"x":"\\"a\\":1,\\\\","a":2}'],
  ['{"\\u0061":"x","b":1}', ['a'], '2', '{"\\u0061":2,"b":1}'],
  ['{"a":{"a":{"a":[]}}}', ['a', 'a', 'a'], '2', '{"a":{"a":{"a":2}}}'],
  ['{"a":true,"b":null}', ['b'], '2', '{"a":true,"b":2}'],
]

for (const [text, names, replacement, expected] of examples) {
  test(`replaces \`${names.join('/')}\` in ${text}`, () => {
    assert.equal(spliceMember(text, names, replacement), expected)
  })
}

test('says so when there is nothing to replace', () => {
  assert.throws(() => spliceMember('{"a":1}', ['b'], '2'), /is not there/)
  assert.throws(() => spliceMember('{}', ['b'], '2'), /is not there/)
})

test('whatever the text, reading what was replaced is replacing what was read', () => {
  const name = fc.oneof(fc.constantFrom('a', 'b', '"', '\\', '', '{', 'é'), fc.string({ maxLength: 3 }))
  const object = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, maxKeys: 5, noNullPrototype: true })
  const property = fc.property(object, fc.nat(), fc.jsonValue(), (inner, pick, replacement) => {
    const whole = { first: 'x', inner, last: [inner] }
    const names = Object.keys(inner)
    const chosen = names[pick % names.length] as string
    const text = spliceMember(JSON.stringify(whole, null, pick % 3), ['inner', chosen], JSON.stringify(replacement))
    const members = Object.entries(inner).map(([key, value]): [string, unknown] => [
      key,
      key === chosen ? replacement : value,
    ])
    const expected = JSON.stringify({ ...whole, inner: Object.fromEntries(members) })
    assert.deepEqual(JSON.parse(text), JSON.parse(expected))
  })
  fc.assert(property, { numRuns: 200 })
})

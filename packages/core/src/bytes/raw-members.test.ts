import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { rawMembers } from './raw-members.ts'

test('gives the text of each value as it came: digits, spaces and escapes', () => {
  const text = ' {"a" : 1.0e400 , "b\\u0022":{ "x": [1, "}," ] }, "c":"\\\\\\"" ,"d":null, "":[]} '
  assert.deepEqual(
    [...rawMembers(text)],
    [
      ['a', '1.0e400'],
      ['b"', '{ "x": [1, "}," ] }'],
      ['c', '"\\\\\\""'],
      ['d', 'null'],
      ['', '[]'],
    ],
  )
  assert.deepEqual([...rawMembers('{}')], [])
})

test('refuses what is no object, is no JSON, or names a member twice at whatever depth', () => {
  for (const text of ['', '[]', '1', 'null', '"{}"', '{"a":1', '{"a":1,"a":2}', '{"a":{"b":1,"\\u0062":2}}']) {
    assert.throws(
      () => rawMembers(text),
      (error) => error instanceof Problem && error.code === 'malformed-request',
    )
  }
})

test('puts together what JSON.parse reads of the whole, in whatever layout', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(2), (value, indent) => {
      const whole = JSON.parse(JSON.stringify(value)) as object
      const members = rawMembers(JSON.stringify(value, null, indent))
      const read = [...members].map(([name, text]) => [name, JSON.parse(text) as unknown])
      assert.deepEqual(read, Object.entries(whole))
    }),
    { numRuns: 200 },
  )
})

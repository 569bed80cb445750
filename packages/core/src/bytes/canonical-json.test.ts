import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from './canonical-json.ts'

test('RFC 8785 §3.2.2 to §3.2.3: the sample of the specification', () => {
  const value = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  )
  assert.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('RFC 8785 §3.2.3: members are sorted by UTF-16 code units', () => {
  const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
  assert.equal(canonicalJson(value), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')
})

test('minus zero is zero, and a member that is undefined is not there', () => {
  assert.equal(canonicalJson({ b: undefined, a: [-0] }), '{"a":[0]}')
})

test('refuses what JSON cannot hold', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const values = [NaN, [Infinity], '\ud800', { '\udc00': 1 }, 1n, undefined, () => 1, [() => 1], cycle]
  for (const value of values) assert.throws(() => canonicalJson(value), { code: 'malformed-request' })
})

test('the canonical text of a value does not depend on the order of members, and is a fixed point', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value)
      assert.equal(canonicalJson(JSON.parse(text)), text)
      assert.equal(canonicalJson(reversed(value)), text)
    }),
  )
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, member]) => [name, reversed(member)] as const)
  return Object.fromEntries(entries.toReversed())
}

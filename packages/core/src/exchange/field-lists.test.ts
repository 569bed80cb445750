import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fieldClaims, fieldsHash, policyClaims } from './field-lists.ts'

test('short lists stand in the receipt, long ones as their hash', () => {
  assert.deepEqual(fieldClaims({}), {})
  assert.deepEqual(fieldClaims({ released: ['height'], withheld: [] }), { rel: ['height'], wit: [] })
  const many = Array.from({ length: 257 }, (_, index) => `f${index}`)
  const long = Array.from({ length: 100 }, (_, index) => `${'segment.'.repeat(5)}f${index}`)
  for (const lists of [
    { released: many, withheld: [] },
    { released: [], withheld: long },
  ]) {
    assert.deepEqual(fieldClaims(lists), { fld: fieldsHash(lists) })
  }
})

test('another list, another order or another side is another hash', () => {
  const name = fc.string({ minLength: 1, maxLength: 5 })
  const lists = fc.record({ released: fc.array(name), withheld: fc.array(name) })
  fc.assert(
    fc.property(lists, lists, (one, other) => {
      assert.equal(fieldsHash(one) === fieldsHash(other), JSON.stringify(one) === JSON.stringify(other))
    }),
  )
})

test('policies stand in the receipt by name, too many of them as the hash of all', () => {
  assert.deepEqual(policyClaims(undefined), {})
  assert.deepEqual(policyClaims([]), { pol: [] })
  assert.deepEqual(policyClaims(['a', 'b']), { pol: ['a', 'b'] })
  const many = Array.from({ length: 65 }, (_, index) => `p${index}`)
  const long = Array.from({ length: 20 }, (_, index) => `${'policy'.repeat(15)}${index}`)
  for (const policies of [many, long]) {
    const { pol = [] } = policyClaims(policies)
    assert.equal(pol.length, 1)
    assert.match(pol[0] ?? '', /^sha-256:[\w-]{43}$/)
    assert.notDeepEqual(policyClaims([...policies, 'x']), { pol })
  }
})

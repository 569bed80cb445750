import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeEntryBundle, parseEntryBundle } from './entry-bundle.ts'

test('an entry bundle gives its entries back', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 20 }), (entries) => {
      assert.deepEqual(parseEntryBundle(encodeEntryBundle(entries)), entries)
    }),
  )
})

test('an entry bundle has big-endian uint16 lengths', () => {
  assert.deepEqual(encodeEntryBundle([Uint8Array.of(7), new Uint8Array(258)]).slice(0, 5), Uint8Array.of(0, 1, 7, 1, 2))
})

test('refuses a bundle that ends within an entry or a length, and an entry that is too long', () => {
  const bundle = encodeEntryBundle([Uint8Array.of(1, 2, 3)])
  for (const length of [1, 2, 4]) {
    assert.throws(() => parseEntryBundle(bundle.subarray(0, length)), { code: 'proof-invalid' })
  }
  assert.throws(() => encodeEntryBundle([new Uint8Array(65_536)]), { code: 'proof-invalid' })
  assert.equal(encodeEntryBundle([new Uint8Array(65_535)]).length, 65_537)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withoutTrailing } from './without-trailing.ts'

test('what is cut off is what the expression would cut off', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('/', 'a', '0') }), (text) => {
      assert.equal(withoutTrailing(text, '/'), text.replace(/\/+$/, ''))
    }),
    { numRuns: 200 },
  )
})

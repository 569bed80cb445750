import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { uuidV7 } from './uuid-v7.ts'

test('the example of RFC 9562, appendix A.6, comes out', () => {
  // Its 74 random bits, cut after the 32nd: 0xCC3 and the upper 20 bits of 0x18C4DC0C0C07398F are the sequence.
  const sequence = (0xcc3 * 2 ** 20 + 0x18c4d * 4 + 3) >>> 0
  const random = new Uint8Array(16)
  random.set([0x00, 0x0c, 0x0c, 0x07, 0x39, 0x8f], 10)
  const made = uuidV7({ timeMs: 0x017f22e279b0, sequence, random })
  assert.equal(made, '017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
})

const parts = fc.record({
  timeMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  sequence: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  random: fc.uint8Array({ minLength: 16, maxLength: 16 }),
})

test('is of version 7 and variant 10, and begins with its time', () => {
  fc.assert(
    fc.property(parts, (given) => {
      const made = uuidV7(given)
      assert.match(made, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(Number.parseInt(made.slice(0, 13).replace('-', ''), 16), given.timeMs)
    }),
  )
})

test('a later time, and within it a higher sequence, gives a greater id', () => {
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const order = Math.sign(one.timeMs - other.timeMs) || Math.sign(one.sequence - other.sequence)
      if (order === 0) return
      assert.equal(uuidV7(one) < uuidV7(other), order < 0)
    }),
  )
})

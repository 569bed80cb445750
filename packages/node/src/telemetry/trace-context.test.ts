import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatTraceparent, newTraceContext, parseTraceparent } from './trace-context.ts'

test('reads the example of W3C Trace Context §3.2.5', () => {
  assert.deepEqual(parseTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'), {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    sampled: true,
  })
})

test('ignores what is not valid', () => {
  const id = `${'1'.repeat(32)}-${'2'.repeat(16)}`
  const bad = [
    undefined,
    '',
    `ff-${id}-01`,
    `00-${'0'.repeat(32)}-${'2'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
    `00-${id}-01-x`,
    `00-${'A'.repeat(32)}-${'2'.repeat(16)}-01`,
    `00-${id}`,
    `01-${id}-01-${'x'.repeat(200)}`,
  ]
  for (const text of bad) assert.equal(parseTraceparent(text), undefined, text)
  assert.equal(parseTraceparent(`01-${id}-01-more`)?.sampled, true)
})

test('what is written is read back, and ids are never all zero', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.boolean(), (bytes, sampled) => {
      const context = newTraceContext((length) => bytes.subarray(0, length), sampled)
      assert.deepEqual(parseTraceparent(formatTraceparent(context)), context)
    }),
    { numRuns: 100, examples: [[new Uint8Array(16), true]] },
  )
})

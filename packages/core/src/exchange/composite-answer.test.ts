import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sliceContent, sliceText, writtenLength } from './composite-answer.ts'

test('the length of a content is the one that it has in a composite, escaped or encoded', () => {
  const contents = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    fc
      .string({
        unit: fc.constantFrom('\u0000', '\u0001', '\b', '\t', '\n', '\f', '\r', '"', '\\', '/', '\u007f', 'é'),
      })
      .map((text) => Buffer.from(text)),
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
  )
  const property = fc.property(contents, fc.constantFrom('text/plain', 'application/json'), (bytes, type) => {
    const content = sliceContent(type, bytes, false)
    if (content === undefined) return
    const around = `{"status":200,"${content.as}":}`.length
    assert.equal(writtenLength(content), Buffer.byteLength(sliceText({ status: 200, content })) - around)
  })
  fc.assert(property, { numRuns: 200 })
})

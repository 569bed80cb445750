import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createNdjsonRows } from './ndjson-rows.ts'
import { defaultRowLimits } from './row-stream.ts'
import { breaks, passed, wholeRows } from './row-test-kit.ts'

const rowsOf = (limits = defaultRowLimits) => createNdjsonRows(wholeRows, limits)

test('a line is a row, with LF or CRLF; empty lines are none, the last may lack its end', () => {
  const stream = rowsOf()
  assert.equal(passed(stream, '{"a":1}\r\n\n{"a": 2}\n\r\n{"a":3}'), '{"a":1}\n{"a":2}\n{"a":3}\n')
  assert.deepEqual(stream.counts, { read: 3, released: 3 })
  assert.equal(passed(rowsOf(), ''), '')
})

test('rows come out as they went in, however they are cut', () => {
  const rows = fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(rows, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (values, sizes) => {
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join('')
      assert.equal(passed(rowsOf(), text, sizes), text)
    }),
    { numRuns: 200 },
  )
})

test('a row that is left out leaves no line', () => {
  const work = { ...wholeRows, release: (row: unknown) => ((row as { a: number }).a > 1 ? row : undefined) }
  assert.equal(passed(createNdjsonRows(work), '{"a":1}\n{"a":2}\n'), '{"a":2}\n')
})

test('what is not one JSON value on each line is malformed', () => {
  for (const line of ['{"a":1', '{"a":1}{"a":2}', '{"a":1},', '\uFEFF{}', ' ']) {
    breaks('malformed', () => rowsOf(), `${line}\n{"b":1}\n`)
  }
})

test('what the reader of JSON refuses is refused by its rule', () => {
  breaks('duplicate-member', () => rowsOf(), '{"a":1,"a":2}\n')
  breaks('lone-surrogate', () => rowsOf(), '{"a":"\\ud800"}\n')
  breaks('too-deep', () => rowsOf(), `${'['.repeat(70)}${']'.repeat(70)}\n`)
})

test('numbers keep every digit, and the schema judges the nearest double', () => {
  const judged: unknown[] = []
  const work = { ...wholeRows, check: (row: unknown) => void judged.push(row) }
  const text = '{"a":1.0,"b":12345678901234567890.123,"c":1e400}\n'
  assert.equal(passed(createNdjsonRows(work), text), text)
  assert.deepEqual(judged, [{ a: 1, b: Number('12345678901234567890.123'), c: Number.MAX_VALUE }])
})

test('a line that does not end is a fault as soon as it is too long', () => {
  const limits = { ...defaultRowLimits, length: 100 }
  breaks('row-too-long', () => rowsOf(limits), `{"a":"${'x'.repeat(200)}`)
  breaks('row-too-long', () => rowsOf(limits), `{"a":"${'x'.repeat(200)}"}\n`)
})

test('bytes that are not UTF-8 are a fault', () => {
  breaks('invalid-utf8', () => rowsOf(), Buffer.from('{"a":"\xfc"}\n', 'latin1'))
  breaks('invalid-utf8', () => rowsOf(), Buffer.from([0x22, 0xf0, 0x9f]))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseCsv } from './csv.ts'

const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`

test('gives back what was written, whatever the values hold', () => {
  const value = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', 'é', ' ') })
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value)), (rows) => {
      const text = ['a,b', ...rows.map((row) => row.map(quoted).join(','))].join('\n')
      assert.deepEqual(
        parseCsv(text),
        rows.map(([a, b]) => ({ a, b })),
      )
    }),
  )
})

test('takes empty values, the last one too, and a final line end', () => {
  assert.deepEqual(parseCsv('a,b,c\r\n,,\r\n1,,x\r\n'), [
    { a: '', b: '', c: '' },
    { a: '1', b: '', c: 'x' },
  ])
  assert.deepEqual(parseCsv('a,b\n1,'), [{ a: '1', b: '' }])
})

test('refuses a record of another length and a quote in the middle of a value', () => {
  assert.throws(() => parseCsv('a,b\n1'))
  assert.throws(() => parseCsv('a\nx"y'))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { rowMinimiser } from '../minimise.ts'
import { wholeRelease } from '../whole-release.ts'
import { createCsvRows, type CsvColumn } from './csv-rows.ts'
import { defaultRowLimits } from './row-stream.ts'
import { breaks, passed, wholeRows } from './row-test-kit.ts'

const kinds: Readonly<Record<string, CsvColumn>> = {
  id: { kind: 'number', keepsEmpty: false },
  name: { kind: 'text', keepsEmpty: true },
  isMember: { kind: 'boolean', keepsEmpty: false },
  'address.city': { kind: 'text', keepsEmpty: false },
  note: { kind: 'text', keepsEmpty: false },
}
const column = (name: string) => kinds[name]
const fields = ['id', 'name', 'isMember', 'address']
const rowsOf = (limits = defaultRowLimits, work = wholeRows) => createCsvRows({ column, fields }, work, limits)

/** The rows as they are judged. */
function rowsIn(text: string): unknown[] {
  const rows: unknown[] = []
  passed(rowsOf(undefined, { ...wholeRows, check: (row) => void rows.push(row) }), text)
  return rows
}

test('the header names the fields, the schema says what the cells are, an empty cell is nothing', () => {
  const text = 'id,name,isMember,address.city\r\n7,"Ann, B.",true,Oslo\r\n,,maybe,\r\n007,"a ""b""\n",false,""\r\n'
  assert.deepEqual(rowsIn(text), [
    { id: 7, name: 'Ann, B.', isMember: true, address: { city: 'Oslo' } },
    { name: '', isMember: 'maybe' },
    { id: '007', name: 'a "b"\n', isMember: false },
  ])
})

test('only columns of released fields leave, in their order, the header with them', () => {
  const release = wholeRelease([{ path: 'name' }, { path: 'address' }])
  const means = { keyedHash: (text: string) => text, pseudonym: 'p' }
  const work = { ...wholeRows, ...rowMinimiser(release, { layout: { rows: '[]', open: [] }, means }) }
  const stream = createCsvRows({ column, fields: release.released }, work)
  assert.equal(passed(stream, 'id,address.city,name\n1,Oslo,"x,y"\n2,,\n'), 'address.city,name\r\nOslo,"x,y"\r\n,\r\n')
})

test('numbers keep every digit, and the schema judges the nearest double', () => {
  const text = 'id\r\n1.0\r\n12345678901234567890.5\r\n'
  assert.deepEqual(rowsIn(text), [{ id: 1 }, { id: Number('12345678901234567890.5') }])
  assert.equal(passed(rowsOf(), text), text)
})

test('an answer without released columns is empty', () => {
  assert.equal(passed(createCsvRows({ column, fields: ['other'] }, wholeRows), 'id,name\n1,x\n'), '')
})

test('reads what csv-parse reads, however it is cut, and csv-parse reads what it writes', () => {
  const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '"', '""', ',', '\r\n', '\n', 'a"b', ' x '))
  const tables = fc.array(fc.tuple(cell, cell, cell), { maxLength: 6 })
  const written = (value: string, always: boolean) =>
    always || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  const cut = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 })
  const spelling = fc.record({ isQuoted: fc.boolean(), eol: fc.constantFrom('\r\n', '\n') })
  fc.assert(
    fc.property(fc.tuple(tables, cut), spelling, ([table, sizes], { isQuoted, eol }) => {
      const header = ['name', 'note', 'address.city']
      const text = [header, ...table].map((line) => line.map((value) => written(value, isQuoted)).join(',')).join(eol)
      const plan = { column: () => ({ kind: 'text', keepsEmpty: true }) as const, fields: header }
      const out = passed(createCsvRows(plan, wholeRows), text, sizes)
      assert.deepEqual(parse(text), [header, ...table])
      assert.deepEqual(parse(out), [header, ...table])
    }),
    { numRuns: 200 },
  )
})

test('a byte order mark before the header is no part of it', () => {
  assert.equal(passed(rowsOf(), '\uFEFFid,name\n1,x\n', [1]), 'id,name\r\n1,x\r\n')
})

test('one column: an empty value is written so that it is a record', () => {
  const plan = { column, fields: ['name'] }
  assert.equal(passed(createCsvRows(plan, wholeRows), 'name\r\n""\r\n\r\nx\r\n'), 'name\r\n""\r\nx\r\n')
})

test('what is not RFC 4180 is malformed', () => {
  for (const line of ['1,a"b', '1,"a"b', '1,a\rb', '"1"x,a']) breaks('malformed', () => rowsOf(), `id,name\n${line}\n`)
  breaks('unterminated', () => rowsOf(), 'id,name\n1,"a')
  breaks('unterminated', () => rowsOf(), '')
})

test('a record with other columns than the header is a fault', () => {
  for (const line of ['1', '1,a,b', '1,a,']) breaks('uneven-columns', () => rowsOf(), `id,name\n${line}\n`)
})

test('a header with an unknown column, one twice, or one inside another is a fault', () => {
  assert.throws(
    () => rowsOf().push(Buffer.from('1,Amina Rossi\n')),
    (error: Error) => !error.message.includes('Amina'),
  )
  breaks('undeclared', () => rowsOf(), 'id,secret\n')
  breaks('undeclared', () => rowsOf(), 'id,\n')
  breaks('duplicate-member', () => rowsOf(), 'id,name,id\n')
  const nested = (name: string) => (name.startsWith('a') ? kinds['name'] : undefined)
  breaks('duplicate-member', () => createCsvRows({ column: nested, fields }, wholeRows), 'a,a.b\n')
})

test('records too long and too wide are faults before their end has come', () => {
  const limits = { ...defaultRowLimits, length: 100, columns: 3 }
  breaks('row-too-long', () => rowsOf(limits), `id,name\n1,"${'x'.repeat(200)}`)
  breaks('row-too-long', () => rowsOf(limits), `id,name\n1,${'x'.repeat(200)}`)
  breaks('too-many-columns', () => rowsOf(limits), `${'id,'.repeat(10)}\n`)
})

test('bytes that are not UTF-8 are a fault', () => {
  breaks('invalid-utf8', () => rowsOf(), Buffer.from('id,name\n1,\xfc\n', 'latin1'))
})

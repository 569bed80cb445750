import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseList } from 'structured-headers'
import { formatStringList, parseStringList } from './structured-fields.ts'

test('a list of strings is written as RFC 9651 has it, and reads back', () => {
  const list = ['weight', 'address.city', 'a"b\\c', 'größe', '体重', '']
  const text = formatStringList(list)
  assert.equal(text, String.raw`"weight", "address.city", "a\"b\\c", %"gr%c3%b6%c3%9fe", %"%e4%bd%93%e9%87%8d", ""`)
  assert.deepEqual(
    parseList(text).map(([item]) => String(item)),
    list,
  )
  assert.equal(formatStringList([]), '')
})

test('what is no list of strings is read as none', () => {
  assert.deepEqual(parseStringList(formatStringList(['a', 'größe'])), ['a', 'größe'])
  assert.deepEqual(parseStringList(''), [])
  for (const text of ['weight', '1', '"a', '("a")', '"a",', `"${'x'.repeat(20_000)}"`]) {
    assert.equal(parseStringList(text), undefined, text.slice(0, 20))
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { Problem } from '@comity/core/problems'
import { errorDocument, errorLines, printable, table } from './output.ts'

const plain = (error: unknown) => errorLines(error).map(stripVTControlCharacters)

test('a table is as wide as its widest cells, and its lines end without blanks', () => {
  const rows = table([
    ['id', 'name'],
    ['1', 'a'],
    ['22', ''],
  ])
  assert.deepEqual(rows.map(stripVTControlCharacters), ['id  name', '1   a', '22'])
})

test('text of others cannot steer the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\r\n\u009b31mc\u202ed'), 'a [2Jb 31mc d')
  assert.ok(
    !table([['id'], ['\u001b]0;owned\u0007']])
      .join('')
      .includes('\u001b]'),
  )
})

test('a fault of the node comes with the id that its log has it under', () => {
  const members = { requestId: '01a2' }
  assert.ok(plain(new Problem('internal-error', 'something failed', { members })).includes('  requestId: 01a2'))
  assert.ok(
    !plain(new Problem('malformed-request', 'wrong', { members }))
      .join()
      .includes('01a2'),
  )
})

test('a problem says what is wrong, lists every mistake, and says what to do', () => {
  const errors = [
    { path: 'listen.public', line: 4, message: 'is missing' },
    { pointer: '/a', detail: 'is odd' },
    'word',
  ]
  const lines = plain(new Problem('malformed-request', 'it is wrong', { members: { errors } }))
  assert.deepEqual(lines, [
    '✗ The request is malformed: it is wrong',
    '  - listen.public, line 4: is missing',
    '  - /a: is odd',
    '  - word',
    '  Correct the part that `detail` names and send it again. (malformed-request)',
  ])
})

test('a detail that lists its mistakes is not listed twice', () => {
  const problem = new Problem('config-invalid', '`a` has one mistake\n  a:1 b: c', {
    members: { errors: [{ path: 'b' }] },
  })
  assert.equal(plain(problem).length, 2)
  const refused = (errors: string[]) =>
    plain(new Problem('delegation-refused', 'refused: it is too deep; it is too long', { members: { errors } }))
  assert.equal(refused(['it is too deep', 'it is too long']).length, 2)
  assert.match(refused(['it is too deep', 'it is too wide'])[1] ?? '', /^ +- it is too wide$/)
})

test('a refusal of the system is told without a stack', () => {
  const error = Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: 'EACCES', syscall: 'open' })
  assert.deepEqual(plain(error), ["✗ the system refused: EACCES: permission denied, open '/x'"])
  assert.equal(errorDocument(error).code, 'storage-failed')
})

test('an error of our own is told whole', () => {
  const lines = plain(new TypeError('x is undefined'))
  assert.match(lines.join('\n'), /failed unexpectedly[\s\S]*x is undefined[\s\S]* at /)
})

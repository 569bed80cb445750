import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moment } from './moment.ts'

test('a date is its midnight in UTC, and a time is the same moment whatever its offset', () => {
  assert.equal(moment('2026-11-22'), '2026-11-22T00:00:00.000Z')
  assert.equal(moment('2026-11-22T01:30:00+01:00'), '2026-11-22T00:30:00.000Z')
})

test('what has no offset, no such date, or is no time is refused with an example', () => {
  for (const text of ['2026-11-22T10:00', '2026-02-31', '2026', 'tomorrow', '22.11.2026', ''])
    assert.throws(() => moment(text), /2026-03-01/, text)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { legiblePointer } from './legible-pointer.ts'

test('names of members and positions stand in a log, what may be data does not', () => {
  assert.equal(legiblePointer(''), '')
  assert.equal(legiblePointer('/items/12/splits/0/$ref_time'), '/items/12/splits/0/$ref_time')
  assert.equal(legiblePointer('/byNumber/736041664/height'), '/byNumber/…/height')
  assert.equal(legiblePointer('/byName/Amina Rossi'), '/byName/…')
  assert.equal(legiblePointer('/byMail/amina~1rossi'), '/byMail/…')
  assert.equal(legiblePointer(`/${'a/'.repeat(40)}`), `${'/a'.repeat(16)}/…`)
  assert.equal(legiblePointer('/mail/amina@example.org'), '/mail/…')
})

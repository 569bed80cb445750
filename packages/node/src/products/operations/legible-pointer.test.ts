import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declaredNames } from './declared-names.ts'
import { legiblePointer } from './legible-pointer.ts'

const declared = declaredNames({
  paths: { '/x': { get: { schema: { properties: { items: { items: { properties: { splits: {}, 'a/b': {} } } } } } } } },
  components: { schemas: { Byname: { properties: { byName: { additionalProperties: {} }, height: {} } } } },
})

test('names that the document declares, words and positions stand in a log, what may be data does not', () => {
  assert.equal(legiblePointer('', declared), '')
  assert.equal(legiblePointer('/items/12/splits/0', declared), '/items/12/splits/0')
  assert.equal(legiblePointer('/items/0/a~1b', declared), '/items/0/a~1b')
  assert.equal(legiblePointer('/items/0/birthDate', declared), '/items/0/birthDate')
  for (const name of [
    '736041664',
    'Amina Rossi',
    'amina~1rossi',
    'amina@example.org',
    'amina.rossi',
    'RSSMRA85T10A562S',
    'DE89370400440532013000',
  ]) {
    assert.equal(legiblePointer(`/byName/${name}/height`, declared), '/byName/…/height')
  }
  assert.equal(legiblePointer(`${'/items'.repeat(40)}`, declared), `${'/items'.repeat(16)}/…`)
})

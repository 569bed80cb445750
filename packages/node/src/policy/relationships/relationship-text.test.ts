import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { partyTypes, type Relationship } from './relationship-store.ts'
import { formatRelationship, parseRelationship } from './relationship-text.ts'

const id = fc.string({
  unit: fc.constantFrom('a', '9', ':', '/', '#', '@', '.', ' ', 'é'),
  minLength: 1,
  maxLength: 40,
})
const object = fc.oneof(
  id.map((of) => ({ type: 'Group', id: of }) as const),
  id.filter((of) => !of.includes('#')).map((handle) => ({ type: 'person', handle }) as const),
)
const relationship: fc.Arbitrary<Relationship> = fc
  .tuple(object, fc.constantFrom('member', 'next-of-kin', 'physician_2'), fc.constantFrom(...partyTypes), id)
  .map(([of, relation, type, subjectId]) => ({ object: of, relation, subject: { type, id: subjectId } }))

test('what was written is read again as it was', () => {
  fc.assert(
    fc.property(relationship, (each) => {
      assert.deepEqual(parseRelationship(formatRelationship(each)), each)
    }),
  )
})

test('what is no relationship is refused', () => {
  for (const text of [
    '',
    'Group::"a"#member',
    'Group::"a"@Participant::"b"',
    'Group::"a"#member@Team::"b"',
    'Group::a#member@Participant::b',
    'Product::"a"#member@Participant::"b"',
    'person:#physician@Participant::"b"',
    'Group::"a"#@Participant::"b"',
    'Group::"a"#member@Participant::"b" ',
  ])
    assert.throws(() => parseRelationship(text), { code: 'malformed-request' }, text)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { actorTypes, assuranceLevels, formatActor, parseActor, type Actor } from './actor.ts'

const refuses = (field: string) =>
  assert.throws(() => parseActor(field), { name: 'Problem', code: 'malformed-request' }, field)

test('an actor is a name with a type, and an assurance where there is one', () => {
  assert.deepEqual(parseActor('"billing";type=service'), { type: 'service', id: 'billing' })
  assert.deepEqual(parseActor('"nurse-17"; type=human; assurance=substantial'), {
    type: 'human',
    id: 'nurse-17',
    assurance: 'substantial',
  })
})

test('anything but one known actor is refused, never read as less', () => {
  refuses('')
  refuses('""; type=human')
  refuses('billing;type=service')
  refuses('"billing"')
  refuses('"billing";type=group')
  refuses('"billing";type="service"')
  refuses('"billing";type=service;assurance=highest')
  refuses('"billing";type=service;role=admin')
  refuses('"billing";type=service;type=human')
  refuses('"billing";type=service, "other";type=human')
  refuses('12;type=service')
  refuses(`"${'a'.repeat(257)}";type=service`)
  refuses(`"${'a'.repeat(600)}";type=service`)
})

test('a name without quotes is told how it is written', () => {
  for (const field of ['nurse-17;type=human', 'did:web:lab.example;type=service', 'Zoë;type=human', '17;type=human'])
    assert.throws(() => parseActor(field), { message: /`"nurse-17";type=human`/ }, field)
})

test('a name that cannot stand in the field is refused before it is sent', () => {
  assert.throws(() => formatActor({ type: 'human', id: 'Zoë' }), { code: 'malformed-request' })
  assert.throws(() => formatActor({ type: 'human', id: '' }), { code: 'malformed-request' })
})

test('what is written is read the same', () => {
  const actor: fc.Arbitrary<Actor> = fc
    .record({
      type: fc.constantFrom(...actorTypes),
      id: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 128 }),
      assurance: fc.option(fc.constantFrom(...assuranceLevels), { nil: undefined }),
    })
    .map(({ assurance, ...rest }) => ({ ...rest, ...(assurance !== undefined && { assurance }) }))
  fc.assert(
    fc.property(actor, (given) => assert.deepEqual(parseActor(formatActor(given)), given)),
    { numRuns: 200 },
  )
})

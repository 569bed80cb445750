import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ComityError } from './comity-error.ts'
import { checkFields, requestHead } from './request-head.ts'

const zeros = (length: number) => new Uint8Array(length)

test('writes what the node reads', () => {
  const head = requestHead(
    { authorization: 'Bearer t' },
    {
      purpose: 'https://p.example/research',
      agreement: 'urn:a',
      subject: 's',
      consent: 'urn:uuid:1',
      actor: { type: 'human', id: 'nurse-17', assurance: 'high' },
      replica: { mode: 'prefer', maxAgeSeconds: 60 },
      idempotencyKey: 'order 7',
      headers: { Accept: 'text/csv' },
    },
    zeros,
  )
  assert.deepEqual(head, {
    accept: 'text/csv',
    authorization: 'Bearer t',
    'comity-purpose': 'https://p.example/research',
    'comity-agreement': 'urn:a',
    'comity-subject': 's',
    'comity-consent': 'urn:uuid:1',
    'comity-actor': '"nurse-17";type=human;assurance=high',
    'comity-replica': 'prefer;max-age=60',
    'idempotency-key': '"order 7"',
  })
})

test('makes a key of 128 random bits for `auto`', () => {
  assert.equal(requestHead({}, { idempotencyKey: 'auto' }, zeros)['idempotency-key'], '"AAAAAAAAAAAAAAAAAAAAAA"')
})

test('refuses what cannot stand in a field, and never repeats it', () => {
  const bad = fc
    .string({ unit: 'binary', minLength: 1 })
    .filter((text) => /[^\t\x20-\x7e\x80-\xff]/.test(text) || text.trim() !== text)
  fc.assert(
    fc.property(bad, (value) => {
      const secret = `secret${value}`
      for (const make of [
        () => checkFields({ authorization: `${secret}\n` }),
        () => requestHead({}, { purpose: `${secret}\u0000` }, zeros),
        () => requestHead({}, { headers: { 'x-key': `${secret}\r\nx: y` } }, zeros),
        () => requestHead({}, { idempotencyKey: `${secret}"` }, zeros),
      ]) {
        assert.throws(
          make,
          (error) => error instanceof ComityError && error.code === 'invalid-call' && !error.message.includes('secret'),
        )
      }
    }),
    { numRuns: 50 },
  )
})

test('refuses fields that have an option of their own, and malformed names', () => {
  for (const name of ['Idempotency-Key', 'comity-purpose', 'Comity-Replica', 'a b', '', 'a:', 'ä']) {
    assert.throws(() => requestHead({}, { headers: { [name]: 'x' } }, zeros), ComityError, name)
  }
})

test('refuses an actor that the node could not read, and never repeats its name', () => {
  for (const actor of [
    { type: 'human', id: 'Zoë' },
    { type: 'human', id: '' },
    { type: 'group', id: 'nurses' },
    { type: 'human', id: 'x', assurance: 'highest' },
  ]) {
    assert.throws(
      () => requestHead({}, { actor: actor as never }, zeros),
      (error) => error instanceof ComityError && error.code === 'invalid-call' && !error.message.includes('Zoë'),
    )
  }
})
